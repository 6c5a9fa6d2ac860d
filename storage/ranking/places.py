"""Where a file stands in a project, by path and language, and what that is worth to who asks for code. Pure.

Tests, examples and prose speak of everything the code does, in the asker's own words, so they would come before it.
They are put behind unless the query speaks of them (storage/ranking/asking.py).
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache


class Place(StrEnum):
    """What a file is to its project."""

    CODE = "code"
    TEST = "test"
    EXAMPLE = "example"
    PROSE = "prose"  # documents, markup, data
    LEGACY = "legacy"
    STUB = "stub"  # declarations without bodies


# What a hit's score is multiplied by; docs/ranking.md has what each is worth.
PLACE_WEIGHT = {
    Place.CODE: 1.0,
    Place.TEST: 0.35,
    Place.EXAMPLE: 0.4,
    Place.PROSE: 0.4,
    Place.LEGACY: 0.7,
    Place.STUB: 0.7,
}

_TEST = re.compile(
    r"(?:^|/)(?:[\w.-]*[._-])?(?:[Tt]ests?|[Ss]pecs?|__tests__|testdata|[Ff]ixtures?|[Mm]ocks?|__mocks__|e2e)(?:[._-][\w.-]*)?/"
    r"|androidTest/"
    r"|(?:^|/)(?:test_[^/]*|tests?\.[^/]+|conftest\.[^/]*|[^/]*[._-](?:test|tests|spec)\.[^/]+)$"
    r"|[a-z\d](?:Tests?|Spec|TestCase)\.[a-z]+$"
)
_EXAMPLE = re.compile(r"(?:^|/)_?(?:examples?|samples?|demos?|bench(?:es|marks?)?|docs|tutorials?)/", re.IGNORECASE)
_LEGACY = re.compile(r"(?:^|/)(?:deprecated|legacy|compat|obsolete|old)(?:/|[._-])", re.IGNORECASE)
_STUB = re.compile(r"\.(?:d\.[cm]?ts|pyi)$")
_PROSE_LANGUAGES = frozenset(
    (  # noqa: SIM905 - as a list it would be twenty lines
        "text markdown rst org typst latex bibtex html xml css scss json yaml toml ini properties po requirements "
        "gomod gosum gitattributes"
    ).split()
)


@lru_cache(maxsize=1 << 14)
def place_of(file_path: str, language: str) -> Place:
    """What the file is; the first that fits, the one that is put furthest behind first."""
    if _TEST.search(file_path):
        return Place.TEST
    if language in _PROSE_LANGUAGES:
        return Place.PROSE
    if _EXAMPLE.search(file_path):
        return Place.EXAMPLE
    if _LEGACY.search(file_path):
        return Place.LEGACY
    return Place.STUB if _STUB.search(file_path) else Place.CODE
