"""A model that cannot embed just now: what waits, what is tried again by itself, and what is said meanwhile."""

from __future__ import annotations

import io
import json
import queue
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedding.errors import (
    BusyError,
    EmbeddingError,
    MemoryShortError,
    ModelInvalidError,
    ModelLeftAloneError,
)
from mcp_server import patience
from mcp_server.indexes import job, starting
from mcp_server.indexes.indexing import Scope, Work, write
from mcp_server.indexes.job import Commands, serve
from mcp_server.indexes.job_view import JobView, after
from mcp_server.indexes.root_index import RootIndex
from mcp_server.indexes.starting import in_thread
from mcp_server.meaning import Meaning
from mcp_server.patience import RETRY_FIRST_S, RETRY_LONGEST_S, rested, retry_after_s
from mcp_server.settings import Settings, load
from tests.indexer.embedders import Noting

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEFT_ALONE = ModelLeftAloneError("The model failed 3 times in a row and is left alone.")
PATIENCE_S = 60


class Refusing(Noting):
    """Raises the ``refusals`` first, one a request, and embeds from then on."""

    def __init__(self, *refusals: EmbeddingError) -> None:
        super().__init__()
        self.refusals = list(refusals)

    def embed_documents(self, texts: Sequence[str], timeout_s: float | None = None) -> NDArray[np.float32]:
        if self.refusals:
            raise self.refusals.pop(0)
        return super().embed_documents(texts, timeout_s)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    for number in range(3):
        (root / f"f{number}.py").write_text(f"def moor_{number}(ship):\n    return {number}\n", encoding="utf-8")
    return root


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load(None, [f"storage.directory={tmp_path / 'indexes'}"], {}).settings


def work_of(root: Path, settings: Settings, embedder: Noting) -> Work:
    return Work(root, settings, Meaning(embedder, "", None, "no table"))


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (LEFT_ALONE, True),
        (BusyError("too much waits"), True),
        (MemoryShortError("no room"), True),
        (MemoryShortError("never", ever=False), False),
        (ModelInvalidError("no model at all"), False),
    ],
)
def test_a_run_says_whether_what_ended_it_may_pass(
    root: Path, settings: Settings, error: EmbeddingError, passing: bool
) -> None:
    summary, _ = write(work_of(root, settings, Refusing(error)), lambda _: None, lambda: False, Scope())
    assert (summary.meaning_off, summary.passing, summary.finished) == (str(error), passing, True)


def test_waits_grow_to_ten_minutes_while_nothing_comes_of_it_and_are_short_again_after_that() -> None:
    waits = [0.0]
    for _ in range(7):
        waits.append(retry_after_s(passing=True, embedded=0, waited_s=waits[-1]))
    assert waits[1:] == [30, 60, 120, 240, 480, 600, 600]
    assert retry_after_s(passing=True, embedded=5, waited_s=RETRY_LONGEST_S) == RETRY_FIRST_S
    assert retry_after_s(passing=False, embedded=0, waited_s=60) == 0


def test_a_rest_ends_at_once_when_it_is_stopped() -> None:
    assert not rested(3600, lambda: True)
    assert rested(0, lambda: False)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits as short as can be."""
    monkeypatch.setattr(patience, "RETRY_FIRST_S", 0.01)


def commands() -> tuple[Commands, queue.SimpleQueue[str | None]]:
    """Commands whose input stays open; its end would end this process."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    return Commands(iter(lines.get, None), lambda _: None), lines  # type: ignore[arg-type] - lines are all it reads


@pytest.mark.usefixtures("impatient")
def test_a_servers_child_tries_again_by_itself_until_the_vectors_are_there(
    root: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "IDLE_S", 0.01)  # at rest it ends
    wire, asked = io.StringIO(), commands()[0]
    serve(work_of(root, settings, Refusing(LEFT_ALONE, LEFT_ALONE, LEFT_ALONE)), asked, wire, {"root": str(root)})
    summaries = [event["summary"] for event in map(json.loads, wire.getvalue().splitlines()) if "summary" in event]
    assert [one["vectors"] for one in summaries] == [0, 0, 0, 3]
    assert [one["retry_after_s"] for one in summaries] == [0.01, 0.02, 0.04, 0]
    assert [bool(one["meaning_off"]) for one in summaries] == [True, True, True, False]


