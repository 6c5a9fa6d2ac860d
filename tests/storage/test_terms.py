"""Identifiers and text into terms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.ranking.terms import (
    MAX_QUERY_TERMS,
    MAX_TERM_CHARS,
    index_terms,
    query_terms,
    split_identifier,
    text_terms,
)
from tests.storage.samples import make_file


@pytest.mark.parametrize(
    ("word", "terms"),
    [
        ("parseConfig", "parse config parseconfig"),
        ("HTTPServer", "http server httpserver"),
        ("http_server", "http server httpserver"),
        ("XMLHttpRequest2", "xml http request 2 xmlhttprequest2"),
        ("SCREAMING_CASE", "screaming case screamingcase"),
        ("__init__", "init"),
        ("sha256sum", "sha 256 sum sha256sum"),
        ("x", "x"),
        ("42", "42"),
        ("_", ""),
        ("getÉtat", "get état getétat"),
        ("ΑΒΓδε", "αβ γδε αβγδε"),
        ("数据库", "数据 据库"),
        ("数", "数"),
        ("load数据库", "load 数据库 load数据库 数据 据库"),
        ("İstanbul", "i̇stanbul"),
    ],
)
def test_an_identifier_gives_its_parts_and_itself(word: str, terms: str) -> None:
    assert list(split_identifier(word)) == terms.split()


def test_a_chunk_is_found_by_its_text_its_path_and_the_names_it_stands_under() -> None:
    chunk = make_file("src/netIo/server.py", "bind(port)").chunks[0]
    assert index_terms(chunk).split() == ["bind", "port", "src", "net", "io", "netio", "serv", "py", "/server"]


def test_a_question_keeps_its_telling_words() -> None:
    assert query_terms("How is the HTTPServer started?") == ["http", "serv", "httpserv", "start"]


def test_a_query_of_asking_words_alone_keeps_them() -> None:
    assert query_terms("what is it") == ["what", "is", "it"]


def test_a_page_of_text_asks_for_a_bounded_number_of_terms() -> None:
    assert len(query_terms(" ".join(f"word{n}x" for n in range(100_000)))) == MAX_QUERY_TERMS


def test_encoded_data_gives_no_giant_terms() -> None:
    assert all(len(term) <= MAX_TERM_CHARS for term in text_terms("A" * 5000 + " " + "ab1" * 900))


@given(st.text())
def test_terms_hold_no_white_space_and_no_capitals_that_have_a_small_form(text: str) -> None:
    for term in text_terms(text):
        assert term
        assert term.split() == [term]
        assert term == term.lower() or term.lower() == term.lower().lower()


@given(st.text(alphabet="abcXYZ_019é数\n .(", max_size=40))
def test_what_a_text_holds_a_query_for_it_asks(text: str) -> None:
    assert set(query_terms(text)) <= set(text_terms(text))
