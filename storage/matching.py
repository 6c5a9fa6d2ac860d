"""Exact text and regular expressions against a chunk's lines; both stores match with this and nothing else.

A matcher also names a literal that no match can do without, by which a store may leave chunks out unread.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Protocol

import regex

from storage.chunk import Chunk
from storage.errors import InvalidPatternError
from storage.expressions import Literal, may_be_tried_on_many_lines, required_literal
from storage.store import Match, Matches, Pattern

MAX_PATTERN_CHARS = 4096  # nobody writes a longer one by hand; the compiler's time and memory grow with it


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
        return _RegexMatcher(pattern, deadline)
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

    def __init__(self, pattern: Pattern, deadline: float) -> None:
        self.literal = required_literal(pattern.text, pattern.ignore_case)
        self._line = _compiled(pattern)
        self._lines = _compiled(pattern, regex.MULTILINE) if may_be_tried_on_many_lines(pattern.text) else None
        self._deadline = deadline

    def offsets(self, content: str) -> list[int]:
        # Most chunks match nowhere. A search with a deadline costs 2 µs before it looks at anything, so that asking
        # every line of 10,000 chunks takes 250 ms, and asking every chunk first 26.
        if self._lines is not None and not self._matches(self._lines, content):
            return []
        return [at for at, line in enumerate(content.split("\n")) if self._matches(self._line, line)]

    def _matches(self, compiled: regex.Pattern[str], text: str) -> bool:
        left = _check(self._deadline)
        # concurrent: other threads run meanwhile, so that a slow pattern stalls nobody else.
        return compiled.search(text, timeout=left, concurrent=True) is not None


def _check(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _compiled(pattern: Pattern, flags: int = 0) -> regex.Pattern[str]:
    try:
        return regex.compile(pattern.text, flags | (regex.IGNORECASE if pattern.ignore_case else 0))
    except regex.error as error:
        raise _invalid(pattern.text, str(error)) from error
    except (RecursionError, OverflowError, MemoryError, ValueError, KeyError, IndexError) as error:
        raise _invalid(pattern.text, str(error) or "too deeply nested") from error


def _invalid(text: str, reason: str) -> InvalidPatternError:
    shown = text if len(text) <= 80 else text[:77] + "..."
    return InvalidPatternError(
        f"{shown!r} is not a regular expression: {reason}; correct it, or search in exact mode for it as text."
    )
