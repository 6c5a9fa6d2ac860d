"""Serena's answers, read: JSON as its tools write it into symbols and usages. Pure.

Lines are 0-based there and 1-based here; children are grouped by kind and named without their parents.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from mcp_server.serena.errors import ServerRefusedError
from mcp_server.serena.nouns import Lines, Symbol, Usage

FILE = "File"  # the kind of a whole file, which says nothing of what is in it
REFERENCE_LINE = re.compile(r"^\s*>\s*(\d+):(.*)$")  # marks the line of the reference among those around it

VERSION = "this bridge was written for Serena 2.1: install that version"

Json = dict[str, Any]


def posix(path: str, *, windows: bool = os.name == "nt") -> str:
    r"""A path as the index writes it. A backslash separates on Windows alone: elsewhere it may be part of a name."""
    return path.replace("\\", "/") if windows else path


def symbols_of(answer: str, relative_path: str) -> tuple[Symbol, ...]:
    """All symbols of a file, outer before inner, out of ``find_symbol``'s answer for its whole tree.

    Raises ServerRefusedError where it is none, as from another version of Serena.
    """
    found: list[Symbol] = []
    with _expected():
        for root in _parsed(answer, list):
            if root.get("kind") != FILE:
                found += _with_children(root, str(root.get("name_path", "")), str(root.get("kind", "")), relative_path)
    return tuple(found)


def usages_of(answer: str, *, windows: bool = os.name == "nt") -> tuple[Usage, ...]:
    """Who uses a symbol, out of ``find_referencing_symbols``' answer: ``{path: {kind: [symbol, ...]}}``.

    Raises as ``symbols_of``.
    """
    with _expected():
        return tuple(
            _usage(posix(path, windows=windows), kind, item)
            for path, kinds in _parsed(answer, dict).items()
            for kind, item in _grouped(kinds)
        )


@contextlib.contextmanager
def _expected() -> Iterator[None]:
    """Says of an answer that is JSON, but of another shape within, what to do about it."""
    try:
        yield
    except (AttributeError, TypeError, RecursionError) as error:
        raise ServerRefusedError(f"Serena answered in another form than expected ({error}); {VERSION}.") from error


def _parsed(answer: str, shape: type) -> Any:
    try:
        parsed = json.loads(answer)
    except json.JSONDecodeError as error:
        said = answer.strip().splitlines()[0][:300] if answer.strip() else "nothing"
        raise ServerRefusedError(f"Serena answered {said!r} where JSON was expected; ask for less at once.") from error
    if not parsed:
        return shape()
    if not isinstance(parsed, shape):
        raise ServerRefusedError(
            f"Serena answered {type(parsed).__name__} where {shape.__name__} was expected; {VERSION}."
        )
    return parsed


def _with_children(item: Json, name_path: str, kind: str, relative_path: str) -> Iterator[Symbol]:
    """The symbol, then what is in it; one without a place is passed over, what is in it is not."""
    lines = _lines(item)
    if lines is not None and name_path:
        yield Symbol(relative_path, name_path, kind, lines)
    children = sorted(_grouped(item.get("children") or {}), key=lambda child: _start(child[1]))
    for name, (child_kind, child) in zip(_numbered([_name(child) for _, child in children]), children, strict=True):
        yield from _with_children(child, f"{name_path}/{name}", child_kind, relative_path)


def _grouped(children: Any) -> Iterator[tuple[str, Json]]:
    """(kind, item) of children, grouped or not; an item that is a bare name has no place and is passed over."""
    if isinstance(children, dict):
        for kind, items in children.items():
            yield from ((kind, item) for item in items if isinstance(item, dict))
    else:
        yield from ((str(item.get("kind", "")), item) for item in children if isinstance(item, dict))


def _numbered(names: list[str]) -> list[str]:
    """Names as Serena writes them: those that neighbours share are told apart by their number, in file order."""
    counted, seen = Counter(names), Counter[str]()
    numbered = []
    for name in names:
        numbered.append(f"{name}[{seen[name]}]" if counted[name] > 1 else name)
        seen[name] += 1
    return numbered


def _name(item: Json) -> str:
    return str(item.get("name") or str(item.get("name_path", "")).rpartition("/")[2])


def _start(item: Json) -> int:
    lines = _lines(item)
    return lines.first if lines else 0


def _lines(item: Json) -> Lines | None:
    place = item.get("body_location") or {}
    first, last = place.get("start_line"), place.get("end_line")
    if not isinstance(first, int) or not isinstance(last, int) or not 0 <= first <= last:
        return None
    return Lines(first + 1, last + 1)


def _usage(path: str, kind: str, item: Json) -> Usage:
    around = str(item.get("content_around_reference", ""))
    marked = [REFERENCE_LINE.match(line) for line in around.splitlines()]
    line = next((int(match[1]) + 1 for match in marked if match), 0)
    lines = _lines(item)
    within = Symbol(path, str(item.get("name_path", "")), kind, lines) if lines and kind != FILE else None
    return Usage(path, line, around, within)
