"""A small model whose rows are known, and a table that lacks some of its words."""

from __future__ import annotations

import logging
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedding.errors import EmbeddingError, ModelInvalidError, ModelMissingError
from embedding.lookup import RARE_WEIGHT, LookupTable
from embedding.tables.rare import KEPT_VECTORS, ModelRows
from embedding.tables.table_file import Bridge, TableContents, most_tokens, write_table
from tests.embedding.model_files import FIRST, INNER, model_file, vocabulary

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

PIECES = [*((FIRST, part) for part in ("a", "parse", "frob", "de")), *((INNER, part) for part in ("a", "nicate", "r"))]
SPELLED = vocabulary("bert", PIECES)
WIDTH, DIM = 12, 8
ROWS = np.random.default_rng(1).normal(size=(len(SPELLED), WIDTH)).astype(np.float32)
MATRIX = np.random.default_rng(2).normal(size=(WIDTH + 1, DIM)).astype(np.float16).astype(np.float32)
VECTORS = np.random.default_rng(3).normal(size=(2, DIM)).astype(np.float32)


def row_of(*pieces: tuple[bool, str]) -> Floats:
    rows: Floats = np.mean([ROWS[3 + PIECES.index(piece)] for piece in pieces], axis=0)
    return rows


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return model_file(tmp_path / "model.gguf", SPELLED, ROWS)


@pytest.fixture
def table(tmp_path: Path, model: Path) -> Path:
    with ModelRows(model) as rows:
        bridge = Bridge(rows.mark(), MATRIX)
    frequencies = np.array([1e-3, 1e-5], np.float32)
    write_table(tmp_path / "t.embd", TableContents(["parse", "page"], VECTORS, frequencies, bridge=bridge))
    return tmp_path / "t.embd"


def test_the_row_of_a_word_is_the_mean_of_those_of_its_pieces(model: Path) -> None:
    with ModelRows(model) as rows:
        assert rows.dim == WIDTH
        row = rows.row("frobnicater")
        assert row is not None
        assert np.allclose(row, row_of((FIRST, "frob"), (INNER, "nicate"), (INNER, "r")))
        assert rows.row("frobnicated") is None
        assert [rows.cuts(word) for word in ("der", "deq", "")] == [True, False, False]


def test_a_piece_that_has_no_row_counts_as_none(tmp_path: Path) -> None:
    with ModelRows(model_file(tmp_path / "m.gguf", SPELLED, ROWS[:-1])) as rows:
        assert rows.row("frobnicate") is not None
        assert rows.row("frobnicater") is None


def test_models_are_told_apart_by_their_rows(model: Path, tmp_path: Path) -> None:
    others = [
        model_file(tmp_path / "same.gguf", SPELLED, ROWS),
        model_file(tmp_path / "rows.gguf", SPELLED, ROWS + np.float32(1e-3)),
        model_file(tmp_path / "last.gguf", SPELLED, np.concatenate([ROWS[:-1], -ROWS[-1:]])),
    ]
    with ModelRows(model) as rows:
        mark = rows.mark()
    marks = []
    for other in others:
        with ModelRows(other) as rows:
            marks.append(rows.mark() == mark)
    assert marks == [True, False, False]


def test_a_rare_word_of_a_query_gets_its_vector_over_the_bridge(table: Path, model: Path) -> None:
    sketches = LookupTable(table, model).sketch_query("parse frobnicate frobnicate unheard")
    assert [int(count[0]) for count in (sketches.tokens, sketches.known, sketches.mapped)] == [4, 1, 2]
    assert sketches.coverage == pytest.approx(3 / 4)
    mapped = row_of((FIRST, "frob"), (INNER, "nicate")) @ MATRIX[:-1] + MATRIX[-1]
    expected = 0.5 * VECTORS[0] + RARE_WEIGHT * 2 * mapped  # the weight of a frequency of 1e-3 is 1e-3 / 2e-3
    assert sketches.vectors[0] @ (expected / np.linalg.norm(expected)) > 0.9999
    assert np.linalg.norm(sketches.vectors) == pytest.approx(1, abs=1e-6)


def test_a_query_of_known_words_has_the_vector_of_a_document(table: Path, model: Path) -> None:
    opened = LookupTable(table, model)
    for text in ("parse page", "", "();"):
        assert np.array_equal(opened.sketch_query(text).vectors, opened.sketch([text]).vectors)


def test_documents_and_the_fingerprint_are_the_same_with_and_without_the_models_file(table: Path, model: Path) -> None:
    plain, with_model = LookupTable(table), LookupTable(table, model)
    assert plain.fingerprint == with_model.fingerprint
    ours, theirs = (
        plain.sketch(["parse frobnicate", "frobnicate"]),
        with_model.sketch(["parse frobnicate", "frobnicate"]),
    )
    assert np.array_equal(ours.vectors, theirs.vectors)
    assert theirs.mapped.tolist() == [0, 0]
    assert not theirs.vectors[1].any()


def test_without_the_models_file_a_rare_word_is_unknown_and_counted(table: Path, tmp_path: Path) -> None:
    for opened in (LookupTable(table), LookupTable(table, tmp_path / "gone.gguf")):
        sketches = opened.sketch_query("parse frobnicate")
        assert (sketches.known[0], sketches.mapped[0], sketches.coverage) == (1, 0, 0.5)
        assert np.array_equal(sketches.vectors, opened.sketch(["parse"]).vectors)


