from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedding.errors import LookupTableError, ModelMissingError
from embedding.lookup import LookupTable
from embedding.model import KNOWN_MODELS, ModelSpec, spec_for
from embedding.tables.making import make_table, says_much_of_words, vocabulary_for
from embedding.tables.teaching import Lesson
from tests.embedding.model_files import model_file

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

WIDTH = 32
WORDS = [first + second + third for first in "bcdfghkl" for second in "aeiou" for third in "mnrst"]
ROWS = np.random.default_rng(1).normal(size=(2 * len(WORDS), WIDTH)).astype(np.float32)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return model_file(tmp_path / "model.gguf", [*("\u2581" + word for word in WORDS), *WORDS], ROWS)


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    """A teacher whose vector of a text is the mean of the rows of its words."""
    drawn = np.random.default_rng(2).integers(0, len(WORDS), (800, 6))
    texts = [" ".join(WORDS[place] for place in row) for row in drawn]
    vectors = ROWS[drawn].mean(axis=1)
    return Lesson(texts, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def test_a_table_that_was_made_gives_what_its_teacher_gives(model: Path, lesson: Lesson, tmp_path: Path) -> None:
    made = make_table(tmp_path / "t.embd", vocabulary_for(lesson.texts), lesson, model)
    assert (made.tokens, made.dim) == (len(WORDS), WIDTH)
    assert made.size == (tmp_path / "t.embd").stat().st_size
    assert made.held_out_error < 0.05
    vectors = LookupTable(tmp_path / "t.embd").sketch(lesson.texts[:200]).vectors
    expected = lesson.vectors[:200] - lesson.vectors.mean(axis=0)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.abs(vectors @ vectors.T - expected @ expected.T).mean() < 0.05


def test_a_table_that_was_made_knows_its_models_words(model: Path, lesson: Lesson, tmp_path: Path) -> None:
    made = make_table(tmp_path / "t.embd", vocabulary_for(lesson.texts), lesson, model)
    assert made.bridge_error is not None
    assert made.bridge_error < 0.1
    assert made.no_bridge == ""
    asked = LookupTable(tmp_path / "t.embd", model).sketch_query(WORDS[0] + WORDS[7])
    assert asked.mapped.tolist() == [1]


def test_a_model_whose_rows_cannot_be_read_gives_a_table_without_a_bridge_and_the_reason(
    lesson: Lesson, tmp_path: Path
) -> None:
    strange = model_file(tmp_path / "strange.gguf", ["...", "X"], ROWS[:2])
    made = make_table(tmp_path / "t.embd", vocabulary_for(lesson.texts), lesson, strange)
    assert made.bridge_error is None
    assert "no piece of a word" in made.no_bridge
    assert LookupTable(tmp_path / "t.embd").sketch(lesson.texts[:1]).coverage == 1.0


def test_too_few_texts_are_refused_and_leave_no_file(model: Path, lesson: Lesson, tmp_path: Path) -> None:
    few = Lesson(lesson.texts[:20], lesson.vectors[:20])
    with pytest.raises(LookupTableError, match="have no 32 directions"):
        make_table(tmp_path / "t.embd", vocabulary_for(few.texts), few, model)
    assert not (tmp_path / "t.embd").exists()


def spec_of(path: Path) -> ModelSpec:
    return spec_for(str(path))


@pytest.mark.parametrize(("pooling", "asked"), [(1, True), (2, True), (3, False)])
def test_single_words_are_asked_of_encoders_not_of_decoders(pooling: int, asked: bool, tmp_path: Path) -> None:
    path = model_file(tmp_path / "mine.gguf", WORDS, ROWS[: len(WORDS)], pooling=pooling)
    assert says_much_of_words(spec_of(path), path) is asked


def test_the_default_model_is_an_encoder(model_path: Path, tmp_path: Path) -> None:
    assert says_much_of_words(KNOWN_MODELS["all-minilm-l6-v2"], model_path)
    with pytest.raises(ModelMissingError):
        says_much_of_words(KNOWN_MODELS["all-minilm-l6-v2"], tmp_path / "gone.gguf")
