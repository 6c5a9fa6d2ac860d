"""JSON as editors keep it, with the place of each member: what an edit needs in order to touch no other byte.

Only reading is here; json_edit.py writes. `lenient` takes comments and trailing commas, as VS Code and Zed do; without
it they are refused, as by the clients that read plain JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

DEEPEST = 100  # levels; a file nested deeper was made by nobody
# Values this deep are read by the standard library where it can: no edit goes there, and a client's own file of
# several megabytes (Claude Code keeps its history in one) is read in a fraction of the time.
PLACES_TO = 3

_GAP = re.compile(r"(?:[ \t\r\n]++|//[^\r\n]*+|/\*(?s:.*?)\*/)*+")
_BLANK = re.compile(r"[ \t\r\n]*+")


class NotJsonError(ValueError):
    """A text that is no JSON; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place: offsets of its first character and behind its last; ``members`` are an object's."""

    value: Any
    start: int
    end: int
    members: tuple[Member, ...] = ()

    def member(self, key: str) -> Member | None:
        """The member of that name; of several the last, as everybody reads it."""
        return next((member for member in reversed(self.members) if member.key == key), None)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an object: where its key begins, its value, and the comma behind it."""

    key: str
    start: int
    node: Node
    comma: int | None = None


def parse(text: str, *, lenient: bool) -> Node:
    """The document in ``text``. Raises NotJsonError."""
    return _Reader(text, lenient=lenient).document()


def is_blank(text: str, *, lenient: bool) -> bool:
    """Whether nothing is there but white space, and comments where they are allowed."""
    return (_GAP if lenient else _BLANK).fullmatch(text) is not None


class _Reader:
    """One pass over a text."""

    def __init__(self, text: str, *, lenient: bool) -> None:
        self.text = text
        self.at = 0
        self.lenient = lenient
        self._gap = (_GAP if lenient else _BLANK).match
        self._decoder = json.JSONDecoder(parse_constant=self._refuse_constant)

    def document(self) -> Node:
        self._skip()
        node = self._value(0)
        self._skip()
        if self.at != len(self.text):
            self._fail("there is something behind its end")
        return node

    def _value(self, depth: int) -> Node:
        if depth > DEEPEST:
            self._fail(f"it is nested more than {DEEPEST} levels deep")
        first = self.text[self.at : self.at + 1]
        bracket = {"{": self._object, "[": self._array}.get(first)
        whole = self._whole() if bracket is None or depth >= PLACES_TO else None
        if whole is not None:
            return whole
        if bracket is None:
            self._fail(f"a value is expected, not {self._here()}")
        return bracket(depth)

    def _whole(self) -> Node | None:
        """The value here as the standard library reads it; None where it cannot."""
        start = self.at
        try:
            value, self.at = self._decoder.raw_decode(self.text, start)
        except (ValueError, RecursionError):
            return None
        return Node(value, start, self.at)

    def _object(self, depth: int) -> Node:
        start = self.at
        read: list[Member] = []

        def member() -> Callable[[int | None], None]:
            key_at, key = self.at, self._key()
            node = self._value(depth + 1)
            return lambda comma: read.append(Member(key, key_at, node, comma))

        self._items("}", member)
        return Node({member.key: member.node.value for member in read}, start, self.at, tuple(read))

    def _array(self, depth: int) -> Node:
        start = self.at
        read: list[Any] = []

        def item() -> Callable[[int | None], None]:
            node = self._value(depth + 1)
            return lambda _: read.append(node.value)

        self._items("]", item)
        return Node(read, start, self.at)

    def _items(self, close: str, read: Callable[[], Callable[[int | None], None]]) -> None:
        """What stands between brackets; each item is told where the comma behind it is."""
        self.at += 1
        self._skip()
        comma: int | None = None
        first = True
        while not self._take(close):
            if comma is None and not first:
                self._fail(f"a comma is expected, not {self._here()}")
            place = read()
            self._skip()
            at = self.at
            comma = at if self._take(",") else None
            place(comma)
            self._skip()
            first = False
        if comma is not None and not self.lenient:
            self.at = comma
            self._fail("a comma stands behind the last item")

    def _key(self) -> str:
        whole = self._whole() if self.text.startswith('"', self.at) else None
        if whole is None:
            self._fail(f"a name in quotation marks is expected, not {self._here()}")
        self._skip()
        if not self._take(":"):
            self._fail(f"a colon is expected, not {self._here()}")
        self._skip()
        return str(whole.value)

    def _take(self, letter: str) -> bool:
        found = self.text.startswith(letter, self.at)
        self.at += len(letter) if found else 0
        return found

    def _skip(self) -> None:
        found = self._gap(self.text, self.at)
        self.at = found.end() if found else self.at

    def _here(self) -> str:
        if self.at >= len(self.text):
            return "the end"
        if self.text.startswith(("//", "/*"), self.at):
            return "a comment"
        return repr(self.text[self.at])

    def _refuse_constant(self, word: str) -> NoReturn:
        raise ValueError(word)

    def _fail(self, reason: str) -> NoReturn:
        line = self.text.count("\n", 0, self.at) + 1
        raise NotJsonError(f"line {line}: {reason}")
