"""One member put into a JSON file, changed or taken out: text to text, every other byte as it was."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from mcp_server.clients.jsonc import Member, Node

_REST = re.compile(r"[ \t]*(?=\r?\n)")
_WHITE = " \t\r\n"  # what JSON calls white space; a comment may end with some that Unicode knows besides


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written: one level of indentation, and what ends a line."""

    indent: str = "  "
    newline: str = "\n"


def layout_of(text: str, root: Node | None = None) -> Layout:
    """The layout a text has, or the usual one where it shows none."""
    newline = "\r\n" if "\r\n" in text else "\n"
    margins = (
        [_margin(text, member.start) for member in root.members if _begins_line(text, member.start)] if root else []
    )
    return Layout(next((margin for margin in margins if margin), "  "), newline)


def rendered(value: Any, layout: Layout, margin: str = "") -> str:
    """JSON with an object's members on lines of their own; lists in one line, as people write arguments."""
    if not isinstance(value, dict) or not value:
        return json.dumps(value, ensure_ascii=False)
    inner = margin + layout.indent
    members = [f"{inner}{_quoted(key)}: {rendered(item, layout, inner)}" for key, item in value.items()]
    end = layout.newline
    return "{" + end + f",{end}".join(members) + end + margin + "}"


def inserted(text: str, parent: Node, key: str, value: Any, layout: Layout) -> str:
    """``text`` with a new last member in the object ``parent``."""
    if not parent.members:
        return _into_empty(text, parent, key, value, layout)
    last = parent.members[-1]
    at = _behind(text, parent.end - 1)
    comma = "," if last.comma is None else ""
    if "\n" in text[parent.start : parent.end]:
        margin = _margin(text, last.start)
        lead, piece = layout.newline + margin, f"{_quoted(key)}: {rendered(value, layout, margin)}"
    else:
        lead, piece = " ", f"{_quoted(key)}: {json.dumps(value, ensure_ascii=False)}"
    end = "" if comma else ","
    return text[: last.node.end] + comma + text[last.node.end : at] + lead + piece + end + text[at:]


def _into_empty(text: str, parent: Node, key: str, value: Any, layout: Layout) -> str:
    at = _behind(text, parent.end - 1)
    margin = _margin(text, parent.start)
    inner = margin + layout.indent
    piece = f"{layout.newline}{inner}{_quoted(key)}: {rendered(value, layout, inner)}"
    closing = "" if "\n" in text[at : parent.end] else layout.newline + margin
    return text[:at] + piece + closing + text[at:]


def replaced(text: str, node: Node, value: Any, layout: Layout) -> str:
    """``text`` with another value in the place of ``node``."""
    one_line = "\n" not in text.strip()
    new = json.dumps(value, ensure_ascii=False) if one_line else rendered(value, layout, _margin(text, node.start))
    return text[: node.start] + new + text[node.end :]


def removed(text: str, parent: Node, member: Member) -> str:
    """``text`` without ``member``, the white space in front of it and the comma that it needed."""
    index = parent.members.index(member)
    is_last = index == len(parent.members) - 1
    start = _behind(text, member.start)
    end = member.node.end if member.comma is None else member.comma + 1
    if "//" in _line_of(text, start) and not text[end:].lstrip(" \t").startswith(("\r", "\n")):
        start = member.start  # the line in front may end with a comment, which would swallow what follows
    head, tail = text[:start], text[end:]
    if is_last and index and member.comma is None:
        comma = parent.members[index - 1].comma
        assert comma is not None
        head = head[:comma] + head[comma + 1 :]
    if len(parent.members) == 1 and not text[parent.start + 1 : start].strip() and tail.lstrip(_WHITE).startswith("}"):
        return text[: parent.start + 1] + tail.lstrip(_WHITE)
    return head + tail


def _behind(text: str, end: int) -> int:
    """Where the last thing before ``end`` is over, be it a comment, with the white space that ends its line."""
    at = len(text[:end].rstrip(_WHITE))
    rest = _REST.match(text, at, end)
    return rest.end() if rest else at


def _line_of(text: str, end: int) -> str:
    return text[text.rfind("\n", 0, end) + 1 : end]


def _margin(text: str, at: int) -> str:
    """The white space that the line of ``at`` begins with."""
    line = _line_of(text, at)
    return line[: len(line) - len(line.lstrip())]


def _begins_line(text: str, at: int) -> bool:
    return not _line_of(text, at).strip() and "\n" in text[:at]


def _quoted(key: str) -> str:
    return json.dumps(key, ensure_ascii=False)