@pytest.mark.usefixtures("impatient")
def test_a_server_that_indexes_in_its_own_process_tries_again_as_well(root: Path) -> None:
    embedder = Refusing(LEFT_ALONE, LEFT_ALONE)
    in_memory = load(None, ["storage.backend=memory"], {}).settings
    index = RootIndex(root, in_memory, lambda: Meaning(embedder, "", None, "no table"), in_thread)
    try:
        view = index.refresh().view()
        while index.stats().vectors < 3:
            changed = index.refresh_or_current().wait_for_change(view, PATIENCE_S)
            assert changed != view
            view = changed
    finally:
        index.close()


def test_the_terminals_index_is_over_when_the_model_is_left_alone(root: Path, settings: Settings) -> None:
    index = RootIndex(root, settings, lambda: Meaning(Refusing(LEFT_ALONE), "", None, "no table"), in_thread)
    try:
        view = index.refresh().view()
        while not view.resting:
            view = index.refresh_or_current().wait_for_change(view, PATIENCE_S)
        assert str(LEFT_ALONE) in view.sentence()
        assert view.stalled
    finally:
        index.close()


SUMMARY = {"finished": True, "meaning_off": "The model rests.", "retry_after_s": 60.0}


def test_a_view_says_why_vectors_wait_and_until_when() -> None:
    assert after(JobView(), {"summary": SUMMARY}).stalled == "The model rests. Indexing tries again within 60 seconds."
    for_good = after(JobView(), {"summary": SUMMARY | {"retry_after_s": 0.0}})
    assert for_good.stalled == "The model rests."
    assert after(JobView(), {"summary": SUMMARY | {"meaning_off": ""}}).stalled == ""
    assert after(after(JobView(), {"summary": SUMMARY}), {"asked": True}).stalled == "", "it is trying"


def test_a_job_that_ends_after_a_failure_for_good_was_not_interrupted_and_goes_on_saying_why() -> None:
    ended = after(after(JobView(), {"summary": SUMMARY | {"retry_after_s": 0.0}}), {"ended": ""})
    assert (ended.stalled, ended.interrupted) == ("The model rests.", False)


def test_a_job_that_ends_while_it_waits_was_interrupted_so_that_a_search_takes_it_up() -> None:
    ended = after(after(JobView(), {"summary": SUMMARY}), {"ended": ""})
    assert (ended.stalled, ended.interrupted) == ("", True)


@pytest.fixture
def stalled(root: Path) -> Iterator[RootIndex]:
    """A root whose text is there and whose vectors wait."""
    in_memory = load(None, ["storage.backend=memory"], {}).settings
    embedder = Refusing(*[LEFT_ALONE] * 100)
    index = RootIndex(root, in_memory, lambda: Meaning(embedder, "", None, "no table"), starting.in_thread)
    view = index.refresh().view()
    while not view.resting:
        view = index.refresh_or_current().wait_for_change(view, PATIENCE_S)
    yield index
    index.close()


def test_an_answer_says_once_why_there_are_no_vectors(stalled: RootIndex) -> None:
    said = "; ".join(stalled.freshness().notes)
    assert said.count(str(LEFT_ALONE)) == 1
    assert "tries again within 30 seconds" in said
    failed = f"this answer is without vectors: {LEFT_ALONE}"
    assert "; ".join(stalled.freshness((failed,), model_failed=True).notes).count(str(LEFT_ALONE)) == 1


def test_the_status_says_that_vectors_wait(stalled: RootIndex) -> None:
    status = stalled.status()
    assert "vectors wait: " + str(LEFT_ALONE) in status.sentence()
    assert status.running == ""
