"""The address of lines of a file, ``code://{+path}{?start,end}`` (RFC 6570), read and written. Pure.

What stands between ``code://`` and the first ``/`` is a host to whoever parses it as an address (RFC 3986): some
clients write hosts in small letters, and not every name can be one. So where a path's first name cannot, a ``/`` is put
before it, and what comes without one is also looked for in other letters (mcp_server/offers/source_lines.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from mcp_server.errors import RequestError

SCHEME = "code://"
TEMPLATE = "code://{+path}{?start,end}"
STATUS = "codeloupe://status"  # the one other address that is served

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]*|\.[A-Za-z0-9._~-]*[A-Za-z0-9]")
_LINE = re.compile(r"[0-9]{1,9}")
_NAMES = ("start", "end")
LONGEST_PATH = 4_096  # characters; no system opens a file by more, and each directory on the way costs as much again
_SHOWN = 300  # characters of what was asked for, in a sentence


@dataclass(frozen=True, slots=True)
class CodeUri:
    """Lines of a file: all of them without ``start``, to the last one without ``end``."""

    path: str  # decoded, as it stands after "code://"; not checked in any way
    start: int | None = None  # 1-based
    end: int | None = None  # 1-based, inclusive, not before ``start``


def parse_code_uri(uri: str) -> CodeUri:
    """What ``uri`` asks for. An empty ``start`` or ``end`` is none. Raises RequestError with the thing to change."""
    if not uri[: len(SCHEME)].lower() == SCHEME:
        raise RequestError(f"{uri[:_SHOWN]!r} is nothing that can be read here; there are {TEMPLATE} and {STATUS}.")
    encoded, _, query = uri[len(SCHEME) :].partition("?")
    try:
        path = unquote(encoded, errors="strict")
    except UnicodeDecodeError as error:
        raise RequestError(f"{uri[:_SHOWN]!r} is not UTF-8, percent-encoded; encode its path so.") from error
    if not path.strip("/"):
        raise RequestError(f"{uri[:_SHOWN]!r} names no file; write {TEMPLATE}, the path as search answers show it.")
    if len(path) > LONGEST_PATH:
        raise RequestError(f"A path of {len(path):,} characters names no file; {LONGEST_PATH:,} is the most.")
    lines = _lines(query)
    start, end = lines.get("start"), lines.get("end")
    if end is not None and end < (start or 1):
        raise RequestError(f"end is {end}, before start={start}; lines are counted from 1 and end is one of them.")
    return CodeUri(path, start, end)


def code_uri(path: str, start: int | None = None, end: int | None = None) -> str:
    """The address of these lines; ``parse_code_uri`` reads the same from it, but for a ``/`` before the path."""
    given = zip(_NAMES, (start, end), strict=True)
    query = "&".join(f"{name}={line}" for name, line in given if line is not None)
    return f"{SCHEME}{_lead(path)}{quote(path)}" + (f"?{query}" if query else "")


def path_variable(path: str) -> str:
    """What to put for ``path`` into the template, which leaves ``?``, ``#`` and what is encoded as they are."""
    return _lead(path) + re.sub("[%?#]", lambda sign: quote(sign[0]), path)


def _lead(path: str) -> str:
    return "" if path.startswith("/") or _HOST.fullmatch(path.partition("/")[0]) else "/"


def _lines(query: str) -> dict[str, int]:
    """The lines that a query names."""
    found: dict[str, int] = {}
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        if name not in _NAMES:
            raise RequestError(f"{name[:_SHOWN]!r} is no part of {TEMPLATE}; in a path write %3F for a question mark.")
        if value:
            found[name] = _line(name, value)
    return found


def _line(name: str, value: str) -> int:
    if not _LINE.fullmatch(value) or int(value) == 0:
        raise RequestError(f"{name} is {value[:_SHOWN]!r}; give the number of a line, from 1.")
    return int(value)
