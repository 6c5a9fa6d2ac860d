"""Which neighbouring pieces become one chunk, and what that chunk is then called.

A function keeps a chunk of its own. What is too small to stand alone (imports, constants, one-line definitions, the
brace that closes a class) shares one, and the most important definition in it gives the name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from indexer.units import SHELLS, TYPES, VALUES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from indexer.lines import Lines
    from indexer.pieces import Limits, Piece


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
    if b.role == "joined":
        return True
    if b.role == "tail":
        return b.tiny
    if a.end is not b.start and not _enters(a, b):
        return False
    if not a.kind:
        return _loose_takes(a, b, lines, limits)
    return _definition_takes(a, b, lines, limits)


def _enters(a: Piece, b: Piece) -> bool:
    """Whether a is the beginning of an opened unit and b lies deeper in it."""
    return a.role == "head" and not a.kind and a.end.depth > 0 and b.start.within(a.end)


def _loose_takes(a: Piece, b: Piece, lines: Lines, limits: Limits) -> bool:
    """Whether statements, comments or the head of a unit take in what follows."""
    if not b.kind:
        return True
    if b.kind in VALUES:
        return b.tiny
    if _title_weight(a) == 3:
        return b.tiny and lines.chars(a.first, b.last) <= limits.shared
    return lines.chars(a.first, a.last) <= limits.tiny


def _definition_takes(a: Piece, b: Piece, lines: Lines, limits: Limits) -> bool:
    """Whether a definition takes in the one after it, or the statements after it."""
    if not b.kind:
        return a.kind in VALUES or (b.tiny and b.role != "lead")
    if a.kind == b.kind == "key":
        return True
    if a.kind in VALUES and b.kind in VALUES:
        return b.tiny
    return a.tiny and b.tiny and lines.chars(a.first, b.last) <= limits.shared


def _with_names(before: Piece, rest: Piece) -> Piece:
    """A piece together with definitions on its last row."""
    winner = rest if rest.kind and not before.kind and _weight(rest) > _weight(before) else before
    return replace(before, kind=winner.kind, path=winner.path, defines=before.defines + rest.defines)


def _together(a: Piece, b: Piece) -> Piece:
    """One piece, named after the weightier of the two, and after the first of equals."""
    winner = b if _weight(b) > _weight(a) else a
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
