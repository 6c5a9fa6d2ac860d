"""Text a query repeats word for word, in quotation marks, from an error or out of code; and how much of it a chunk has.

Pairs of neighbouring words are compared, so that a message is found whatever was filled in between: most pairs of
``unknown queue 'mail'; configured are ['default']`` stand in ``f"unknown queue {name!r}; configured are {names}"``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from storage.ranking.terms import ASKING

_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r'"([^"\n]{3,})"|“([^”\n]{3,})”|`([^`\n]{3,})`|(?<!\w)\'([^\'\n]{3,})\'(?!\w)')
_MESSAGE = re.compile(r"\s*(\w*)\S*(?:\s+\S+){0,3}?:\s")  # a few words and a colon
_SIGN = re.compile(r"[(){}\[\];=<>+*|&]|->")
_ENDS_CODE = re.compile(r"[;{}):]\s*$")

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
    if literal or _is_literal(query):
        quoted = [query]
    words = sum(len(_WORD.findall(text)) for text in quoted)
    return Repeated(frozenset().union(*map(_pairs, quoted)), words / max(1, len(_WORD.findall(query))))


def _is_literal(query: str) -> bool:
    """Whether all of it is a message or code: prose about ``parse(config)`` has other words, too."""
    words = query.split()
    if len(words) < 2:
        return False
    message = _MESSAGE.match(query)
    if message and message[1].lower() not in ASKING:
        return True
    signs = sum(1 for word in words if _SIGN.search(word))
    return 3 * signs > len(words) or (signs > 0 and _ENDS_CODE.search(query) is not None)


def _pairs(text: str, *, alone: bool = False) -> frozenset[Pair]:
    """Neighbouring words; with ``alone``, or where there is but one, each word with itself."""
    words = _WORD.findall(text.lower())
    single = zip(words, words, strict=True) if alone or len(words) == 1 else ()
    return frozenset((*pairwise(words), *single))
