"""Word forms: which meet and which do not."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from storage.ranking.words import _SPELLED_OUT, LEAST_STEM, stem


@pytest.mark.parametrize(
    "forms",
    [
        "parse parses parsed parser parsers parsing",
        "validate validates validated validating validation validations validator validators",
        "route routes routed router routers routing",
        "map maps mapped mapper mapping mappings",
        "run runs runner running",
        "cache caches cached caching",
        "query queries queried",
        "connect connected connection connections connector",
        "configure configured configuration config cfg",
        "context contexts ctx",
        "parameter parameters param params",
        "authenticate authentication authenticator authorize authorization auth",
        "message messages msg msgs",
        "initialize initialized initialization init",
        "class classes",
        "process processes processing processor",
        "call calls called caller calling",
        "set sets setter setting settings",
        "index indexes indexed indexer indexing",
    ],
)
def test_forms_of_one_word_meet(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1


@pytest.mark.parametrize(
    "words",
    [
        "parse part parent",
        "route root rotate",
        "used us",
        "class clasp clash",
        "call cache",
        "token take task",
        "server session serial",
        "author auth",
        "error err_",
        "color column col",
        "minor minimum mine",
        "state statement",
        "import export report",
        "encode decode",
        "thread three",
        "ring bring thing",
        "index indent",
    ],
)
def test_different_words_stay_apart(words: str) -> None:
    assert len({stem(word) for word in words.split()}) == len(words.split())


@pytest.mark.parametrize(
    "term",
    ["a", "is", "us", "ids", "bed", "ion", "42", "256", "sha256", "2ed", "http2s", "été", "größes", "数据库", "αβγes"],
)
def test_short_terms_numbers_and_other_scripts_stay_as_they_are(term: str) -> None:
    assert stem(term) == term


@pytest.mark.parametrize(("term", "left"), [("pass", "pass"), ("formatter", "format"), ("added", "add")])
def test_a_doubled_letter_goes_only_where_an_ending_doubled_it(term: str, left: str) -> None:
    assert stem(term) == left


@given(st.text() | st.text(alphabet="abcdeginorstvyz", min_size=1, max_size=14))
def test_a_stem_begins_its_term_and_keeps_enough_of_it(term: str) -> None:
    stemmed = stem(term)
    assume(stemmed not in _SPELLED_OUT.values())  # "param" is "parameter"
    assert term.startswith(stemmed)
    assert len(stemmed) >= min(len(term), LEAST_STEM)
    assert stem.__wrapped__(term) == stemmed


@pytest.mark.parametrize(
    "forms",
    [
        "array arrays",
        "delay delays",
        "query querying queries",
        "copy copying",
        "retry retrying retries",
        "implement implemented implementation",
        "document documentation",
        "version versioned",
        "option optional",
        "status statuses",
    ],
)
def test_one_ending_behind_another_is_taken_off_too(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1
