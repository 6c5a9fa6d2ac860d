from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedding.tables.bags import Vocabulary, bags_of, mine_vocabulary

VOCABULARY = Vocabulary(("parse", "page", "the"), np.array([1e-3, 0.0, 0.05], np.float32))


def test_the_tokens_of_most_texts_are_mined_with_their_share_of_all_text() -> None:
    mined = mine_vocabulary(["parsePage page page", "parse_index", "the parse page", "once"], limit=2)
    assert mined.tokens == ("parse", "page")
    assert mined.frequencies.tolist() == pytest.approx([3 / 10, 4 / 10])
    assert mine_vocabulary([], limit=5).tokens == ()
    assert mine_vocabulary(["b a", "a b"], limit=5).tokens == ("a", "b")


def test_a_bag_holds_each_token_once_weighed_by_count_and_rarity() -> None:
    bags = bags_of(["the parse the page", "", "page unknown"], VOCABULARY, sif=1e-3)
    dense = bags.times(np.eye(3, dtype=np.float32))
    first = np.array([0.5, 1.0, 2 / 51])
    assert np.allclose(dense[0], first / np.linalg.norm(first), atol=1e-6)
    assert dense[1].tolist() == [0, 0, 0]
    assert dense[2].tolist() == [0, 1, 0]


@given(st.lists(st.lists(st.sampled_from(["parse", "page", "the", "odd"]), max_size=6), max_size=300))
def test_products_equal_those_of_the_dense_matrix(words: list[list[str]]) -> None:
    bags = bags_of([" ".join(row) for row in words], VOCABULARY)
    dense = bags.times(np.eye(3, dtype=np.float32))
    vectors = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
    rows = np.random.default_rng(2).normal(size=(len(words), 4)).astype(np.float32)
    assert dense.shape == (len(words), 3)
    assert np.allclose(bags.times(vectors), dense @ vectors, atol=1e-5)
    assert np.allclose(bags.transposed_times(rows), dense.T @ rows, atol=1e-4)
    order = np.random.default_rng(len(words)).permutation(len(words))
    assert np.array_equal(bags.take(order).times(np.eye(3, dtype=np.float32)), dense[order])
    assert bags.filled().tolist() == [any(word != "odd" for word in row) for row in words]
