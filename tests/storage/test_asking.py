"""What a query asks for."""

from __future__ import annotations

import pytest

from storage.ranking.asking import MOST_NAMES, understand
from storage.ranking.places import Place


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("ZodError", {"zoderror"}),
        ("http_server", {"httpserver"}),
        ("parse", {"parse"}),
        ("gin.Context", {"gin", "context"}),
        ("std::vector", {"std", "vector"}),
        ("  HTTPServer\n", {"httpserver"}),
        ("refresh_token()", {"refreshtoken"}),
    ],
)
def test_a_query_without_spaces_is_one_name_with_all_its_parts(query: str, names: set[str]) -> None:
    asked = understand(query)
    assert asked.is_name
    assert asked.names == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("where does parseConfig read the file", {"parseconfig"}),
        ("what calls refresh_token of HTTPServer", {"refreshtoken", "httpserver"}),
        ("how is the Session renewed", {"session"}),
        ("HTTPServer startup", {"httpserver"}),
        ("open a socket and wait for 3 seconds", set()),
        ("", set()),
        ("?! ...", set()),
    ],
)
def test_prose_names_what_is_written_as_an_identifier(query: str, names: set[str]) -> None:
    asked = understand(query)
    assert not asked.is_name
    assert asked.names == names


@pytest.mark.parametrize("query", ["Parse the config file", "Where are sockets closed", "Größe und mehr"])
def test_the_capital_that_begins_a_sentence_makes_no_name(query: str) -> None:
    assert understand(query).names == frozenset()


def test_a_sentence_may_begin_with_an_identifier() -> None:
    assert understand("HttpClient retries a request").names == {"httpclient"}


def test_the_spellings_of_one_name_are_one_name() -> None:
    spellings = ["HTTPServer", "http_server", "httpServer", "HTTP_SERVER", "httpserver"]
    assert {understand(spelling).names for spelling in spellings} == {frozenset({"httpserver"})}


def test_terms_are_as_the_index_has_them() -> None:
    assert understand("How are the routes validated?").terms == {"rout", "valid"}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("parse the config", set()),
        ("latest contest winner, protest", set()),
        ("tests of the parser", {Place.TEST}),
        ("how is the cache tested", {Place.TEST}),
        ("fixtures for a store", {Place.TEST}),
        ("where do we assert the order", {Place.TEST}),
        ("an example of streaming", {Place.EXAMPLE}),
        ("benchmarks of search", {Place.EXAMPLE}),
        ("the README says how to install", {Place.PROSE}),
        ("documentation of filters", {Place.PROSE}),
        ("which licence applies", {Place.PROSE}),
        ("deprecated options", {Place.LEGACY}),
        ("backwards compatibility layer", {Place.LEGACY}),
        ("type declarations of the client", {Place.STUB}),
        ("example in the docs of a test", {Place.TEST, Place.EXAMPLE, Place.PROSE}),
    ],
)
def test_a_query_says_which_places_it_wants(query: str, wanted: set[Place]) -> None:
    assert understand(query).wanted == wanted


def test_of_pasted_code_the_first_names_are_looked_for() -> None:
    asked = understand(" ".join(f"loadPage{n}" for n in range(500)))
    assert asked.spelled == tuple(f"loadPage{n}" for n in range(MOST_NAMES))
    assert len(asked.markers) == 3 * MOST_NAMES


def test_a_name_that_ends_as_files_do_is_a_name_as_well() -> None:
    asked = understand("Mutex.lock")
    assert asked.leaf == "lock"
    assert asked.locations
    assert understand("src/app.py").leaf == ""
