from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedding.errors import LookupTableError
from embedding.lookup import LookupTable
from embedding.tables.bridge import LEAST_TOKENS, fit_bridge
from embedding.tables.rare import ModelRows
from embedding.tables.table_file import TableContents, write_table
from tests.embedding.model_files import model_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WIDTH, DIM = 24, 16
WORDS = [first + second + third for first in "abcdefgh" for second in "aeiou" for third in "klmnrstz"]
SPELLED = [*("\u2581" + word for word in WORDS), *WORDS]
ROWS = 0.03 * np.random.default_rng(1).normal(size=(len(SPELLED), WIDTH)).astype(np.float32) + np.float32(0.1)
HIDDEN = np.random.default_rng(2).normal(size=(WIDTH, DIM)).astype(np.float32)
OFFSET = np.random.default_rng(3).normal(size=DIM).astype(np.float32)
PAIRS = [one + other for one, other in zip(WORDS[::2], WORDS[1::2], strict=True)]


@pytest.fixture
def rows(tmp_path: Path) -> ModelRows:
    return ModelRows(model_file(tmp_path / "model.gguf", SPELLED, ROWS))


def truth(rows: ModelRows, words: list[str]) -> Floats:
    return np.stack([row for word in words if (row := rows.row(word)) is not None]) @ HIDDEN + OFFSET


def test_a_bridge_fitted_to_known_words_takes_words_never_seen_to_their_place(rows: ModelRows) -> None:
    words = WORDS + PAIRS[::2]
    fitted = fit_bridge(rows, words, truth(rows, words))
    assert fitted.held_out_error < 0.01
    assert fitted.bridge.model == rows.mark()
    matrix = fitted.bridge.matrix
    found = np.stack([rows.row(word) @ matrix[:-1] + matrix[-1] for word in PAIRS[1::2]])  # type: ignore[operator]
    assert np.abs(found - truth(rows, PAIRS[1::2])).max() < 0.1 * np.abs(truth(rows, PAIRS)).max()


def test_vectors_that_have_nothing_to_do_with_the_rows_give_a_large_error(rows: ModelRows) -> None:
    noise = np.random.default_rng(5).normal(size=(len(WORDS), DIM)).astype(np.float32)
    assert fit_bridge(rows, WORDS, noise).held_out_error > 0.7


def test_a_table_with_its_bridge_knows_words_that_only_the_model_knows(rows: ModelRows, tmp_path: Path) -> None:
    vectors = truth(rows, WORDS)
    contents = TableContents(
        WORDS, vectors, np.zeros(len(WORDS), np.float32), bridge=fit_bridge(rows, WORDS, vectors).bridge
    )
    write_table(tmp_path / "t.embd", contents)
    table = LookupTable(tmp_path / "t.embd", tmp_path / "model.gguf")
    for word, expected in zip(PAIRS, truth(rows, PAIRS), strict=True):
        (vector,) = table.sketch_query(word).vectors
        assert vector @ expected / np.linalg.norm(expected) > 0.98


def test_tokens_the_model_has_no_rows_for_are_left_out(rows: ModelRows) -> None:
    strange = ["ßßß", "日本"]
    vectors = np.concatenate([np.full((2, DIM), 99, np.float32), truth(rows, WORDS)])
    assert fit_bridge(rows, strange + WORDS, vectors).held_out_error < 0.01


def test_too_few_tokens_are_refused_in_words(rows: ModelRows) -> None:
    few = WORDS[: LEAST_TOKENS - 1]
    with pytest.raises(LookupTableError, match="rows for 19 of the table's tokens, and 20 are the least"):
        fit_bridge(rows, few, truth(rows, few))
