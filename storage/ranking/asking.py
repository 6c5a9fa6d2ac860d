"""What a query asks for: its terms, the names in it, whether it is one name, which places it speaks of. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from storage.ranking.places import Place
from storage.ranking.terms import fold, query_terms, split_identifier

# Words that mean "that place is wanted, do not put it behind", also inside a name: "test_parse_config".
_PLACE_WORDS = {
    Place.TEST: "test tests tested testing spec specs fixture fixtures mock mocks assert asserts assertion",
    Place.EXAMPLE: "example examples sample samples demo demos bench benchmark benchmarks tutorial docs",
    Place.PROSE: "doc docs documentation readme changelog guide guides license licence markdown "
    "css html json yaml toml xml",
    Place.LEGACY: "deprecated deprecate deprecation legacy compat compatibility obsolete",
    Place.STUB: "stub stubs typings declarations",
}
_WORD = re.compile(r"[^\W\d]\w*")
# An identifier shows itself inside prose: an underscore, a capital after a small letter, a capital first letter.
_CODE_LIKE = re.compile(r"\w_\w|[a-z\d][A-Z]|^[A-Z]")


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, understood."""

    terms: frozenset[str]  # stemmed, as the text index has them
    names: frozenset[str]  # folded identifiers (fold): "HTTPServer", "http_server" and "httpserver" are one
    is_name: bool  # the whole query is one name: "ZodError", "gin.Context", "src/app.py"
    wanted: frozenset[Place]


@lru_cache(maxsize=256)
def understand(text: str) -> Asked:
    """What ``text`` asks for."""
    words = _WORD.findall(text)
    is_name = len(text.split()) == 1
    names = {fold(word) for place, word in enumerate(words) if is_name or _names_code(word, first=place == 0)}
    parts = {part for word in words for part in split_identifier(word)}
    wanted = frozenset(place for place, telling in _PLACE_WORDS.items() if not parts.isdisjoint(telling.split()))
    return Asked(frozenset(query_terms(text)), frozenset(names - {""}), is_name, wanted)


def _names_code(word: str, *, first: bool) -> bool:
    """Whether a word in prose is an identifier; a sentence's first word may be capitalised for being first."""
    if len(word) < 2 or (first and word.istitle()):
        return False
    return _CODE_LIKE.search(word) is not None
