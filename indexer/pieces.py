"""Units into pieces of bearable size: which units are opened, and which stay whole.

Everything is decided from rows, sizes and kinds; no text is looked at and nothing is parsed. What is then merged with
its neighbour: merging.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from indexer.units import CONTAINERS, NAMESPACES, SYMBOLS, Unit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from indexer.lines import Lines
    from indexer.units import Outline

MAX_DEPTH = 100  # units inside units that are opened; what lies deeper is cut by its lines
# Kept free in a full piece, so that the rows that close it ("    }", "}") still fit: characters, and estimated tokens.
CLOSING_CHARS = 30
CLOSING_TOKENS = 8
CONTEXT_CHARS = 240  # of signature lines repeated above an inner piece: two or three lines


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a piece may get."""

    chars: int
    tokens: int

    @property
    def tiny(self) -> int:
        """Definitions of up to this many characters may share a piece: an alias, a getter, a prototype."""
        return self.chars // 8

    @property
    def shared(self) -> int:
        """Several tiny definitions together stay below this, so that one embedding can still speak for them all."""
        return self.chars // 2

    def hold(self, lines: Lines, first: int, last: int) -> bool:
        """Whether the rows may be one piece; a single row always may."""
        if first == last:
            return True
        return lines.chars(first, last) <= self.chars and lines.tokens(first, last) <= self.tokens


