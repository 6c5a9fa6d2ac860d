"""Texts into trees: the only file that loads tree-sitter. What is made of a tree: tree.py."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from tree_sitter import Parser, Range
from tree_sitter_language_pack import get_language

from indexer.definitions import RULES
from indexer.definitions.derived import derive_rules
from indexer.tree import TreeOutline

if TYPE_CHECKING:
    from tree_sitter import Language

    from indexer.definitions.rules import Rules, SyntaxNode
    from indexer.lines import Lines

# Progress is reported about five times per KB of well-formed Python. A text that makes a parser go astray takes far more;
# it is then cut by its lines. Counted, not timed: the same file is cut the same way on every machine.
_STEPS_PER_BYTE = 0.1
_STEPS = 20_000


def parse(language: str, lines: Lines) -> TreeOutline | None:
    """The outline of a text, or None where the pack has no such grammar or the parser gave up."""
    rules = rules_of(language)
    root = _root(rules, lines, None) if rules else None
    if rules is None or root is None:
        return None

    def embed(inner: str, node: SyntaxNode) -> tuple[Rules, SyntaxNode] | None:
        inner_rules = rules_of(inner)
        inner_root = _root(inner_rules, lines, node) if inner_rules else None
        return (inner_rules, inner_root) if inner_rules and inner_root else None

    return TreeOutline(rules, root, lines, embed)


def rules_of(language: str) -> Rules | None:
    """Our own rules, rules derived from the grammar of that name, or None where there is none."""
    return RULES.get(language) or _derived(language)


@cache
def _derived(language: str) -> Rules | None:
    try:
        grammar = _grammar(language)
    except LookupError:
        return None
    kinds = filter(grammar.node_kind_is_named, range(grammar.node_kind_count))
    return derive_rules(language, filter(None, map(grammar.node_kind_for_id, kinds)))


@cache
def _grammar(name: str) -> Language:
    return get_language(name)  # type: ignore[arg-type]


def _root(rules: Rules, lines: Lines, within: SyntaxNode | None) -> SyntaxNode | None:
    """The tree's root, of the whole text or of one node's stretch of it."""
    parser = Parser(_grammar(rules.grammar))
    if within is not None:
        node = cast("Range", within)
        parser.included_ranges = [Range(node.start_point, node.end_point, node.start_byte, node.end_byte)]
    tree = parser.parse(lines.data)
    return cast("SyntaxNode", tree.root_node)
