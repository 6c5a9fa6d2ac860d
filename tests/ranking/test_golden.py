"""The ranking, held by a file whose diff shows every change of it."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from embedding.local import LocalEmbedder
from storage.chunk import Filters
from storage.memory import MemoryStore
from storage.store import Pattern
from tests.ranking.golden import parse, recorded, render, settled
from tests.ranking.measuring import ABSENT, NEAREST_COSINE, Ranks, measure, moves
from tests.ranking.questions import Question, questions, target

ASKED = Question("name", "run_job", (), ("scheduler/tidework/worker.py :: def run_job",))
ACCEPT = "If this is what the change is for, run `make golden` and commit the file with it."


def test_every_rank_is_that_of_the_golden_file(store: MemoryStore, embedder: LocalEmbedder) -> None:
    before = recorded()
    after = render(settled(measure(store, embedder, questions()), parse(before)))
    if before != after:
        diff = difflib.unified_diff(before.splitlines(), after.splitlines(), "golden.txt", "now", n=0, lineterm="")
        pytest.fail("\n".join(["Ranks have changed.", *diff, ACCEPT]), pytrace=False)


def test_every_question_has_an_answer_that_is_indexed(store: MemoryStore) -> None:
    lines = store.find_matches(Pattern(".*", is_regex=True), 10_000, Filters())
    assert lines.complete
    chunks = [match.chunk for match in lines.found]
    unanswerable = [
        str(question)
        for question in questions()
        for answer in question.targets
        if not any(answer.is_in(chunk) for chunk in chunks)
    ]
    assert unanswerable == []


def test_every_kind_has_at_least_eight_questions() -> None:
    kinds = Counter(question.kind for question in questions())
    assert len(kinds) == 13
    assert min(kinds.values()) >= 8


@pytest.mark.parametrize("text", ["no such line", "import"])
def test_a_target_that_is_not_on_exactly_one_line_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}' stands on"):
        target(f"scheduler/tidework/worker.py :: {text}")


def test_what_is_written_is_read_again() -> None:
    ranks = {ASKED: Ranks(2, 3, 3, 5), replace(ASKED, text="run\n  job"): Ranks(ABSENT, 20, 20, ABSENT)}
    written = render(settled(ranks, {}))
    assert parse(written) == settled(ranks, {})
    assert render(parse(written)) == written


@pytest.mark.parametrize("here", [2, 3, 4])
def test_a_rank_in_the_recorded_range_changes_nothing(here: int) -> None:
    lines = settled({ASKED: Ranks(1, 3, 2, 4)}, {})
    assert render(settled({ASKED: Ranks(1, here, here, here + 1)}, lines)) == render(lines)


@pytest.mark.parametrize("now", [Ranks(1, 5, 5, 5), Ranks(1, 1, 1, 1), Ranks(2, 3, 2, 4)])
def test_any_other_rank_changes_its_line_and_the_sums(now: Ranks) -> None:
    lines = settled({ASKED: Ranks(1, 3, 2, 4)}, {})
    changed = settled({ASKED: now}, lines)
    assert (changed["name", str(ASKED)].text, changed["name", str(ASKED)].worst) == (now.text, now.worst)
    before, after = render(lines).splitlines(), render(changed).splitlines()
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 3


def test_a_moved_vector_is_as_far_away_as_the_embedding_may_be() -> None:
    vector = np.zeros(384, np.float32)
    vector[7] = 1
    moved = np.stack(moves(vector, "seed"))
    assert np.allclose(moved @ vector, NEAREST_COSINE, atol=1e-5)
    assert np.allclose(np.linalg.norm(moved, axis=1), 1, atol=1e-5)
    assert np.array_equal(moved, np.stack(moves(vector, "seed")))
