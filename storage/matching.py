"""Exact text and regular expressions against a chunk's lines; both stores match with this and nothing else.

Also here: the literal a match cannot do without, by which a store may leave chunks out unread.
"""

from __future__ import annotations

import re
import re._constants as sre  # type: ignore[import-not-found]  # private: no stubs
import re._parser as sre_parser  # type: ignore[import-not-found]
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import regex

from storage.chunk import Chunk
from storage.errors import InvalidPatternError
from storage.store import Match, Matches, Pattern

MAX_PATTERN_CHARS = 4096  # nobody writes a longer one by hand; the compiler's time and memory grow with it

# Characters that other characters become in lower case only sometimes, or that a match without case also equates
# with one outside ASCII (ı and i, ſ and s): no prefilter may rest on them.
_CASE_EXCEPTIONS = frozenset("iIsS")


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that every match contains, as it stands in the chunk or, ``lowered``, in the chunk's lower-case form."""

    text: str
    lowered: bool = False


class Matcher(Protocol):
    """Finds a pattern's lines in a text."""

    @property
    def literal(self) -> Literal | None:
        """What every matching chunk contains, or None where nothing is certain."""
        ...

    def offsets(self, content: str) -> Iterable[int]:
        """0-based lines of ``content`` on which there is a match, ascending. Raises TimeoutError after the deadline."""
        ...


def compile_pattern(pattern: Pattern) -> Matcher:
    """A matcher whose time starts now.

    Raises InvalidPatternError where the pattern is empty, longer than MAX_PATTERN_CHARS, or no regular expression.
    """
    if not 0 < len(pattern.text) <= MAX_PATTERN_CHARS:
        raise InvalidPatternError(
            f"The pattern has {len(pattern.text)} characters; 1 to {MAX_PATTERN_CHARS} are allowed: change it."
        )
    deadline = time.monotonic() + pattern.timeout_s
    if pattern.is_regex:
        return _RegexMatcher(_compiled(pattern), required_literal(pattern.text, pattern.ignore_case), deadline)
    return _ExactMatcher(pattern.text, pattern.ignore_case, deadline)


def matched_lines(matcher: Matcher, chunk: Chunk) -> tuple[int, ...]:
    """The file's 1-based lines on which ``chunk`` matches, ascending; empty where it does not."""
    return tuple(chunk.start_line + offset for offset in matcher.offsets(chunk.content))


def first_matches(tried: Iterator[tuple[Chunk, tuple[int, ...]]], limit: int) -> Matches:
    """The first ``limit`` of ``tried`` chunks that have lines, until one more is seen or the time is over."""
    found: list[Match] = []
    try:
        for chunk, lines in tried:
            if lines and len(found) >= limit:
                return Matches(tuple(found), complete=False)
            if lines:
                found.append(Match(chunk, lines))
    except TimeoutError:
        return Matches(tuple(found), complete=False)
    return Matches(tuple(found), complete=True)


class _ExactMatcher:
    """Text as it is; one that spans lines matches on all of them."""

    def __init__(self, text: str, ignore_case: bool, deadline: float) -> None:
        self._needle = text.lower() if ignore_case else text
        self._ignore_case, self._deadline = ignore_case, deadline

    @property
    def literal(self) -> Literal:
        return Literal(self._needle, lowered=self._ignore_case)

    def offsets(self, content: str) -> list[int]:
        _check(self._deadline)
        content = content.lower() if self._ignore_case else content
        height = self._needle.count("\n") + 1
        lines: set[int] = set()
        line, counted = 0, 0
        at = content.find(self._needle)
        while at >= 0:
            line += content.count("\n", counted, at)
            counted = at
            lines.update(range(line, line + height))
            at = content.find(self._needle, at + 1)
        return sorted(lines)


class _RegexMatcher:
    """A regular expression, asked of each line by itself."""

    def __init__(self, compiled: regex.Pattern[str], literal: Literal | None, deadline: float) -> None:
        self._compiled, self._deadline = compiled, deadline
        self.literal = literal

    def offsets(self, content: str) -> list[int]:
        return [at for at, line in enumerate(content.split("\n")) if self._matches(line)]

    def _matches(self, line: str) -> bool:
        left = _check(self._deadline)
        # concurrent: other threads run meanwhile, so that a slow pattern stalls nobody else.
        return self._compiled.search(line, timeout=left, concurrent=True) is not None


def _check(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _compiled(pattern: Pattern) -> regex.Pattern[str]:
    try:
        return regex.compile(pattern.text, regex.IGNORECASE if pattern.ignore_case else 0)
    except regex.error as error:
        raise _invalid(pattern.text, str(error)) from error
    except (RecursionError, OverflowError, MemoryError, ValueError, KeyError, IndexError) as error:
        raise _invalid(pattern.text, str(error) or "too deeply nested") from error


def _invalid(text: str, reason: str) -> InvalidPatternError:
    shown = text if len(text) <= 80 else text[:77] + "..."
    return InvalidPatternError(
        f"{shown!r} is not a regular expression: {reason}; correct it, or search in exact mode for it as text."
    )


def required_literal(text: str, ignore_case: bool) -> Literal | None:
    """The longest run of plain characters, two or more, that every match of the expression contains; or None.

    Reads the standard library's parse. Where that parser refuses what ``regex`` accepts, nothing is certain.
    """
    if _has_brace_extension(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = sre_parser.parse(text)
    except (sre.error, RecursionError, OverflowError):
        return None
    lowered = ignore_case or bool(tree.state.flags & sre.SRE_FLAG_IGNORECASE)
    runs = [_usable(run) if lowered else run for run in _runs(tree)]
    best = max(runs, key=len, default="")
    return Literal(best, lowered) if len(best) >= 2 else None


def _has_brace_extension(text: str) -> bool:
    """Whether some ``{`` begins something other than a count: ``regex`` reads ``{e<=1}`` as "nearly"."""
    return re.search(r"\{(?![\d,])", text) is not None


def _runs(tree: Any) -> list[str]:
    """Runs of literal characters that stand in every match, in order."""
    runs = [""]
    for code, argument in tree:
        if code is sre.LITERAL:
            runs[-1] += chr(argument)
            continue
        runs += [*_inner_runs(code, argument), ""]
    return runs


def _inner_runs(code: Any, argument: Any) -> list[str]:
    if code is sre.SUBPATTERN:
        _, added, removed, inner = argument
        return [] if added or removed else _runs(inner)
    if code in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        least, _, inner = argument
        return _runs(inner) if least else []
    return []


def _usable(run: str) -> str:
    """The longest part of a run that a lower-case text contains whenever the run matches without case."""
    plain = "".join(char.lower() if char.isascii() and char not in _CASE_EXCEPTIONS else "\n" for char in run)
    return max(plain.split("\n"), key=len)
