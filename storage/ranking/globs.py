r"""Path globs, as .gitignore writes them, into one regular expression that Python and the table's SQL both read.

``*`` and ``?`` stay within a directory, ``**`` crosses them, ``[a-z]`` and ``[!a-z]`` are sets, ``{ts,tsx}`` are
alternatives, ``\`` makes the next character plain. A glob without a ``/`` before its end means a name anywhere; any
other starts at the root. What names a directory means everything below it: ``src`` and ``src/`` are the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from storage.chunk import Filters
from storage.errors import InvalidPatternError

MAX_GLOB_CHARS = 1000  # longer than any path; keeps the expression within the engines' size limits

_SPECIAL = frozenset(r".^$*+?{}[]\|()")
_SPECIAL_IN_SET = frozenset(r"[]^\&~|")


@lru_cache(maxsize=1024)
def glob_to_regex(glob: str) -> str:
    """A regular expression for the whole of a path, in what Python's ``re`` and Rust's ``regex`` have in common.

    Raises InvalidPatternError where ``glob`` is empty, too long, leaves the root or has an unclosed bracket.
    """
    body = _body(glob)
    anchored = "/" in body.rstrip("/")
    body = body.strip("/")
    if not body or ".." in body.split("/"):
        raise _invalid(glob, "it names nothing under the root")
    return f"{'' if anchored else '(?:.*/)?'}{_Translation(glob, body).regex()}(?:/.*)?"


def path_regexes(filters: Filters) -> tuple[str, str]:
    """What a path must match and what it must not, as two expressions for whole paths; "" asks nothing."""
    wanted = [glob_to_regex(glob) for glob in filters.paths if not glob.startswith("!")]
    unwanted = [glob_to_regex(glob[1:]) for glob in filters.paths if glob.startswith("!")]
    return "|".join(wanted), "|".join(unwanted)


def path_predicate(filters: Filters) -> Callable[[str], bool]:
    """Whether a path passes: it matches a wanted glob, if there are any, and no unwanted one."""
    wanted, unwanted = (re.compile(pattern, re.DOTALL) if pattern else None for pattern in path_regexes(filters))

    def passes(path: str) -> bool:
        return (wanted is None or bool(wanted.fullmatch(path))) and (unwanted is None or not unwanted.fullmatch(path))

    return passes


def plain_prefixes(filters: Filters) -> tuple[str, ...] | None:
    """The directories or files meant, where every wanted glob is just such a path from the root; else None.

    An index on paths answers these without looking at each one.
    """
    wanted = [_body(glob) for glob in filters.paths if not glob.startswith("!")]
    if not all("/" in glob.rstrip("/") and not _SPECIAL & set(glob.replace(".", "")) for glob in wanted):
        return None
    return tuple(glob.strip("/") for glob in wanted)


def _body(glob: str) -> str:
    if not glob or len(glob) > MAX_GLOB_CHARS:
        raise _invalid(glob[:40], f"a glob has 1 to {MAX_GLOB_CHARS} characters")
    return glob.removeprefix("./")


def _invalid(glob: str, reason: str) -> InvalidPatternError:
    return InvalidPatternError(
        f"{glob!r} is not a path glob: {reason}; write it as in .gitignore, such as src/**/*.py."
    )


class _Translation:
    """One pass over a glob, left to right."""

    def __init__(self, glob: str, body: str) -> None:
        self._glob, self._body, self._at, self._depth = glob, body, 0, 0

    def regex(self) -> str:
        out: list[str] = []
        while self._at < len(self._body):
            out.append(self._next())
        if self._depth:
            raise _invalid(self._glob, "a '{' is not closed")
        return f"(?:{''.join(out)})"

    def _next(self) -> str:
        char = self._body[self._at]
        if char == "*":
            return self._stars()
        self._at += 1
        if char == "?":
            return "[^/]"
        if char == "[":
            return self._set()
        if char == "\\":
            return self._escaped()
        if char == "{" or (self._depth and char in ",}"):
            return self._alternatives(char)
        return _plain(char)

    def _stars(self) -> str:
        start = self._at
        while self._body[self._at : self._at + 1] == "*":
            self._at += 1
        before, after = self._body[:start], self._body[self._at : self._at + 1]
        if self._at - start == 1 or (before and not before.endswith("/")) or after not in ("", "/"):
            return "[^/]*"
        if after == "/":  # "**/" also means no directory at all
            self._at += 1
            return "(?:.*/)?"
        return ".*"

    def _set(self) -> str:
        end = self._body.find("]", self._at + 2 if self._body[self._at : self._at + 1] in ("!", "^") else self._at + 1)
        if end < 0:
            raise _invalid(self._glob, "a '[' is not closed")
        content, self._at = self._body[self._at : end], end + 1
        negated = content[0] in "!^"
        members = "".join("\\" + char if char in _SPECIAL_IN_SET else char for char in content[negated:])
        translated = f"[{'^/' if negated else ''}{members}]"
        if "--" in content or not _compiles(translated):
            raise _invalid(self._glob, f"[{content}] is no set of characters")
        return translated

    def _escaped(self) -> str:
        if self._at >= len(self._body):
            raise _invalid(self._glob, "it ends in a backslash")
        self._at += 1
        return _plain(self._body[self._at - 1])

    def _alternatives(self, char: str) -> str:
        self._depth += {"{": 1, ",": 0, "}": -1}[char]
        return {"{": "(?:", ",": "|", "}": ")"}[char]


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _plain(char: str) -> str:
    return "\\" + char if char in _SPECIAL else char
