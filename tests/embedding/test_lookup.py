from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedding.errors import LookupTableError
from embedding.lookup import LookupTable
from embedding.tables.table_file import TableContents, write_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOKENS = ["the", "parse", "page", "2", "größe"]
FREQUENCIES = np.array([0.05, 1e-3, 1e-4, 0.0, 1e-6], np.float32)
VECTORS = np.random.default_rng(4).normal(size=(5, 64)).astype(np.float32)
CONTENTS = TableContents(TOKENS, VECTORS, FREQUENCIES, sif=1e-3)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> LookupTable:
    path = tmp_path_factory.mktemp("table") / "small.embd"
    write_table(path, CONTENTS)
    return LookupTable(path)


def expected(tokens: list[str]) -> NDArray[np.float32]:
    """The definition, written out: one token after the other, unquantised."""
    total = np.zeros(64)
    for token in tokens:
        place = TOKENS.index(token)
        total += 1e-3 / (1e-3 + float(FREQUENCIES[place])) * VECTORS[place]
    return np.asarray(total / np.linalg.norm(total), np.float32)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("parse", ["parse"]),
        ("def parse_page(the)", ["parse", "page", "the"]),
        ("parsePage2 parse the the", ["parse", "page", "2", "parse", "the", "the"]),
        ("THE_GRÖSSE or Größe", ["the", "größe"]),
    ],
)
def test_a_text_is_the_weighted_sum_of_its_known_tokens(table: LookupTable, text: str, tokens: list[str]) -> None:
    (vector,) = table.sketch([text]).vectors
    assert vector @ expected(tokens) > 0.9999
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_a_token_that_stands_n_times_counts_n_to_the_power_of_the_table(tmp_path: Path) -> None:
    write_table(tmp_path / "t.embd", replace(CONTENTS, power=0.5))
    (vector,) = LookupTable(tmp_path / "t.embd").sketch(["page parse page page page"]).vectors
    total = 0.5 * VECTORS[1] + 2 * 1e-3 / 1.1e-3 * VECTORS[2]
    assert vector @ (total / np.linalg.norm(total)) > 0.9999


def test_unknown_tokens_are_counted_and_change_nothing(table: LookupTable) -> None:
    sketches = table.sketch(["parse page", "parse frobnicate page", "frobnicate", "", "(){};"])
    assert sketches.tokens.tolist() == [2, 3, 1, 0, 0]
    assert sketches.known.tolist() == [2, 2, 0, 0, 0]
    assert sketches.coverage == pytest.approx(4 / 6)
    assert np.array_equal(sketches.vectors[0], sketches.vectors[1])
    assert not sketches.vectors[2:].any()


def test_texts_without_tokens_are_wholly_covered_and_no_texts_give_no_vectors(table: LookupTable) -> None:
    assert table.sketch([""]).coverage == 1.0
    assert table.sketch([]).vectors.shape == (0, 64)


def test_a_text_has_the_same_vector_alone_and_among_others(table: LookupTable) -> None:
    texts = ["parse page", "größe 2", "the the page"]
    together = table.sketch(texts).vectors
    alone = np.concatenate([table.sketch([text]).vectors for text in texts])
    assert np.array_equal(together, alone)


def test_a_table_says_what_it_is(table: LookupTable, tmp_path: Path) -> None:
    assert (len(table), table.dim) == (5, 64)
    write_table(tmp_path / "same.embd", CONTENTS)
    write_table(tmp_path / "other.embd", TableContents(TOKENS, VECTORS + 0.5, FREQUENCIES))
    assert LookupTable(tmp_path / "same.embd").fingerprint == table.fingerprint
    assert LookupTable(tmp_path / "other.embd").fingerprint != table.fingerprint


def test_a_table_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(LookupTableError, match=r"There is no lookup table at .*gone"):
        LookupTable(tmp_path / "gone.embd")


def test_a_long_text_of_many_tokens_takes_little_memory(tmp_path: Path) -> None:
    tokens = [_letters(number) for number in range(20_000)]
    random = np.random.default_rng(3)
    vectors = random.normal(size=(20_000, 256)).astype(np.float32)
    write_table(tmp_path / "t.embd", TableContents(tokens, vectors, np.full(20_000, 5e-5, np.float32)))
    table = LookupTable(tmp_path / "t.embd")
    text = " ".join(tokens)
    tracemalloc.start()
    try:
        sketches = table.sketch([text])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sketches.coverage == 1.0
    whole = vectors.sum(axis=0)
    assert sketches.vectors[0] @ (whole / np.linalg.norm(whole)) > 0.999
    assert peak < 12 * 1024 * 1024


def _letters(number: int) -> str:
    return "".join(chr(97 + number // 26**place % 26) for place in range(4))
