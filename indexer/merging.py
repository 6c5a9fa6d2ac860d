"""Which neighbouring pieces become one chunk, and what that chunk is then called.

A function keeps a chunk of its own. What is too small to stand alone (imports, constants, one-line definitions, the
brace that closes a class) shares one, and the most important definition in it gives the name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from indexer.units import SHELLS, TYPES, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from indexer.lines import Lines
    from indexer.pieces import Limits, Piece

CRUMB_CHARS = 40  # up to here a stretch without a definition says nothing alone: a brace, a tag, a pragma


def merge(pieces: Iterable[Piece], lines: Lines, limits: Limits) -> list[Piece]:
    """Pieces without rows give their names to the one before; tiny ones join a neighbour."""
    merged: list[Piece] = []
    for piece in pieces:
        if piece.first > piece.last:
            merged[-1:] = [_with_names(before, piece) for before in merged[-1:]]
        elif merged and _join(merged[-1], piece, lines, limits):
            merged[-1] = _together(merged[-1], piece)
        else:
            merged.append(piece)
    return merged


def _join(a: Piece, b: Piece, lines: Lines, limits: Limits) -> bool:
    """Whether b is better off in one chunk with a."""
    if not limits.hold(lines, a.first, b.last):
        return False
    if b.role == "joined" or _crumbs(a, b, lines):
        return True
    if b.role == "tail":
        return b.tiny
    if not (a.end is b.start or _enters(a, b) or _goes_on(a, b)):
        return False
    sizes = _Sizes(lines.chars(a.first, a.last), lines.chars(b.first, b.last), lines.chars(a.first, b.last), limits)
    return _definition_takes(a, b, sizes) if a.kind else _loose_takes(a, b, sizes)


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Characters of two pieces and of both together."""

    a: int
    b: int
    both: int
    limits: Limits

    @property
    def values(self) -> bool:
        """Whether two constants or properties should share a chunk."""
        return self.b <= self.limits.tiny or (self.b <= self.limits.chars // 6 and self.both <= self.limits.shared)


def _crumbs(a: Piece, b: Piece, lines: Lines) -> bool:
    """Whether one of the two is nearly nothing (``}``, ``<?php``, ``return M``) and would find no better place."""
    if not b.kind and b.role not in {"lead", "head"} and lines.chars(b.first, b.last) <= CRUMB_CHARS:
        return True
    return not a.kind and b.start.within(a.end) and lines.chars(a.first, a.last) <= CRUMB_CHARS


def _enters(a: Piece, b: Piece) -> bool:
    """Whether a is the beginning of an opened unit and b lies deeper in it."""
    return a.role == "head" and not a.kind and a.end.depth > 0 and b.start.within(a.end)


def _goes_on(a: Piece, b: Piece) -> bool:
    """Whether both are statements of one function: the rest of a loop, and what follows the loop."""
    return not (a.kind or b.kind or b.role == "head") and a.end.same_definition(b.start)


def _loose_takes(a: Piece, b: Piece, sizes: _Sizes) -> bool:
    """Whether statements, comments or the head of a unit take in what follows."""
    if not b.kind:
        return True
    if b.kind in VALUES:
        return sizes.values
    if _title_weight(a) == 3:
        return b.tiny and sizes.both <= sizes.limits.shared
    return sizes.a <= sizes.limits.tiny


def _definition_takes(a: Piece, b: Piece, sizes: _Sizes) -> bool:
    """Whether a definition takes in the one after it, or the statements after it."""
    if not b.kind:
        return a.kind in VALUES or (b.tiny and b.role != "lead")
    if a.kind == b.kind == "key":
        return True
    if a.kind in VALUES and b.kind in VALUES:
        return sizes.values
    return a.tiny and b.tiny and sizes.both <= sizes.limits.shared


def _with_names(before: Piece, rest: Piece) -> Piece:
    """A piece together with definitions on its last row."""
    winner = rest if rest.kind and not before.kind and _weight(rest) > _weight(before) else before
    return replace(before, kind=winner.kind, path=winner.path, defines=before.defines + rest.defines)


def _together(a: Piece, b: Piece) -> Piece:
    """One piece, named after the weightier of the two, and after the first of equals."""
    winner = b if _outweighs(b, a) else a
    kind, path = winner.kind, winner.path
    if a.kind == b.kind == "key" and a.scope.path:
        kind, path = "", ""
    return replace(
        a,
        last=b.last,
        scope=winner.scope if not kind else a.scope,
        end=a.end if b.role == "tail" else b.end,
        kind=kind,
        path=path,
        defines=a.defines + b.defines,
        tiny=a.tiny and b.tiny,
    )


def _outweighs(b: Piece, a: Piece) -> bool:
    """Whether b gives the name: one line of a class gives way to the method below it that fills the chunk."""
    if not a.kind and _title_weight(a) > 1:
        return _weight(b) > 1 and (b.role == "head" or not b.tiny)
    return _weight(b) > _weight(a) or (not a.kind and _weight(b) > 1 and not b.tiny)


def _weight(piece: Piece) -> int:
    """How much a piece has to say about the name of a chunk."""
    return _kind_weight(piece.kind) if piece.kind else _title_weight(piece)


def _title_weight(piece: Piece) -> int:
    """The same of the first lines of an opened unit; other statements say nothing."""
    if piece.role != "head":
        return 0
    return 1 if piece.scope.kind in SHELLS else _kind_weight(piece.scope.kind)


def _kind_weight(kind: str) -> int:
    return 0 if not kind else 3 if kind in TYPES else 1 if kind in VALUES else 2
