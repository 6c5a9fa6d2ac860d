"""A service that finds out how to run its model before it begins with documents."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from benchmarks.shapes import TINY, write_model
from embedding.child import trial
from embedding.child.trial import worth_trying
from embedding.child.tuner import Tuner
from embedding.child.tuning import Tuning, note_path, remember, remembered
from embedding.errors import MemoryShortError, ModelFailedError
from embedding.model import Pooling
from embedding.model_run import ModelRun, usable_cores
from embedding.process import Child
from embedding.service import EmbeddingService
from embedding.settings import MemorySettings, ModelSettings
from embedding.wire import Frame, Load, texts_frame
from tests.embedding.waiting import LIMIT_S, until


@pytest.fixture
def run(tmp_path: Path) -> ModelRun:
    """A model with weights that may be repacked."""
    path = tmp_path / "mixed.gguf"
    write_model(replace(TINY, mix=True, width=256, feed_forward=512), path)
    load = Load(str(path), 256, Pooling.LAST, 512, None, False, 1, 0, "", "")
    return ModelRun("mixed", load, ModelSettings(processes=1), MemorySettings(considerate=False))


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing else to do, whatever the real one does."""
    monkeypatch.setattr(trial, "_QUIET", 0.0)


@pytest.fixture
def service(run: ModelRun) -> Iterator[EmbeddingService]:
    opened = EmbeddingService(run)
    yield opened
    opened.close()


def test_the_first_documents_find_the_tuning_and_are_embedded_then(
    run: ModelRun, service: EmbeddingService, quiet: None
) -> None:
    assert service.ask("me", texts_frame("document", ["a text"])).answer.result(LIMIT_S).header["count"] == 1
    assert remembered(run.path, usable_cores()) is not None
    assert service.state().paused == ""


def test_queries_are_answered_while_the_model_is_tried(
    run: ModelRun, service: EmbeddingService, quiet: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()
    measure = trial.measure

    def measure_once_a_query_is_answered(*arguments: object) -> object:
        assert answered.wait(LIMIT_S)
        return measure(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(trial, "measure", measure_once_a_query_is_answered)
    document = service.ask("me", texts_frame("document", ["a text"]))
    until(lambda: "is being tried in several ways" in service.state().paused)
    service.ask("me", texts_frame("query", ["a question"])).answer.result(LIMIT_S)
    assert not document.answer.done()
    answered.set()
    document.answer.result(LIMIT_S)


def test_a_service_that_closes_in_the_middle_leaves_no_child(
    run: ModelRun, service: EmbeddingService, quiet: None
) -> None:
    before = set(psutil.Process().children())
    service.ask("me", texts_frame("document", ["a text"]))
    until(lambda: set(psutil.Process().children()) - before)
    service.close()
    until(lambda: not [child for child in psutil.Process().children() if child not in before and child.is_running()])
    assert not note_path(run.path).exists()


def test_what_is_remembered_is_used_from_the_first_child(run: ModelRun) -> None:
    remember(run.path, usable_cores(), Tuning(repack=True, query_threads=1))
    tuner = Tuner(run, Child, print)
    assert run.for_queries(tuner.tuning).repack
    assert run.for_documents(tuner.tuning).repack


def test_threads_the_user_chose_are_kept(run: ModelRun) -> None:
    chosen = replace(run, settings=ModelSettings(query_threads=3))
    assert chosen.for_queries(Tuning(repack=False, query_threads=1)).threads == 3
    assert chosen.for_documents(Tuning(repack=False, query_threads=1)).threads == 1


def test_without_memory_for_a_trial_the_defaults_do(run: ModelRun, quiet: None) -> None:
    over: list[bool] = []

    def refuse(load: Load) -> Child:
        raise MemoryShortError("There is none.")

    tuner = Tuner(run, refuse, over.append)
    until(tuner.settled)
    until(lambda: over)
    assert tuner.tuning == run.default_tuning
    assert over == [False]
    assert tuner.why == ""


class EndedMeanwhile(Child):
    """Ended for want of memory as soon as it has answered."""

    def ask(self, request: Frame, timeout_s: float) -> Frame:
        answer = super().ask(request, timeout_s)
        if "embed" in request.header:
            self.kill()
        return answer


def test_a_child_on_trial_that_is_ended_between_two_requests_is_no_bug(run: ModelRun, quiet: None) -> None:
    with pytest.raises(ModelFailedError, match="has ended"):
        trial.measure(run.load, usable_cores(), lambda _: False, EndedMeanwhile)


def test_a_small_model_without_quantised_weights_is_not_tried(model_path: Path, run: ModelRun) -> None:
    assert not worth_trying(model_path)
    assert worth_trying(run.path)
