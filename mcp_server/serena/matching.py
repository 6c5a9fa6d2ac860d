"""Which of a file's symbols a hit belongs to: by its name, else by its place. Pure.

The index names things by its own parsers, Serena by those of a language server. They agree on most, and differ in known
ways: an overload's number (``send[1]``), a receiver (``(*Server).Start``), parameters (``def push(socket, event)``), a
generic's arguments, a namespace one of them leaves out. A chunk may also be a part of a long function, several short
definitions together, or code between definitions. So a hit is matched

1. by its whole name path; of several of that name, by the lines they share,
2. by its own name alone, however it is written, among the symbols that share lines with it,
3. by its place: the innermost symbol around its lines. Only where those lines are still what the index has of them, and
   where, if the hit is named, that symbol is one of those the hit's name path says it is in: a file that changed since
   must not make a hit somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mcp_server.serena.nouns import Lines, Symbol

BY_NAME, BY_POSITION = "name", "position"

_OVERLOAD = re.compile(r"\[\d+\]$")
_RECEIVER = re.compile(r"^\([^()]*\)\.?")  # Go's "(*Server).Start"
_PARAMETERS = re.compile(r"[(#].*$", re.DOTALL)  # "push(socket)", Erlang's "create_user#4"
_ARGUMENTS = re.compile(r"<[^<>]*>")
_IDENTIFIER = re.compile(r"[^\W\d]\w*(?:[!?]|=(?!=))?")


@dataclass(frozen=True, slots=True)
class Place:
    """What of a hit decides."""

    name_path: str
    lines: Lines
    unmoved: bool  # whether the file has at these lines what the index has


@dataclass(frozen=True, slots=True)
class Match:
    """The symbol and how it was found, or the reason there is none."""

    symbol: Symbol | None
    by: str = ""
    reason: str = ""


def match(place: Place, symbols: Sequence[Symbol]) -> Match:
    """The symbol of ``symbols``, all those of one file, that the hit belongs to."""
    named = _nearest(place, [symbol for symbol in symbols if parts_of(symbol.name_path) == parts_of(place.name_path)])
    named = named or _innermost(symbol for symbol in _sharing(place, symbols) if _same_name(place, symbol))
    if named is not None:
        return Match(named, BY_NAME)
    around = _innermost(symbol for symbol in symbols if place.lines in symbol.lines)
    if not place.unmoved:
        return Match(None, reason=f"Lines {place.lines} are not what the index has of them: the file changed since.")
    if around is None:
        return Match(None, reason=_nothing_there(place))
    if place.name_path and simple_name(around.name_path) not in set(map(simple_name, parts_of(place.name_path))):
        return Match(None, reason=f"Serena knows lines {place.lines} as {around.name_path}, not as {place.name_path}.")
    return Match(around, BY_POSITION)


def defined_as(wanted: str, name_path: str) -> bool:
    """Whether a name path ends in the names wanted, however they are written: "Store/load" in "app/Store/load"."""
    parts = wanted.split("/")
    return [simple_name(part) for part in parts_of(name_path)][-len(parts) :] == parts


def parts_of(name_path: str) -> tuple[str, ...]:
    """The names along a path, without overloads' numbers; none for ""."""
    return tuple(_OVERLOAD.sub("", part) for part in name_path.split("/")) if name_path else ()


def simple_name(name: str) -> str:
    """The bare name of what a language server writes: its last identifier, or all of it where it has none."""
    last = _OVERLOAD.sub("", name.rpartition("/")[2])
    bare = _PARAMETERS.sub("", _RECEIVER.sub("", last))
    while bare != (bare := _ARGUMENTS.sub("", bare)):
        pass
    found = _IDENTIFIER.findall(bare)
    return found[-1] if found else last


def _same_name(place: Place, symbol: Symbol) -> bool:
    return bool(place.name_path) and simple_name(symbol.name_path) == simple_name(place.name_path)


def _sharing(place: Place, symbols: Iterable[Symbol]) -> list[Symbol]:
    return [symbol for symbol in symbols if symbol.lines.shared_with(place.lines)]


def _nearest(place: Place, symbols: Sequence[Symbol]) -> Symbol | None:
    """Of symbols of one name the one that shares most lines, else the one least far away."""
    return max(
        symbols, key=lambda one: (one.lines.shared_with(place.lines), -one.lines.gap_to(place.lines)), default=None
    )


def _innermost(symbols: Iterable[Symbol]) -> Symbol | None:
    """The smallest; of equals the deepest, which comes last."""
    return min(reversed(list(symbols)), key=lambda symbol: len(symbol.lines), default=None)


def _nothing_there(place: Place) -> str:
    if place.name_path:
        return f"Serena knows no symbol {place.name_path} in this file, and none around lines {place.lines}."
    return f"No symbol is around lines {place.lines}: they stand between definitions."
