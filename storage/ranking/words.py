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
            "s y e"
        ).split(),
        key=len,
        reverse=True,
    )
)
_DOUBLED = frozenset("bdfgmnprtz")  # "mapping", "formatter", "running"; not the l and s of "call" and "pass"


@lru_cache(maxsize=1 << 16)
def stem(term: str) -> str:
    """``term`` (lower case) without its ending; short terms, numbers and other scripts stay as they are."""
    if len(term) <= LEAST_STEM or not (term.isascii() and term.isalpha()):
        return term
    for ending in _ENDINGS:
        if term.endswith(ending) and len(term) - len(ending) >= LEAST_STEM and not _is_double_s(term, ending):
            return _single(term[: -len(ending)])
    return _single(term)


def _is_double_s(term: str, ending: str) -> bool:
    return ending == "s" and term.endswith("ss")


def _single(stemmed: str) -> str:
    doubled = len(stemmed) > LEAST_STEM and stemmed[-1] == stemmed[-2] and stemmed[-1] in _DOUBLED
    return stemmed[:-1] if doubled else stemmed
