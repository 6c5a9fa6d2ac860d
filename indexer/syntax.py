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
    from tree_sitter import Language, Tree

    from indexer.definitions.rules import Rules, SyntaxNode
    from indexer.lines import Lines

# Most grammars take at most .5 s for 100 KB of rubbish. These take time that grows with the square (Lua: 9 s for 100 KB
# with every twentieth character missing; 100 KB of brackets alone: more than a minute), and what nobody wrote rules for
# is not trusted either. A larger text of theirs that has errors is cut by its lines. By size, not by the clock: so the
# same file is cut the same way on every machine.
_FRAGILE = frozenset({"lua", "luau", "julia", "scala", "dart", "svelte"})
_FRAGILE_BYTES = 32_000
_UNSAFE = frozenset(
    {"agda", "cobol"}
)  # grammars that crash (a long list) or never end (a Python file) in the pack 0.13
_OPEN_BRACKETS = 500  # more brackets left open than this are no program, but rubbish that some parsers choke on


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


def node_types(grammar: str) -> frozenset[str]:
    """The named node types of a grammar; LookupError where the pack has no such grammar."""
    language = _grammar(grammar)
    kinds = filter(language.node_kind_is_named, range(language.node_kind_count))
    return frozenset(filter(None, map(language.node_kind_for_id, kinds)))


@cache
def _derived(language: str) -> Rules | None:
    if language in _UNSAFE:
        return None
    try:
        return derive_rules(language, sorted(node_types(language)))
    except LookupError:
        return None


@cache
def _grammar(name: str) -> Language:
    return get_language(name)  # type: ignore[arg-type]


def _root(rules: Rules, lines: Lines, within: SyntaxNode | None) -> SyntaxNode | None:
    """The tree's root, of the whole text or of one node's stretch of it."""
    data = lines.data
    if _is_rubbish(data):
        return None
    parser = Parser(_grammar(rules.grammar))
    if within is not None:
        node = cast("Range", within)
        parser.included_ranges = [Range(node.start_point, node.end_point, node.start_byte, node.end_byte)]
    fragile = rules.grammar in _FRAGILE or rules.grammar not in RULES
    if len(data) <= _FRAGILE_BYTES or not fragile:
        return cast("SyntaxNode", parser.parse(data).root_node)
    tree = _tried(parser, data)
    # Trees read through a callback have no text; parsing again along a finished tree costs nearly nothing.
    return cast("SyntaxNode", parser.parse(data, old_tree=tree).root_node) if tree else None


def _tried(parser: Parser, data: bytes) -> Tree | None:
    """The tree, or None as soon as there is an error in it."""
    try:
        return parser.parse(
            lambda offset, _: data[offset : offset + 65_536], progress_callback=lambda _, has_error: has_error
        )
    except ValueError:  # what the parser raises where the callback stopped it
        return None


def _is_rubbish(data: bytes) -> bool:
    """Whether brackets are opened without end."""
    return any(abs(data.count(one) - data.count(other)) > _OPEN_BRACKETS for one, other in (b"()", b"[]", b"{}"))
