from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedding.tables.words import MAX_TOKEN_CHARS, is_token, token_hash, token_hashes, tokens_of, words_of


def tokens(text: str) -> list[str]:
    return [token for word in words_of(text) for token in tokens_of(word)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("parseHTMLPage2", "parse html page 2"),
        ("HTTPServer http_server httpServer", "http server http server http server"),
        ("__init__(self, MAX_SIZE)", "init self max size"),
        ("sha256sum x1y", "sha 256 sum x 1 y"),
        ("Straße größer_als ÉCOLE", "straße größer als école"),
        ("E\u0301cole", "école"),
        ("読み込む file", "読 み 込 む file"),
        ("हिन्दी J\u030c", "हिन्दी \u01f0"),
        ("שלום мирПривет", "שלום мир привет"),
        ("\t() -> {}; // ___", ""),
    ],
)
def test_identifiers_and_words_are_split_into_their_parts(text: str, expected: str) -> None:
    assert " ".join(tokens(text)) == expected


def test_a_key_or_encoded_data_is_no_token() -> None:
    assert tokens("a" * (MAX_TOKEN_CHARS + 1) + " end") == ["end"]
    assert tokens("a" * MAX_TOKEN_CHARS) == ["a" * MAX_TOKEN_CHARS]


def letters(text: str) -> str:
    """Letters and digits alone, without case, taken apart."""
    apart = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in apart if unicodedata.category(letter)[0] in "LN")


@given(st.text(max_size=20))
def test_no_letter_and_no_digit_is_lost(text: str) -> None:
    assert letters("".join(tokens(text))) == letters(unicodedata.normalize("NFC", text))


@given(st.text())
def test_every_token_is_a_token_by_itself(text: str) -> None:
    assert all(is_token(token) and len(token) <= MAX_TOKEN_CHARS for token in tokens(text))


@pytest.mark.parametrize("text", ["", "Page", "parse page", "parse_page", "##ing", "x1", "a" * 65])
def test_what_the_split_never_gives_is_no_token(text: str) -> None:
    assert not is_token(text)


def test_hashes_are_xxhash64_with_seed_zero() -> None:
    assert token_hash("") == 0xEF46DB3751D8E999  # the algorithm's published test vector
    assert token_hashes("parsePage") == (token_hash("parse"), token_hash("page"))
