"""Text a query repeats word for word, in quotation marks, from an error or out of code; and how much of it a chunk has.

Pairs of neighbouring words are compared, so that a message is found whatever was filled in between: most pairs of
``unknown queue 'mail'; configured are ['default']`` stand in ``f"unknown queue {name!r}; configured are {names}"``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r'"([^"\n]{3,})"|`([^`\n]{3,})`|(?<!\w)\'([^\'\n]{3,})\'(?!\w)')
# What prose hardly has: a message after a few words and a colon, a call, an index, an assignment, a block.
_LITERAL = re.compile(r"\s*(?:\S+\s+){0,3}\S+:\s|.*(?:\w[(\[]\S|\w\(\)|[{};]|\s[-+*/|&]?=|=>|==)", re.DOTALL)

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Repeated:
    """The pairs of words that a query repeats, and how much of the query they are, 0 to 1."""

    pairs: frozenset[Pair] = frozenset()
    part: float = 0.0

    def share(self, content: str) -> float:
        """How much of the query ``content`` has word for word, 0 to 1."""
        return self.part * len(self.pairs & _pairs(content, alone=True)) / max(1, len(self.pairs))


def repeated(query: str, *, literal: bool = False) -> Repeated:
    """What stands in quotation marks; all of a message, of a piece of code, and where the query is known ``literal``.

    Of a single quoted word it and itself are the pair. Prose and names repeat nothing.
    """
    quoted = [next(filter(None, found)) for found in _QUOTED.findall(query)]
    if literal or (len(query.split()) > 1 and _LITERAL.match(query)):
        quoted = [query]
    words = sum(len(_WORD.findall(text)) for text in quoted)
    return Repeated(frozenset().union(*map(_pairs, quoted)), words / max(1, len(_WORD.findall(query))))


def _pairs(text: str, *, alone: bool = False) -> frozenset[Pair]:
    """Neighbouring words; with ``alone``, or where there is but one, each word with itself."""
    words = _WORD.findall(text.lower())
    single = zip(words, words, strict=True) if alone or len(words) == 1 else ()
    return frozenset((*pairwise(words), *single))