@dataclass(frozen=True, slots=True)
class Scope:
    """An opened unit: what its pieces are called and what is repeated above them."""

    parent: Scope | None
    path: str = ""
    kind: str = ""
    first: int = 0  # the row of the innermost signature in the context
    context: str = ""
    depth: int = 0

    def context_of(self, first: int, last: int) -> str:
        """The signatures that a piece does not show itself."""
        here = self
        while here.parent is not None and first <= here.first <= last:
            here = here.parent
        return here.context

    def same_definition(self, other: Scope) -> bool:
        """Whether both are inside the same definition, if not in the same of its loops."""
        return self.first == other.first and self.path == other.path

    def within(self, other: Scope) -> bool:
        """Whether the other is this scope or around it."""
        here: Scope | None = self
        while here is not None and here.depth > other.depth:
            here = here.parent
        return here is other


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows that will be one chunk unless a neighbour joins them; no rows at all where only names are left over."""

    first: int
    last: int
    scope: Scope  # names what has no definition of its own
    start: Scope  # that of the first row, and
    end: Scope  # that of the last: others where a neighbour outside or further inside was merged in
    kind: str = ""  # "" where it defines nothing itself
    path: str = ""
    defines: tuple[str, ...] = ()
    role: str = ""  # "head": begins an opened unit; "tail": ends one; "lead": a comment; "joined": its row was taken
    tiny: bool = False

    @property
    def context(self) -> str:
        """The signatures around it that it does not show itself."""
        return self.start.context_of(self.first, self.last)


def cut(outline: Outline, lines: Lines, limits: Limits) -> Iterator[Piece]:
    """All non-blank rows of a text, in order, each in one piece.

    None is larger than the limits allow, but for a single row that is.
    """
    return _Cutter(outline, lines, limits).pieces()


@dataclass(frozen=True, slots=True)
class _Task:
    unit: Unit
    scope: Scope
    role: str


class _Cutter:
    """One walk over the units of a file, from the outside in; with a stack, so that depth costs no recursion."""

    def __init__(self, outline: Outline, lines: Lines, limits: Limits) -> None:
        self._outline = outline
        self._lines = lines
        self._limits = Limits(limits.chars - CLOSING_CHARS, limits.tokens - CLOSING_TOKENS)
        self._next_row = 0
        self._opened: tuple[str, ...] = ()  # names of units that were opened and whose first row is not out yet

    def pieces(self) -> Iterator[Piece]:
        root = self._outline.root
        tasks = self._inside(root, Scope(None)) or [_Task(root, Scope(None), "head")]
        while tasks:
            task = tasks.pop()
            first, last = self._lines.trim(max(task.unit.first, self._next_row), task.unit.last)
            if first > last or self._whole(task.unit, first, last):
                yield self._piece(task, first, last)
                self._next_row = max(self._next_row, last + 1)
                continue
            inside = self._open(task)
            tasks.extend(inside)
            if not inside:
                yield from self._by_lines(task, first, last)

    def _whole(self, unit: Unit, first: int, last: int) -> bool:
        return first == last or (unit.kind not in NAMESPACES and self._limits.hold(self._lines, first, last))

    def _piece(self, task: _Task, first: int, last: int) -> Piece:
        unit, scope = task.unit, task.scope
        names = self._opened + self._defines(unit)
        if unit.opens and not unit.kind:
            unit = self._named_inside(unit)
        role = "joined" if unit.first < self._next_row else task.role or ("lead" if unit.leads else "")
        self._opened = ()
        path = join_path(scope.path, unit.name)
        tiny = self._lines.chars(first, last) <= self._limits.tiny
        return Piece(first, last, scope, scope, scope, unit.kind, path, names, role, tiny)

    def _named_inside(self, unit: Unit) -> Unit:
        """A group that is kept whole is called after the first definition in it."""
        stack = [unit]
        while stack:
            part = stack.pop()
            if part.kind:
                return replace(unit, kind=part.kind, name=part.name)
            if part.opens:
                stack.extend(reversed(self._outline.parts(part)))
        return unit

    def _open(self, task: _Task) -> list[_Task]:
        """What is inside, last first; nothing where that would be no progress."""
        if task.scope.depth >= MAX_DEPTH or task.unit.source is None:
            return []
        scope = self._scope(task)
        inside = self._inside(task.unit, scope)
        if inside and task.unit.name:
            self._opened += (simple_name(task.unit),)
        return inside

    def _inside(self, unit: Unit, scope: Scope) -> list[_Task]:
        """The parts and the rows between them, last first."""
        found: list[_Task] = []
        row = unit.first
        parts = self._outline.parts(unit)
        for part in parts:
            if part.first > row:
                found.append(_Task(Unit(row, part.first - 1), scope, "" if found else "head"))
            found.append(_Task(part, scope, "" if found else "head"))
            row = max(row, part.last + 1)
        if parts and row <= unit.last:
            found.append(_Task(Unit(row, unit.last), scope, "tail"))
        found.reverse()
        return found

    def _scope(self, task: _Task) -> Scope:
        unit, parent = task.unit, task.scope
        if not unit.kind:
            return replace(parent, parent=parent, depth=parent.depth + 1)
        first, last = self._outline.signature(unit)
        signature = self._lines.text(first, min(last, first + 3))[:CONTEXT_CHARS].rstrip()
        context = f"{parent.context}\n{signature}" if parent.context else signature
        path = join_path(parent.path, unit.name)
        return Scope(parent, path, unit.kind, first, context[-CONTEXT_CHARS:], parent.depth + 1)

    def _defines(self, unit: Unit) -> tuple[str, ...]:
        """The unit's own name and those of its members, but nothing from inside functions."""
        if not (unit.kind or unit.opens):
            return ()
        names: list[str] = []
        stack = [unit]
        while stack:
            part = stack.pop()
            if part.name:
                names.append(simple_name(part))
            if part.source is not None and (part.opens or part.kind in CONTAINERS):
                stack.extend(reversed(self._outline.parts(part)))
        return tuple(names)

    def _by_lines(self, task: _Task, first: int, last: int) -> Iterator[Piece]:
        """A stretch without inner boundaries: cut at blank rows where they are not too early, else where it is full."""
        scope = self._scope(task) if task.unit.kind else task.scope
        if task.unit.name:
            self._opened += (simple_name(task.unit),)
        while first <= last:
            end = _end_of_full(self._lines, first, last, self._limits)
            yield self._piece(_Task(Unit(first, end), scope, "head"), *self._lines.trim(first, end))
            first = self._next_row = end + 1


def _end_of_full(lines: Lines, first: int, last: int, limits: Limits) -> int:
    """The last row of a piece that begins at ``first`` and is as full as it may be."""
    end = first
    blank = -1
    while end < last and limits.hold(lines, first, end + 1):
        end += 1
        if lines.blank[end]:
            blank = end
    if end < last and blank > first and lines.chars(first, blank) * 2 >= limits.chars:
        return blank
    return end


def join_path(path: str, name: str) -> str:
    """A name below a path; either may be empty."""
    return f"{path}/{name}" if path and name else path or name


def simple_name(unit: Unit) -> str:
    """The last part of a name that may state its scope; a title or a key may have slashes of its own."""
    return unit.name.rpartition("/")[2] if unit.kind in SYMBOLS else unit.name