def test_the_file_of_another_model_is_not_used_and_that_is_said_once(
    table: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    opened = LookupTable(table, model_file(tmp_path / "other.gguf", SPELLED, -ROWS))
    with caplog.at_level(logging.INFO):
        assert [opened.sketch_query(word).mapped[0] for word in ("frobnicate", "der", "a")] == [0, 0, 0]
    (record,) = caplog.records
    assert "stay unknown. The lookup table was made of another model than" in record.getMessage()


def test_a_model_that_is_damaged_while_it_is_used_gives_no_more_vectors(table: Path, model: Path) -> None:
    opened = LookupTable(table, model)
    assert opened.sketch_query("frobnicate").mapped[0] == 1
    with model.open("r+b") as file:
        file.truncate(model.stat().st_size - 4 * WIDTH * len(ROWS) + 1)
    # The buffer may hold what was read before; a word that was asked for keeps its vector all the same.
    assert opened.sketch_query("frobnicate").mapped[0] == 1
    with pytest.raises(ModelInvalidError):
        ModelRows(model)
    assert LookupTable(table, model).sketch_query("frobnicate").mapped[0] == 0


def test_a_bridge_of_another_width_than_the_models_rows_is_not_crossed(model: Path, tmp_path: Path) -> None:
    with ModelRows(model) as rows:
        bridge = Bridge(rows.mark(), MATRIX[1:])
    contents = TableContents(["page"], VECTORS[:1], np.zeros(1, np.float32), bridge=bridge)
    write_table(tmp_path / "narrow.embd", contents)
    assert LookupTable(tmp_path / "narrow.embd", model).sketch_query("frobnicate").mapped[0] == 0


def test_reading_rare_words_without_end_takes_less_than_ten_megabytes(tmp_path: Path) -> None:
    words = ["a", *("w" + "".join(chr(97 + number // 26**place % 26) for place in range(4)) for number in range(6000))]
    rows = np.random.default_rng(4).normal(size=(len(words), 64)).astype(np.float32)
    model = model_file(tmp_path / "m.gguf", ["\u2581" + word for word in words], rows)
    with ModelRows(model) as opened:
        bridge = Bridge(opened.mark(), np.ones((65, 256), np.float32))
    contents = TableContents(["page"], np.ones((1, 256), np.float32), np.zeros(1, np.float32), bridge=bridge)
    write_table(tmp_path / "t.embd", contents)
    tracemalloc.start()
    try:
        table = LookupTable(tmp_path / "t.embd", model)
        for start in range(0, 6000, 500):
            assert table.sketch_query(" ".join(words[start : start + 500])).coverage == 1.0
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert KEPT_VECTORS < 6000
    assert peak < 10 * 1024 * 1024


@given(st.data())
def test_a_damaged_model_is_refused_or_gives_numbers(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    whole = model_file(path, SPELLED, ROWS).read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    damage = data.draw(st.one_of(st.binary(min_size=1, max_size=16), st.just(struct.pack("<Q", 1 << 62))))
    path.write_bytes((whole[:at] + damage + whole[at + len(damage) :])[: len(whole) + data.draw(st.integers(-9, 0))])
    try:
        with ModelRows(path) as rows:
            found = [rows.row(word) for word in ("parse", "frobnicater", "dea")]
    except EmbeddingError:
        return
    assert all(row is None or np.isfinite(row).all() for row in found)


def test_what_is_no_model_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError):
        ModelRows(tmp_path / "gone.gguf")
    (tmp_path / "foreign.gguf").write_bytes(b"<html>")
    with pytest.raises(ModelInvalidError, match="no GGUF file"):
        ModelRows(tmp_path / "foreign.gguf")


FULL = """
import sys
from pathlib import Path
import psutil
from embedding.lookup import LookupTable
table, model, words = map(Path, sys.argv[1:])
before = psutil.Process().memory_info().rss
opened = LookupTable(table, model)
texts = words.read_text(encoding="utf-8").split("\\n")
sketches = opened.sketch(texts)
assert sketches.coverage == 1.0
assert opened.sketch_query("frobnicate parse").mapped[0] == 2
del texts, sketches
print(len(opened), psutil.Process().memory_info().rss - before)
"""


def test_the_largest_table_with_every_token_in_use_takes_less_than_fifty_megabytes(tmp_path: Path, model: Path) -> None:
    """Libraries apart: the mapped file, its weights, the split's memory, and a model beside it."""
    count = most_tokens(256, WIDTH + 1)
    words = ["q" + "".join(chr(97 + number // 26**place % 26) for place in range(4)) for number in range(count)]
    with ModelRows(model) as rows:
        bridge = Bridge(rows.mark(), np.ones((WIDTH + 1, 256), np.float32))
    vectors = np.random.default_rng(5).normal(size=(count, 256)).astype(np.float32)
    frequencies = np.full(count, 1e-5, np.float32)
    write_table(tmp_path / "full.embd", TableContents(words, vectors, frequencies, bridge=bridge))
    texts = "\n".join(" ".join(words[start : start + 100]) for start in range(0, count, 100))
    (tmp_path / "words.txt").write_text(texts, encoding="utf-8")
    command = [sys.executable, "-P", "-c", FULL, tmp_path / "full.embd", model, tmp_path / "words.txt"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    tokens, taken = map(int, ran.stdout.split())
    assert tokens == count
    assert taken < 50_000_000
