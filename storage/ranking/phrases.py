"""Text a query repeats word for word, in quotation marks, from an error or out of code; and how much of it a chunk has.

Pairs of neighbouring words are compared, so that a message is found whatever was filled in between: most pairs of
``unknown queue 'mail'; configured are ['default']`` stand in ``f"unknown queue {name!r}; configured are {names}"``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r'"([^"\n]{3,})"|`([^`\n]{3,})`|(?<!\w)\'([^\'\n]{3,})\'(?!\w)')
# What prose hardly has: a message behind a colon, a call, an assignment, a block.
_LITERAL = re.compile(r"\w[\])\"']?:\s|[({;=\[]")

Pair = tuple[str, str]


@lru_cache(maxsize=256)
def asked_pairs(query: str) -> frozenset[Pair]:
    """The pairs of what ``query`` repeats; none where it is prose or a name. Of a single quoted word, it and itself."""
    if len(query.split()) < 2 and not _QUOTED.search(query):
        return frozenset()
    quoted = [next(filter(None, found)) for found in _QUOTED.findall(query)]
    repeated = [query] if _LITERAL.search(query) else quoted
    return frozenset().union(*map(_pairs, repeated))


def share(asked: frozenset[Pair], content: str) -> float:
    """How many of the ``asked`` pairs (one at least) ``content`` has, 0 to 1."""
    return len(asked & _pairs(content, alone=True)) / len(asked)


def _pairs(text: str, *, alone: bool = False) -> frozenset[Pair]:
    """Neighbouring words; with ``alone``, or where there is but one, each word with itself."""
    words = _WORD.findall(text.lower())
    single = zip(words, words, strict=True) if alone or len(words) == 1 else ()
    return frozenset((*pairwise(words), *single))
