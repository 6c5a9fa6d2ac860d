"""Byte pairs are joined as ranks say."""

import base64
import json
from pathlib import Path

import pytest

from benchmarks.vocabularies import Vocabulary

TOKENS = [b"a", b"b", b"c", b" ", b"ab", b"bc", b" ab", b"abc"]


@pytest.fixture
def vocabulary(tmp_path: Path) -> Vocabulary:
    ranks = " ".join(base64.b64encode(token).decode() for token in TOKENS)
    members = {"pat_str": r" ?[a-z]+|\s+", "special_tokens": {}, "bpe_ranks": f"! 0 {ranks}\n"}
    (tmp_path / "small.js").write_text(f"export default {json.dumps(members)};", encoding="utf-8")
    return Vocabulary("small", tmp_path)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("ab", 1),
        ("abc", 1),  # ab before bc, then abc
        ("bcb", 2),
        (" ab", 1),
        ("ab ab", 2),
        ("zz", 2),  # unknown bytes stay alone
    ],
)
def test_the_lowest_rank_is_joined_first(vocabulary: Vocabulary, text: str, tokens: int) -> None:
    assert vocabulary.count(text) == tokens
