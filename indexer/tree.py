"""A syntax tree as units: definitions, what leads to them, and the stretches between them.

A tree is looked at from the outside in and only as deep as somebody asks: most functions fit into a chunk and are never
opened. Positions of nodes are bytes; units have rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from indexer.definitions.rules import Found, Rules, SyntaxNode, field_name
from indexer.units import CALLABLES, TYPES, VALUES, Unit

if TYPE_CHECKING:
    from indexer.lines import Lines

_REMARK_ROWS = 3  # a comment of up to so many rows speaks of the statement below it; licences are longer
_NAME_LENGTH = 120  # characters of a name that are kept; a grammar's "name" may be a whole expression
_WITH_MEMBERS = TYPES - {"module"}  # a function in a module is still called a function

Embed = Callable[[str, SyntaxNode], "tuple[Rules, SyntaxNode] | None"]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a unit is in a tree: one node, or several that are one definition (a signature and its equations)."""

    rules: Rules
    nodes: tuple[SyntaxNode, ...]


class TreeOutline:
    """Units of a parsed file; ``embed`` parses a node's stretch in another language."""

    __slots__ = ("_embed", "_lines", "root")

    def __init__(self, rules: Rules, root: SyntaxNode, lines: Lines, embed: Embed) -> None:
        self._lines = lines
        self._embed = embed
        self.root = Unit(0, len(lines) - 1, opens=True, source=_Place(rules, (root,)))

    def parts(self, unit: Unit) -> Sequence[Unit]:
        """Definitions and the stretches between them, directly inside a unit."""
        place = cast("_Place | None", unit.source)
        if place is None:
            return ()
        if len(place.nodes) > 1:
            return [self._loose(place.rules, node) for node in place.nodes]
        node = _inner(place.rules, place.nodes[0]) if unit.kind else place.nodes[0]
        return self._units(_children(place.rules, node, self._embed), unit)

    def signature(self, unit: Unit) -> tuple[int, int]:
        """From the definition's own first row to the one before its body, or to the body's where they share it."""
        place = cast("_Place", unit.source)
        node = _inner(place.rules, place.nodes[0])
        row = self._lines.row_at(node.start_byte)
        body = node.child_by_field_name("body") or _first_body(place.rules, node)
        if body is None or body.start_byte <= node.start_byte:
            return row, row
        return row, max(row, self._lines.row_before(body.start_byte))

    def _units(self, children: Iterator[tuple[Rules, SyntaxNode]], inside: Unit) -> list[Unit]:
        """The children as units, each definition together with the comments directly above it."""
        units: list[Unit] = []
        above: Unit | None = None
        for rules, node in children:
            unit = self._unit(rules, node, inside)
            if above and not _leads_to(above, unit):
                units.append(above)
                above = None
            if above:
                unit = replace(unit, first=above.first)
            above = None
            if unit.leads and not (units and units[-1].last >= unit.first):
                above = unit
                continue
            if units and _continues(rules, units[-1], unit, node):
                unit = _joined(units.pop(), unit)
            units.append(unit)
        return [*units, above] if above else units

    def _unit(self, rules: Rules, node: SyntaxNode, inside: Unit) -> Unit:
        """One child: a definition, or a stretch that may belong to the next one (a comment) or hold some (a group)."""
        found = _definition(rules, node)
        owner = inside.kind or inside.owner
        local = inside.local or inside.kind in CALLABLES or not (inside.kind or inside.opens)
        first, last = self._rows(node)
        place = _Place(rules, (node,))
        if found and not (local and found.kind in VALUES):
            kind, name = _kind_in(rules, found, owner), found.name[:_NAME_LENGTH]
            return Unit(first, last, kind, name, owner=owner, local=local, source=place)
        word = node.type
        opens = word in rules.groups or word in rules.wrappers or word in rules.embedded
        return Unit(first, last, opens=opens, leads=word in rules.leading, owner=owner, local=local, source=place)

    def _loose(self, rules: Rules, node: SyntaxNode) -> Unit:
        """One of several nodes that make a definition."""
        first, last = self._rows(node)
        return Unit(first, last, local=True, source=_Place(rules, (node,)))

    def _rows(self, node: SyntaxNode) -> tuple[int, int]:
        start, end = node.start_byte, node.end_byte
        return self._lines.row_at(start), self._lines.row_at(max(start, end - 1))


def _children(rules: Rules, node: SyntaxNode, embed: Embed) -> Iterator[tuple[Rules, SyntaxNode]]:
    """Named children, with bodies replaced by what is in them and other languages by their own trees."""
    stack = [(rules, child, node) for child in reversed(node.named_children)]
    while stack:
        rules, child, parent = stack.pop()
        other = _embedded(rules, child, parent, embed)
        if other is not None:
            rules, child = other
        if other is not None or child.type in rules.bodies:
            stack.extend([(rules, grandchild, child) for grandchild in reversed(child.named_children)])
        else:
            yield rules, child


def _embedded(rules: Rules, node: SyntaxNode, parent: SyntaxNode, embed: Embed) -> tuple[Rules, SyntaxNode] | None:
    if parent.type not in rules.embedded or node.type != "raw_text":
        return None
    language = rules.embedded[parent.type](parent)
    return embed(language.kind, node) if language else None


def _definition(rules: Rules, node: SyntaxNode) -> Found | None:
    """What a node defines, seen through its wrappers; one that wraps several definitions is none itself."""
    node = _inner(rules, node)
    rule = rules.definitions.get(node.type)
    if rule is None:
        return None
    if not isinstance(rule, str):
        return rule(node)
    name = field_name(node)
    return Found(rule, name) if name else None


def _inner(rules: Rules, node: SyntaxNode) -> SyntaxNode:
    """The one definition inside wrappers, or the wrapper itself."""
    while node.type in rules.wrappers:
        inside = [
            child for child in node.named_children if child.type in rules.wrappers or child.type in rules.definitions
        ]
        if len(inside) != 1:
            return node
        node = inside[0]
    return node


def _kind_in(rules: Rules, found: Found, owner: str) -> str:
    """The kind that a definition has as a member of what it is in."""
    if owner not in _WITH_MEMBERS:
        return "function" if found.kind == "constructor" and "/" not in found.name else found.kind
    if found.kind in {"function", "method"}:
        return "constructor" if found.name in rules.constructors else "method"
    return "property" if found.kind == "variable" else found.kind


def _leads_to(above: Unit, unit: Unit) -> bool:
    """Whether a comment belongs to what is below it; a long one over a mere statement is the file's, not its own."""
    return above.last + 1 >= unit.first and bool(unit.kind or unit.leads or above.last - above.first < _REMARK_ROWS)


def _continues(rules: Rules, before: Unit, unit: Unit, node: SyntaxNode) -> bool:
    """Whether a unit belongs to the definition before it: its body, or its next equation or overload."""
    if node.type in rules.following:
        return bool(before.kind)
    same = unit.kind in CALLABLES and unit.kind == before.kind != "test" and unit.name == before.name
    return same and unit.first <= before.last + 1


def _joined(before: Unit, unit: Unit) -> Unit:
    """Two units as one definition."""
    places = cast("_Place", before.source), cast("_Place", unit.source)
    return replace(
        before, last=max(before.last, unit.last), source=_Place(places[0].rules, places[0].nodes + places[1].nodes)
    )


def _first_body(rules: Rules, node: SyntaxNode) -> SyntaxNode | None:
    return next((child for child in node.named_children if child.type in rules.bodies), None)
