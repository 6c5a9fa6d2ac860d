"""Word forms: what an English ending adds is taken off, so that "parsing", "parser" and "parsed" meet. Pure.

Lighter and blunter than Porter's stemmer: one ending goes, the longest that leaves three letters. Terms of code are
short and technical; what matters is that an index and a query are cut alike, not that a stem is a word.
"""

from __future__ import annotations

from functools import lru_cache

LEAST_STEM = 3  # letters that must remain: "used" and "uses" stay apart from "us"
_ENDINGS = tuple(
    sorted(
        (  # noqa: SIM905 - as a list it would be fifty lines
            "izations ization ational ations ation ators ator ating ates ated ate ities ity ments ment ances ance "
            "ences ence ables able ibles ible ings ing ions ion ors or ers er ies ied ives ive als al ics ic es ed ly "
            "s e"
        ).split(),
        key=len,
        reverse=True,
    )
)
_VOWELS = frozenset("aeiou")
_DOUBLED = frozenset("bdfgmnprtz")  # "mapping", "formatter", "running"; not the l and s of "call" and "pass"


_INNER = ("ment", "ion", "al")  # what may stand before another ending: implement-ed, version-ed, option-al


@lru_cache(maxsize=1 << 16)
def stem(term: str) -> str:
    """``term`` (lower case) without its ending; short terms, numbers and other scripts stay as they are."""
    if len(term) <= LEAST_STEM or not (term.isascii() and term.isalpha()):
        return term
    return _without_y(_single(_without(_INNER, _without(_ENDINGS, term))))


def _without(endings: tuple[str, ...], term: str) -> str:
    """The term without the first of ``endings`` it has, where enough remains."""
    for ending in endings:
        if term.endswith(ending) and len(term) - len(ending) >= LEAST_STEM and not _belongs(term, ending):
            return term[: -len(ending)]
    return term


def _belongs(term: str, ending: str) -> bool:
    """Whether the ending is the word's own: "class", "status", "analysis"."""
    return ending == "s" and term[-2] in "sui"


def _single(stemmed: str) -> str:
    doubled = len(stemmed) > LEAST_STEM and stemmed[-1] == stemmed[-2] and stemmed[-1] in _DOUBLED
    return stemmed[:-1] if doubled else stemmed


def _without_y(stemmed: str) -> str:
    """One stem for "retry" and "retries"; "delay" keeps its letter, since "delays" does."""
    loose = len(stemmed) > LEAST_STEM and stemmed[-1] == "y" and stemmed[-2] not in _VOWELS
    return stemmed[:-1] if loose else stemmed
