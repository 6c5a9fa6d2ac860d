"""What a query asks for: its terms, the names and paths in it, what it repeats word for word, the places it speaks of.

Nothing decides which kind a query is: prose that quotes a message and names a class has all three. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from storage.ranking.locations import Location, locations
from storage.ranking.phrases import Repeated, repeated
from storage.ranking.places import PROSE_LANGUAGES, Place
from storage.ranking.terms import fold, name_markers, query_terms, split_identifier

# Words that mean "that place is wanted, do not put it behind", also inside a name: "test_parse_config".
_PLACE_WORDS = {
    Place.TEST: "test tests tested testing spec specs fixture fixtures mock mocks assert asserts assertion",
    Place.EXAMPLE: "example examples sample samples demo demos bench benchmark benchmarks tutorial docs",
    Place.PROSE: "doc docs documentation readme changelog guide guides license licence",
    Place.LEGACY: "deprecated deprecate deprecation legacy compat compatibility obsolete",
    Place.STUB: "stub stubs typings declarations",
    Place.GENERATED: "generated codegen protobuf proto",
    Place.VENDORED: "vendor vendored vendoring bundled",
}
_VERSION = re.compile(r"\bv\d+\b")
_WORD = re.compile(r"[^\W\d]\w*")
MOST_NAMES = 32  # of a query: pasted code names hundreds, and each is three terms to look for
# An identifier shows itself inside prose: an underscore, a capital after a small letter, a capital first letter.
_CODE_LIKE = re.compile(r"\w_\w|[a-z\d][A-Z]|^[A-Z]")


@dataclass(frozen=True, slots=True)
class Asked:
    """A query, understood."""

    terms: frozenset[str]  # stemmed, as the text index has them
    names: frozenset[str]  # folded identifiers (fold): "HTTPServer", "http_server" and "httpserver" are one
    spelled: tuple[str, ...]  # the same as they were written, in order, the first MOST_NAMES
    leaf: str  # where the whole query is one name, "ZodError" or "gin.Context", its last part folded; else ""
    wanted: frozenset[Place]
    languages: frozenset[str]  # of documents and data that are named: "yaml", "markdown"
    versions: frozenset[str]  # "v1", "v2"
    locations: tuple[Location, ...]  # paths, perhaps with a line
    repeated: Repeated  # what is quoted, an error's message, a piece of code, a line of a stack trace

    @property
    def is_name(self) -> bool:
        """Whether the whole query is one name, qualified or not."""
        return self.leaf != ""

    @property
    def markers(self) -> list[str]:
        """The index's terms for chunks that define an asked name, and for files that are called so."""
        return name_markers(self.spelled, [location.parts[-1] for location in self.locations if location.is_file])


@lru_cache(maxsize=256)
def understand(text: str) -> Asked:
    """What ``text`` asks for."""
    words = _WORD.findall(text)
    places = locations(text)
    said = repeated(text, literal=any(place.line for place in places))
    is_path = any(place.line or len(place.parts) > 1 for place in places)  # "Mutex.lock" may be a file and is a name
    is_name = len(text.split()) == 1 and bool(words) and not is_path and not said.pairs
    named = (word for place, word in enumerate(words) if is_name or _names_code(word, first=place == 0))
    spelled = tuple(dict.fromkeys(named))[:MOST_NAMES]
    parts = {part for word in words for part in split_identifier(word)}
    wanted = frozenset(place for place, telling in _PLACE_WORDS.items() if not parts.isdisjoint(telling.split()))
    return Asked(
        terms=frozenset(query_terms(text)),
        names=frozenset(map(fold, spelled)) - {""},
        spelled=spelled,
        leaf=fold(words[-1]) if is_name else "",
        wanted=wanted,
        languages=PROSE_LANGUAGES.intersection(word.lower() for word in words) - {"text"},
        versions=frozenset(_VERSION.findall(text.lower())),
        locations=places,
        repeated=said,
    )


def _names_code(word: str, *, first: bool) -> bool:
    """Whether a word in prose is an identifier; a sentence's first word may be capitalised for being first."""
    if len(word) < 2 or (first and word.istitle()):
        return False
    return _CODE_LIKE.search(word) is not None
