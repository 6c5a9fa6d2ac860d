"""On a teacher whose secret is known: its vectors are bags of hidden token vectors, turned, shifted and blurred."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedding.errors import LookupTableError
from embedding.lookup import LookupTable
from embedding.tables.bags import Bags, Vocabulary, bags_of, mine_vocabulary
from embedding.tables.distil import LEAST_TEXTS, fit_tokens, reduce_teacher
from embedding.tables.table_file import TableContents, write_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

HIDDEN, WIDE, WORDS, TEXTS = 16, 48, 300, 1500


@dataclass(frozen=True)
class Lesson:
    texts: list[str]
    vocabulary: Vocabulary
    bags: Bags
    teacher: Floats


def word(number: int) -> str:
    return "".join(chr(97 + number // 26**place % 26) for place in range(3))


def unit(rows: Floats) -> Floats:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    random = np.random.default_rng(11)
    ranks = np.minimum(random.zipf(1.3, (TEXTS, 25)) - 1, WORDS - 1)
    texts = [" ".join(map(word, row)) for row in ranks]
    vocabulary = mine_vocabulary(texts, WORDS)
    bags = bags_of(texts, vocabulary)
    hidden = random.normal(size=(bags.width, HIDDEN)).astype(np.float32)
    turned = unit(bags.times(hidden)) @ random.normal(size=(HIDDEN, WIDE)).astype(np.float32)
    blurred = turned + 0.05 * random.normal(size=turned.shape) + random.normal(size=WIDE)
    return Lesson(texts, vocabulary, bags, blurred.astype(np.float32))


def test_a_table_fitted_to_a_teacher_agrees_with_it_on_texts_never_seen(lesson: Lesson) -> None:
    fit = fit_tokens(lesson.bags, reduce_teacher(lesson.teacher, HIDDEN))
    assert fit.vectors.shape == (lesson.bags.width, HIDDEN)
    assert fit.trained_error <= fit.held_out_error < 0.05


def test_a_teacher_that_teaches_nothing_gives_a_large_held_out_error(lesson: Lesson) -> None:
    noise = np.random.default_rng(2).normal(size=(TEXTS, HIDDEN)).astype(np.float32)
    fit = fit_tokens(lesson.bags, unit(noise))
    assert fit.held_out_error > 0.8
    assert fit.trained_error < fit.held_out_error


def test_the_fit_is_the_closed_form(lesson: Lesson) -> None:
    some = lesson.bags.take(np.arange(200))
    targets = reduce_teacher(lesson.teacher, HIDDEN)[:200]
    fit = fit_tokens(some, targets, ridges=(0.5,), seed=3)
    seen = np.random.default_rng(3).permutation(200)[20:]
    dense = some.take(seen).times(np.eye(some.width, dtype=np.float32)).astype(np.float64)
    expected = np.linalg.solve(dense.T @ dense + 0.5 * np.eye(some.width), dense.T @ targets[seen])
    assert np.abs(fit.vectors - expected).max() < 2e-3 * np.abs(expected).max()


def test_a_token_that_no_text_holds_keeps_what_was_known_of_it(lesson: Lesson) -> None:
    wider = Bags(lesson.bags.starts, lesson.bags.places, lesson.bags.weights, lesson.bags.width + 1)
    prior = np.random.default_rng(1).normal(size=(wider.width, HIDDEN)).astype(np.float32)
    fit = fit_tokens(wider, reduce_teacher(lesson.teacher, HIDDEN), prior, ridges=(1.0,))
    assert np.array_equal(fit.vectors[-1], prior[-1])
    assert not np.allclose(fit.vectors[0], prior[0])


def test_a_table_known_beforehand_that_is_right_is_left_as_it_is(lesson: Lesson) -> None:
    prior = np.random.default_rng(8).normal(size=(lesson.bags.width, HIDDEN)).astype(np.float32)
    fit = fit_tokens(lesson.bags, lesson.bags.times(prior), prior)
    assert np.allclose(fit.vectors, prior, atol=1e-4)
    assert fit.held_out_error < 1e-5


def test_the_ridge_is_judged_by_texts_held_out_not_by_those_it_learned_by_heart(lesson: Lesson) -> None:
    some = np.arange(150)
    bags, targets = lesson.bags.take(some), reduce_teacher(lesson.teacher, HIDDEN)[some]
    noisy = targets + 0.5 * np.random.default_rng(9).normal(size=targets.shape).astype(np.float32)
    loose, firm = (fit_tokens(bags, noisy, ridges=(ridge,)) for ridge in (1e-3, 1.0))
    assert loose.trained_error < firm.trained_error
    assert firm.held_out_error < loose.held_out_error
    assert [fit_tokens(bags, noisy, ridges=ridges).ridge for ridges in ((1e-3, 1.0), (1.0, 1e-3))] == [1.0, 1.0]


def test_a_fitted_table_gives_from_its_file_what_the_fit_promised(lesson: Lesson, tmp_path: Path) -> None:
    targets = reduce_teacher(lesson.teacher, HIDDEN)
    fit = fit_tokens(lesson.bags, targets)
    write_table(
        tmp_path / "t.embd", TableContents(lesson.vocabulary.tokens, fit.vectors, lesson.vocabulary.frequencies)
    )
    sketches = LookupTable(tmp_path / "t.embd").sketch(lesson.texts)
    assert (sketches.vectors * unit(lesson.bags.times(fit.vectors))).sum(axis=1).min() > 0.999
    error = 1 - (sketches.vectors * targets).sum(axis=1).mean()
    assert error == pytest.approx(0.9 * fit.trained_error + 0.1 * fit.held_out_error, abs=2e-3)


def test_reducing_keeps_what_vectors_have_to_say_to_each_other() -> None:
    random = np.random.default_rng(6)
    flat = random.normal(size=(200, 8)) @ random.normal(size=(8, 40)) + random.normal(size=40)
    reduced = reduce_teacher(flat.astype(np.float32), 8)
    centred = unit((flat - flat.mean(axis=0)).astype(np.float32))
    assert np.allclose(reduced @ reduced.T, centred @ centred.T, atol=1e-3)


def test_texts_without_a_known_token_are_left_out(lesson: Lesson) -> None:
    texts = ["", "unheard of", *lesson.texts[:100]]
    bags = bags_of(texts, lesson.vocabulary)
    assert bags.filled().tolist() == [False, False] + [True] * 100
    targets = np.concatenate([np.full((2, HIDDEN), 9, np.float32), reduce_teacher(lesson.teacher, HIDDEN)[:100]])
    alone = fit_tokens(bags.take(np.arange(2, 102)), targets[2:], ridges=(1.0,))
    together = fit_tokens(bags, targets, ridges=(1.0,))
    assert together.held_out_error == pytest.approx(alone.held_out_error, abs=1e-6)


def test_what_cannot_be_fitted_is_refused_in_words(lesson: Lesson) -> None:
    targets = reduce_teacher(lesson.teacher, HIDDEN)
    few = np.arange(LEAST_TEXTS - 1)
    with pytest.raises(LookupTableError, match="19 texts hold a token of the vocabulary, and 20 are the least"):
        fit_tokens(lesson.bags.take(few), targets[few])
    with pytest.raises(LookupTableError, match=r"1500 texts of .* tokens have 1499 vectors"):
        fit_tokens(lesson.bags, targets[1:])
    with pytest.raises(LookupTableError, match="no ridge was given"):
        fit_tokens(lesson.bags, targets, ridges=())
    with pytest.raises(LookupTableError, match="1500 vectors of 48 components have no 49 directions"):
        reduce_teacher(lesson.teacher, 49)
    with pytest.raises(LookupTableError, match="holds a number that is none"):
        reduce_teacher(lesson.teacher * np.float32(np.inf), HIDDEN)
