"""On a language where people and code use different words for the same things."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedding.errors import LookupTableError
from embedding.tables.bags import Bags, Vocabulary, bags_of
from embedding.tables.pairs import Drawing, _gradient, draw_together

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

THINGS, DIM, PAIRS = 40, 16, 600
DRAWING = Drawing(epochs=20, batch=100, rate=0.05)


def named(prefix: str, number: int) -> str:
    return prefix + chr(97 + number // 26) + chr(97 + number % 26)


WORDS = Vocabulary(
    tuple(named(prefix, number) for prefix in ("say", "code") for number in range(THINGS)),
    np.zeros(2 * THINGS, np.float32),
)


def pairs(seed: int) -> tuple[Bags, Bags]:
    """Questions of three things, and code of the same three."""
    meant = [np.random.default_rng([seed, pair]).choice(THINGS, 3, replace=False) for pair in range(PAIRS)]
    asked = [" ".join(named("say", thing) for thing in things) for things in meant]
    given = [" ".join(named("code", thing) for thing in things) for things in meant]
    return bags_of(asked, WORDS), bags_of(given, WORDS)


def first_right(vectors: Floats, questions: Bags, answers: Bags) -> float:
    asked, given = questions.times(vectors), answers.times(vectors)
    given /= np.linalg.norm(given, axis=1, keepdims=True)
    best = given[(asked @ given.T).argmax(axis=1)]
    return float((np.abs(best - given).max(axis=1) < 1e-5).mean())


def start() -> Floats:
    return np.random.default_rng(5).normal(size=(2 * THINGS, DIM)).astype(np.float32) / 4


def test_questions_never_seen_find_their_answers_after_the_words_were_drawn_together() -> None:
    before = start()
    drawn = draw_together(before, *pairs(1), DRAWING)
    assert first_right(before, *pairs(2)) < 0.1
    assert first_right(drawn, *pairs(2)) > 0.7
    assert np.array_equal(before, start())


def test_the_gradient_is_that_of_the_loss() -> None:
    questions, answers = (bags.take(np.arange(8)) for bags in pairs(3))
    vectors = start()
    _, gradient = _gradient(vectors, questions, answers, np.float32(0.2))
    step = np.float32(1e-2)
    for place in np.argwhere(np.abs(gradient) > np.abs(gradient).max() / 3)[:12]:
        ends = []
        for sign in (1, -1):
            moved = vectors.copy()
            moved[tuple(place)] += sign * step
            ends.append(_gradient(moved, questions, answers, np.float32(0.2))[0])
        assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(gradient[tuple(place)], rel=0.05)


def test_a_token_of_no_pair_stays_where_it_was() -> None:
    questions, answers = pairs(4)
    wider = [Bags(bags.starts, bags.places, bags.weights, bags.width + 1) for bags in (questions, answers)]
    vectors = np.vstack([start(), np.ones((1, DIM), np.float32)])
    drawn = draw_together(vectors, *wider, DRAWING)
    assert np.array_equal(drawn[-1], vectors[-1])
    assert np.isfinite(drawn).all()


def test_too_few_pairs_and_uneven_ones_are_refused_in_words() -> None:
    questions, answers = pairs(1)
    with pytest.raises(LookupTableError, match=r"600 pairs hold a token .* a batch has 601"):
        draw_together(start(), questions, answers, Drawing(batch=601))
    with pytest.raises(LookupTableError, match="600 questions have 599 answers"):
        draw_together(start(), questions, answers.take(np.arange(599)), DRAWING)
