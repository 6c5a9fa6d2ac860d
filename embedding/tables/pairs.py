"""Token vectors drawn so that a question comes nearer to its answer than to the answers of others.

A teacher's vectors say what texts are about; pairs (the sentence that documents a function, and its code) say besides
which words of code answer which words of people. The loss is the cross entropy of each question over the answers of
its batch and of each answer over the questions ("InfoNCE", van den Oord et al., 2018), minimised with Adam (Kingma and
Ba, 2015); gradients are written out, for a sum of token vectors at norm 1 has a short one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedding.errors import LookupTableError
from embedding.tables.bags import Bags

_log = logging.getLogger(__name__)

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

_DECAYS = (np.float32(0.9), np.float32(0.99))  # of Adam's means of the gradient and of its square
_LAST_RATE = 0.02  # the rate falls in a line to this share of the first


@dataclass(frozen=True, slots=True)
class Drawing:
    """How token vectors are drawn.

    ``temperature`` divides cosines before the softmax; ``rate`` is the largest step of a component of a token's share
    in a sum, whose vectors have norm 1. Figures: docs/table.md.
    """

    epochs: int = 3
    batch: int = 1024
    temperature: float = 0.1
    rate: float = 2e-3
    seed: int = 0


def draw_together(vectors: Floats, questions: Bags, answers: Bags, drawing: Drawing) -> Floats:
    """New token vectors, shape as ``vectors`` (tokens, dim): question i nearer to answer i than to those of others.

    Pairs of which either text holds no token are left out. Raises LookupTableError where fewer than one batch of pairs
    is left, or questions and answers are not equally many.
    """
    usable = _usable(questions, answers, drawing.batch)
    drawn = vectors.astype(np.float32, copy=True)
    descent = _Descent(drawn)
    batches = list(_batches(usable, drawing))
    for number, batch in enumerate(batches):
        loss, gradient = _gradient(drawn, questions.take(batch), answers.take(batch), np.float32(drawing.temperature))
        descent.step(gradient, drawing.rate * max(1 - number / len(batches), _LAST_RATE))
        _log.debug("Batch %d of %d: loss %.3f", number + 1, len(batches), loss)
    return drawn


class _Descent:
    """Adam on one array, in place."""

    def __init__(self, values: Floats) -> None:
        self._values = values
        self._mean = np.zeros_like(values)
        self._square = np.zeros_like(values)
        self._steps = 0

    def step(self, gradient: Floats, rate: float) -> None:
        first, second = _DECAYS
        self._steps += 1
        self._mean += (1 - first) * (gradient - self._mean)
        self._square += (1 - second) * (gradient * gradient - self._square)
        scale = np.float32(rate * np.sqrt(1 - float(second) ** self._steps) / (1 - float(first) ** self._steps))
        self._values -= scale * self._mean / (np.sqrt(self._square) + np.float32(1e-8))


def _usable(questions: Bags, answers: Bags, batch: int) -> Places:
    if len(questions) != len(answers):
        raise LookupTableError(
            f"No table was fitted: {len(questions)} questions have {len(answers)} answers; give one for each."
        )
    usable = np.flatnonzero(questions.filled() & answers.filled())
    if len(usable) < batch:
        raise LookupTableError(
            f"No table was fitted: {len(usable)} pairs hold a token of the vocabulary, and a batch has {batch}; "
            "give more pairs, or a smaller batch."
        )
    return usable


def _batches(usable: Places, drawing: Drawing) -> Iterator[Places]:
    """Whole batches, drawn anew for each epoch; what is left over waits for the next."""
    random = np.random.default_rng(drawing.seed)
    for _ in range(drawing.epochs):
        order = random.permutation(usable)
        for start in range(0, len(order) - drawing.batch + 1, drawing.batch):
            yield order[start : start + drawing.batch]


def _gradient(vectors: Floats, questions: Bags, answers: Bags, temperature: np.float32) -> tuple[float, Floats]:
    """The mean loss of a batch, and its gradient by each component of ``vectors``."""
    asked, asked_norms = _sums(questions, vectors)
    given, given_norms = _sums(answers, vectors)
    likeness = np.asarray(asked @ given.T / temperature, np.float32)
    forth, back = _softmax(likeness), _softmax(likeness.T)
    right = np.diagonal(forth) * np.diagonal(back)
    both = forth + back.T
    both[np.diag_indices_from(both)] -= 2
    pull = np.asarray(both * np.float32(0.5 / len(both)) / temperature, np.float32)
    gradient = questions.transposed_times(_through_norm(pull @ given, asked, asked_norms))
    gradient += answers.transposed_times(_through_norm(pull.T @ asked, given, given_norms))
    return float(-0.5 * np.log(np.maximum(right, np.float32(1e-30))).mean()), gradient


def _sums(bags: Bags, vectors: Floats) -> tuple[Floats, Floats]:
    """The texts' vectors at norm 1, and their norms before, shape (n, 1)."""
    sums = bags.times(vectors)
    norms = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.float32(1e-6))
    return sums / norms, norms


def _through_norm(gradient: Floats, units: Floats, norms: Floats) -> Floats:
    """The gradient by a sum, from that by the same sum at norm 1."""
    along = (gradient * units).sum(axis=1, keepdims=True)
    return np.asarray((gradient - along * units) / norms, np.float32)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
