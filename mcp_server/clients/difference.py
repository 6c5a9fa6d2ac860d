"""What is shown of a change: what comes and goes, and nothing beside it, for people keep keys in these files. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

LINE_SHOWN = 200  # characters
LEFT_OUT = "…"
OPENING, CLOSING = "{[,\n", "}],\n"  # what a value that changes is shown between
STRUCTURE = re.compile(r"[{}\[\],\n]")  # a change without any is one within a value


def shown(before: str, after: str, secrets: Iterable[str] = ()) -> str:
    """What goes behind "-" and what comes behind "+", by the line of the new text; ``secrets`` in quotes are not."""
    lines = [masked(line, secrets) for line in _changes(before.splitlines(), after.splitlines())]
    return "\n".join(line if len(line) <= LINE_SHOWN else f"{line[:LINE_SHOWN]}..." for line in lines)


def masked(line: str, secrets: Iterable[str]) -> str:
    """A line without these words, however they are quoted."""
    for secret in secrets:
        for quoted in (json.dumps(secret, ensure_ascii=False), json.dumps(secret), f"'{secret}'"):
            line = line.replace(quoted, f'"{LEFT_OUT}"')
    return line


def _changes(old: list[str], new: list[str]) -> Iterator[str]:
    head = _alike(old, new)
    tail = min(_alike(old[::-1], new[::-1]), len(old) - head, len(new) - head)
    old, new = old[head : len(old) - tail], new[head : len(new) - tail]
    for tag, first, last, now, until in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield f"@@ line {head + now + 1} @@"
            yield from _pieces("\n".join(old[first:last]), "\n".join(new[now:until]))


def _pieces(old: str, new: str) -> Iterator[str]:
    """Both texts without what they begin and end with alike; of a value that changes, all of it."""
    start = _alike(old, new)
    end = min(_alike(old[::-1], new[::-1]), len(old) - start, len(new) - start)
    if not STRUCTURE.search(old[start : len(old) - end] + new[start : len(new) - end]):
        start = max(old.rfind(letter, 0, start) for letter in OPENING) + 1
        behind = old[len(old) - end :]
        end = len(behind) - min((at for letter in CLOSING if (at := behind.find(letter)) >= 0), default=len(behind))
    for sign, text in (("-", old), ("+", new)):
        if start + end < len(text):
            yield from (f"{sign}{line}" for line in _between(text, start, len(text) - end).split("\n"))


def _between(text: str, start: int, stop: int) -> str:
    """A part of a text, with the margin of its first line, and a mark where its lines have more."""
    lead = text[text.rfind("\n", 0, start) + 1 : start]
    margin = lead[: len(lead) - len(lead.lstrip())]
    rest = text[stop:].partition("\n")[0]
    return f"{margin}{LEFT_OUT if lead.strip() else ''}{text[start:stop]}{LEFT_OUT if rest.strip() else ''}"


def _alike(one: str | list[str], other: str | list[str]) -> int:
    """How many of their first items are the same."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
