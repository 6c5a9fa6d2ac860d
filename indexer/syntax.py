"""Trees into units: the only file that knows tree-sitter.

A tree is looked at from the outside in, and only as deep as somebody asks: most functions fit into a chunk and are
never opened. Positions of nodes are bytes; units have rows.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from tree_sitter import Parser
from tree_sitter_language_pack import get_language

from indexer.definitions import RULES
from indexer.definitions.derived import derive_rules
from indexer.definitions.rules import Found, Rules, field_name
from indexer.units import CALLABLES, TYPES, VALUES, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tree_sitter import Language, Node

    from indexer.definitions.rules import SyntaxNode
    from indexer.lines import Lines

_NAME_LENGTH = 120  # characters of a name that are kept; a grammar's "name" may be a whole expression


def parse(language: str, lines: Lines) -> SyntaxOutline | None:
    """The outline of a text in a language, or None where the pack has no grammar for it or parsing was given up."""
    rules = _rules(language)
    if rules is None:
        return None
    root = Parser(_grammar(rules.grammar)).parse(lines.data).root_node
    return SyntaxOutline(root, rules, lines)


@cache
def _grammar(name: str) -> Language:
    return get_language(name)  # type: ignore[arg-type]


@cache
def _rules(language: str) -> Rules | None:
    """Our own rules, or rules derived from the grammar of that name."""
    if language in RULES:
        return RULES[language]
    try:
        grammar = _grammar(language)
    except LookupError:
        return None
    kinds = range(grammar.node_kind_count)
    named = (grammar.node_kind_for_id(kind) for kind in kinds if grammar.node_kind_is_named(kind))
    return derive_rules(language, filter(None, named))


class SyntaxOutline:
    """Units of a parsed file."""

    __slots__ = ("_lines", "_rules", "root")

    def __init__(self, root: Node, rules: Rules, lines: Lines) -> None:
        self._rules = rules
        self._lines = lines
        self.root = Unit(0, len(lines) - 1, source=root)

    def parts(self, unit: Unit) -> Sequence[Unit]:
        """Definitions and the stretches between them, directly inside a unit."""
        node = cast("Node", unit.source)
        if node is None:
            return ()
        if unit.kind:
            node = self._inner(node)
        local = unit.local or unit.kind in CALLABLES
        return self._units(node, local=local, member=unit.kind in TYPES)

    def signature(self, unit: Unit) -> tuple[int, int]:
        """From the definition's own first row to the one before its body, or to the body's where they share it."""
        node = self._inner(cast("Node", unit.source))
        row = self._lines.row_at(node.start_byte)
        body = node.child_by_field_name("body") or _first_body(node, self._rules)
        if body is None or body.start_byte <= node.start_byte:
            return row, row
        return row, max(row, self._lines.row_before(body.start_byte))

    def _inner(self, node: Node) -> Node:
        """The definition inside its wrappers."""
        while node.type in self._rules.wrappers:
            inside = next((c for c in node.named_children if self._defines(c)), None)
            if inside is None:
                return node
            node = inside
        return node

    def _defines(self, node: Node) -> bool:
        return node.type in self._rules.wrappers or node.type in self._rules.definitions

    def _units(self, node: Node, *, local: bool, member: bool) -> list[Unit]:
        """The children as units, each definition together with what leads to it."""
        units: list[Unit] = []
        pending: Unit | None = None  # comments that may belong to the next definition
        for child in self._children(node):
            first, last = self._rows(child)
            if pending and pending.last + 1 < first:
                units.append(pending)
                pending = None
            if child.type in self._rules.leading and not (units and units[-1].last >= first):
                pending = Unit(pending.first if pending else first, last, leads=True)
                continue
            first = pending.first if pending else first
            pending = None
            units.append(self._unit(child, first, last, local=local, member=member))
        return [*units, pending] if pending else units

    def _unit(self, node: Node, first: int, last: int, *, local: bool, member: bool) -> Unit:
        found = self._found(node)
        if found is None or (local and found.kind in VALUES):
            return Unit(first, last, opens=node.type in self._rules.groups, local=local, source=node)
        kind = found.kind
        if member and kind == "function":
            kind = "constructor" if found.name in self._rules.constructors else "method"
        return Unit(first, last, kind, found.name[:_NAME_LENGTH], local=local, source=node)

    def _found(self, node: Node) -> Found | None:
        node = self._inner(node)
        rule = self._rules.definitions.get(node.type)
        if rule is None:
            return None
        if not isinstance(rule, str):
            return rule(cast("SyntaxNode", node))
        name = field_name(cast("SyntaxNode", node))
        return Found(rule, name) if name else None

    def _children(self, node: Node) -> Iterator[Node]:
        """Named children, with bodies replaced by what is in them."""
        stack = list(reversed(node.named_children))
        while stack:
            child = stack.pop()
            if child.type in self._rules.bodies:
                stack.extend(reversed(child.named_children))
            else:
                yield child

    def _rows(self, node: Node) -> tuple[int, int]:
        start, end = node.byte_range
        return self._lines.row_at(start), self._lines.row_at(max(start, end - 1))


def _first_body(node: Node, rules: Rules) -> Node | None:
    return next((child for child in node.named_children if child.type in rules.bodies), None)
