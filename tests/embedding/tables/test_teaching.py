"""An encoder whose secret is known: a text's vector is the sum of its words' hidden vectors, turned and shifted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedding.lookup import LookupTable
from embedding.tables.bags import Bags, Vocabulary, bags_of
from embedding.tables.distil import principal_axes, unit_rows
from embedding.tables.pairs import Drawing
from embedding.tables.prior import prior_of, token_vectors
from embedding.tables.table_file import TableContents, write_table
from embedding.tables.teaching import POWER, SIF, Lesson, teach

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

DIM, WIDE, WORDS = 16, 32, 400


def word(number: int) -> str:
    return "w" + "".join(chr(97 + number // 26**place % 26) for place in range(2))


@dataclass(frozen=True)
class Encoder:
    """Embeds what it is asked for, in parts as they come."""

    hidden: Floats
    turn: Floats
    vocabulary: Vocabulary
    fingerprint: str = "encoder"
    dim: int = WIDE
    min_similarity: float = 0.2
    parallel: int = 1

    def embed_documents(self, texts: Sequence[str], timeout_s: float | None = None) -> Floats:
        sums = bags_of(texts, self.vocabulary, SIF, POWER).times(self.hidden)
        return unit_rows(unit_rows(sums) @ self.turn + np.float32(0.1))

    def embed_query(self, text: str, timeout_s: float | None = None) -> Floats:
        return self.embed_documents([text])[0]

    def remembered(self, texts: Sequence[str]) -> dict[int, Floats]:
        return {}

    def close(self) -> None:
        return None


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    random = np.random.default_rng(3)
    vocabulary = Vocabulary(tuple(map(word, range(WORDS))), (0.3 / np.arange(1, WORDS + 1)).astype(np.float32))
    turn, _ = np.linalg.qr(random.normal(size=(WIDE, DIM)))
    return Encoder(random.normal(size=(WORDS, DIM)).astype(np.float32), turn.T.astype(np.float32), vocabulary)


def texts(count: int, of: int = WORDS) -> list[str]:
    numbers = np.random.default_rng([count, of]).integers(0, of, (count, 12))
    return [" ".join(map(word, row)) for row in numbers]


def likeness(table: LookupTable, encoder: Encoder, some: list[str]) -> float:
    """How well the table's cosines agree with the encoder's, correlation."""
    ours, theirs = table.sketch(some).vectors, encoder.embed_documents(some)
    theirs = theirs - theirs.mean(axis=0)
    above = np.triu_indices(len(some), 1)
    return float(np.corrcoef((ours @ ours.T)[above], (theirs @ theirs.T)[above])[0, 1])


def taught(path: Path, encoder: Encoder, lesson: Lesson) -> LookupTable:
    fit = teach(encoder.vocabulary, lesson, DIM)
    write_table(path, TableContents(encoder.vocabulary.tokens, fit.vectors, encoder.vocabulary.frequencies, SIF, POWER))
    return LookupTable(path)


def test_a_table_taught_by_an_encoder_likens_texts_as_it_does(encoder: Encoder, tmp_path: Path) -> None:
    some = texts(800)
    alone = token_vectors(encoder, encoder.vocabulary.tokens)
    table = taught(tmp_path / "a.embd", encoder, Lesson(some, encoder.embed_documents(some), alone))
    assert likeness(table, encoder, texts(200)) > 0.8


def test_words_that_no_text_holds_are_known_from_what_the_encoder_says_of_them_alone(
    encoder: Encoder, tmp_path: Path
) -> None:
    some = texts(800, WORDS // 2)
    said = encoder.embed_documents(some)
    unseen = [" ".join(word(WORDS // 2 + number) for number in row) for row in np.arange(60).reshape(20, 3)]
    alone = token_vectors(encoder, encoder.vocabulary.tokens)
    with_them = taught(tmp_path / "with.embd", encoder, Lesson(some, said, alone))
    without = taught(tmp_path / "without.embd", encoder, Lesson(some, said))
    assert likeness(with_them, encoder, unseen) > 0.5
    assert not without.sketch(unseen).vectors.any()


def test_pairs_bring_the_words_of_questions_to_those_of_answers(encoder: Encoder, tmp_path: Path) -> None:
    half = WORDS // 2
    numbers = np.random.default_rng(8).integers(0, half, (900, 4))
    questions = [" ".join(map(word, row)) for row in numbers]
    answers = [" ".join(map(word, row + half)) for row in numbers]
    some = texts(800)
    lesson = Lesson(some, encoder.embed_documents(some), None, questions, answers, Drawing(10, 300, 0.1, 0.05))
    table = taught(tmp_path / "p.embd", encoder, lesson)
    near = table.sketch(questions[:100]).vectors @ table.sketch(answers[:100]).vectors.T
    assert (near.argmax(axis=1) == np.arange(100)).mean() > 0.9


def test_a_prior_adds_up_to_what_texts_are_to_be(encoder: Encoder) -> None:
    some = texts(300)
    said = encoder.embed_documents(some)
    axes = principal_axes(said, DIM)
    bags, targets = bags_of(some, encoder.vocabulary, SIF, POWER), unit_rows(axes.project(said))
    alone = token_vectors(encoder, encoder.vocabulary.tokens)
    prior = prior_of(alone, encoder.vocabulary.frequencies, axes, bags, targets)
    sums = bags.times(prior)
    assert prior.shape == (WORDS, DIM)
    assert np.einsum("ij,ij->", sums, targets - sums) == pytest.approx(0, abs=1e-2)  # no other scale comes nearer
    nowhere = Bags(np.zeros(301, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32), WORDS)
    assert np.isfinite(prior_of(alone, encoder.vocabulary.frequencies, axes, nowhere, targets)).all()


def test_no_tokens_have_no_vectors(encoder: Encoder) -> None:
    assert token_vectors(encoder, []).shape == (0, WIDE)
