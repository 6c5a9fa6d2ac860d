"""The recipe of a lookup table: from a teacher's vectors, and pairs of texts that belong together, to token vectors.

What each token says alone (prior.py), then what whole texts say (distil.py), then which words answer which (pairs.py).
What each step is worth, and how the numbers here were chosen: docs/table.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from embedding.tables.bags import Bags, Vocabulary, bags_of
from embedding.tables.distil import Fit, fit_tokens, principal_axes, unit_rows
from embedding.tables.pairs import Drawing, draw_together
from embedding.tables.prior import prior_of

Floats = NDArray[np.float32]

SIF = 1e-3
POWER = 0.7  # of a token's count in a text: 1 is better for questions about files, .5 for questions about functions
PRIOR_RIDGE = 5.0  # chosen by ranking, to which the held-out error is no guide


@dataclass(frozen=True, slots=True)
class Lesson:
    """What there is to learn from.

    ``vectors`` are the teacher's of ``texts``, shape (len(texts), wide); ``alone`` those of the vocabulary's tokens
    each by itself, shape (tokens, wide), None for a teacher that says little of single words (decoders).
    ``questions`` and ``answers`` are pairs of texts, as many of the one as of the other; none is needed.
    """

    texts: Sequence[str]
    vectors: Floats
    alone: Floats | None = None
    questions: Sequence[str] = ()
    answers: Sequence[str] = ()
    drawing: Drawing = field(default_factory=Drawing)


def teach(vocabulary: Vocabulary, lesson: Lesson, dim: int) -> Fit:
    """Token vectors of ``dim`` components for a table with SIF and POWER; the errors are those before pairs are drawn.

    Raises LookupTableError where there is too little to learn from.
    """
    axes = principal_axes(lesson.vectors, dim)
    targets = unit_rows(axes.project(lesson.vectors))
    bags = bags_of(lesson.texts, vocabulary, SIF, POWER)
    if lesson.alone is None:
        fit = fit_tokens(bags, targets)
    else:
        prior = prior_of(lesson.alone, vocabulary.frequencies, axes, bags, targets)
        fit = fit_tokens(bags, targets, prior, ridges=(PRIOR_RIDGE,))
    return replace(fit, vectors=_drawn(vocabulary, fit.vectors, lesson)) if lesson.questions else fit


def _drawn(vocabulary: Vocabulary, vectors: Floats, lesson: Lesson) -> Floats:
    """Drawn as shares of a sum, weights and all, so that frequent tokens move no less than rare ones."""
    weights = (SIF / (SIF + vocabulary.frequencies))[:, None].astype(np.float32)
    unweighed = Vocabulary(vocabulary.tokens, np.zeros_like(vocabulary.frequencies))
    questions, answers = (_counted(texts, unweighed) for texts in (lesson.questions, lesson.answers))
    return np.asarray(draw_together(vectors * weights, questions, answers, lesson.drawing) / weights, np.float32)


def _counted(texts: Sequence[str], vocabulary: Vocabulary) -> Bags:
    return bags_of(texts, vocabulary, SIF, POWER)
