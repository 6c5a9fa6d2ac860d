from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from embedding.errors import ModelInvalidError
from embedding.gguf import read_header
from embedding.tables import pieces
from embedding.tables.pieces import Pieces, read_pieces
from tests.embedding import reference
from tests.embedding.model_files import FIRST, INNER, SPELLINGS, model_file, vocabulary

PIECES = [
    *((FIRST, part) for part in ("a", "de", "deserial", "größ", "日", "x")),
    *((INNER, part) for part in ("a", "s", "e", "r", "ial", "serial", "ize", "izer", "本")),
]


def pieces_of(path: Path, spelled: list[str], kind: str) -> Pieces:
    model_file(path, spelled, np.zeros((len(spelled), 4), np.float32), kind)
    return read_pieces(path, read_header(path))


@pytest.mark.parametrize("kind", SPELLINGS)
@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("deserializer", [(FIRST, "deserial"), (INNER, "izer")]),
        ("deserializes", [(FIRST, "deserial"), (INNER, "ize"), (INNER, "s")]),
        ("deserr", [(FIRST, "de"), (INNER, "s"), (INNER, "e"), (INNER, "r"), (INNER, "r")]),
        ("größe", [(FIRST, "größ"), (INNER, "e")]),
        ("日本", [(FIRST, "日"), (INNER, "本")]),
        ("áx", []),
        ("deq", []),
        ("", []),
    ],
)
def test_a_word_is_cut_into_the_longest_pieces_from_left_to_right(
    kind: str, word: str, expected: list[tuple[bool, str]], tmp_path: Path
) -> None:
    cut = pieces_of(tmp_path / "m.gguf", vocabulary(kind, PIECES), kind).cut(word)
    assert cut == [3 + PIECES.index(piece) for piece in expected]


def test_a_word_that_no_piece_begins_is_begun_by_one_from_within_words(tmp_path: Path) -> None:
    cut = pieces_of(tmp_path / "m.gguf", vocabulary("gpt2", PIECES), "gpt2").cut("serial")
    assert cut == [3 + PIECES.index((INNER, "serial"))]


def test_accents_are_dropped_where_the_vocabulary_has_none(tmp_path: Path) -> None:
    cut = pieces_of(tmp_path / "m.gguf", vocabulary("bert", PIECES), "bert")
    assert cut.cut("désérial") == cut.cut("deserial") == [3 + PIECES.index((FIRST, "deserial"))]


def test_of_two_equal_pieces_the_first_is_taken(tmp_path: Path) -> None:
    twice = vocabulary("llama", [*PIECES, *PIECES])
    assert pieces_of(tmp_path / "m.gguf", twice, "llama").cut("deserial") == [3 + PIECES.index((FIRST, "deserial"))]


def test_the_default_model_is_cut_as_the_published_algorithm_cuts(model_path: Path, published: Path) -> None:
    found = read_pieces(model_path, read_header(model_path))
    for word in (
        "deserializer",
        "frobnicate",
        "12345",
        "x",
        "mutex",
        "naïve",
        "größe",
        "日",
        "xqzzyblorp",
        "kubernetes",
    ):
        assert found.cut(word) == reference.tokenize(word, published / "vocab.txt")[1:-1], word


def test_a_vocabulary_takes_twelve_bytes_a_piece_and_little_more_while_it_is_read(tmp_path: Path) -> None:
    spelled = ["\u2581a", *(f"\u2581word{number}" for number in range(60_000))]
    path = model_file(tmp_path / "m.gguf", spelled, np.zeros((len(spelled), 1), np.float32))
    header = read_header(path)
    tracemalloc.start()
    try:
        found = read_pieces(path, header)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.hashes.nbytes + found.ids.nbytes == 12 * 60_001
    assert peak < 40 * 60_001 + (1 << 20)  # 11.5 MB for the largest vocabulary known


def test_what_is_no_vocabulary_of_words_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.gguf"
    with pytest.raises(ModelInvalidError, match="no piece of a word"):
        pieces_of(path, ["[PAD]", "...", "X"], "bert")
    monkeypatch.setattr(pieces, "MAX_PIECES", 2)
    with pytest.raises(ModelInvalidError, match="its vocabulary has 3 pieces"):
        pieces_of(path, ["a", "b", "c"], "bert")


def test_a_file_that_changes_between_two_readings_is_refused(tmp_path: Path) -> None:
    path = model_file(tmp_path / "m.gguf", vocabulary("bert", PIECES), np.zeros((18, 4), np.float32))
    header = read_header(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: header.arrays["tokenizer.ggml.tokens"].place + 20])
    with pytest.raises(ModelInvalidError, match="shorter"):
        read_pieces(path, header)
    path.write_bytes(b"\xff" * len(whole))
    with pytest.raises(ModelInvalidError, match="changed"):
        read_pieces(path, header)
