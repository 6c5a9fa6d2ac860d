"""What the service does about memory, with readings put into its hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from embedding.errors import MemoryShortError
from embedding.local import LocalEmbedder
from embedding.model import spec_for
from embedding.pressure import Bound, Reading
from embedding.settings import MemorySettings, ModelSettings
from tests.embedding.waiting import until

GB = 10**9
TEXTS = [f"def f{number}(): return {number}" for number in range(40)]


@dataclass
class Readings:
    """In place of a Gauge: the machine has 100 GB, and ``share`` of it is used."""

    share: float = 0.1
    looks: int = 0

    def read(self, pids: Sequence[int]) -> Reading:
        self.looks += 1
        bounds = (Bound("this machine", 100 * GB, int(self.share * 100 * GB)),)
        return Reading(bounds, 10_000_000 * len(pids), 1_000_000, cores=2)


@pytest.fixture
def readings(monkeypatch) -> Readings:
    """Looked at often; calm and critical last .1 s instead of 10."""
    readings = Readings()
    monkeypatch.setattr("embedding.service.Gauge", lambda: readings)
    for name, seconds in (
        ("embedding.lanes.governing.EVERY_S", 0.01),
        ("embedding.lanes.governing.AT_REST_S", 0.01),
        ("embedding.governor.HOLD_S", 0.1),
        ("embedding.governor.UNLOAD_AFTER_S", 0.1),
    ):
        monkeypatch.setattr(name, seconds)
    return readings


@pytest.fixture
def embedder(readings, tiny_decoder) -> Iterator[LocalEmbedder]:
    spec = replace(spec_for(str(tiny_decoder)), window=64)
    opened = LocalEmbedder(spec, tiny_decoder, ModelSettings(processes=2), MemorySettings())
    yield opened
    opened.close()


def documents(embedder: LocalEmbedder) -> list[int]:
    """Process ids of the children for documents."""
    return [lane.child.pid for lane in embedder.service._lanes.documents if lane.child is not None]


def test_a_pause_ends_a_child_at_work_and_its_documents_are_embedded_after_it(embedder, readings, monkeypatch):
    monkeypatch.setattr("embedding.governor.UNLOAD_AFTER_S", 600.0)
    expected = embedder.embed_documents(TEXTS, timeout_s=60)
    lanes = [lane for lane in embedder.service._lanes.documents if lane.child is not None]
    for lane in lanes:
        lane.child.hold()  # so that it is surely at work when memory gets short, for minutes if need be
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(embedder.embed_documents, TEXTS, 60.0)
        until(lambda: any(lane.busy for lane in lanes))
        readings.share = 0.92
        until(lambda: not documents(embedder))
        assert embedder.state().paused.startswith("this machine uses 92.0 GB of 100 GB (92%)")
        assert not answer.done()
        readings.share = 0.1
        vectors = answer.result(60)
    assert (vectors * expected).sum(axis=1).min() > 0.999
    assert embedder.state().restarts == 0  # nothing is wrong with the model


def test_where_it_stays_critical_the_model_goes_and_a_query_is_told_why_until_memory_is_back(embedder, readings):
    embedder.embed_query("warm", timeout_s=60)
    readings.share = 0.93
    until(lambda: not embedder.pids())
    with pytest.raises(MemoryShortError, match=r"no memory now for a process of .*: this machine uses 93.0 GB of"):
        embedder.embed_query("where", timeout_s=60)
    assert embedder.state().level == "critical"
    readings.share = 0.5
    until(lambda: embedder.state().level == "low")
    assert embedder.embed_query("where", timeout_s=60).shape == (64,)


def test_the_file_leaves_memory_once_after_the_last_child_and_again_the_next_time(embedder, readings, monkeypatch):
    left = []
    monkeypatch.setattr("embedding.service.let_go", lambda path: left.append((path, embedder.pids())))

    def shortage(number: int) -> None:
        embedder.embed_query(f"warm {number}", timeout_s=60)
        readings.share = 0.97
        until(lambda: len(left) == number)
        looks = readings.looks
        until(lambda: readings.looks > looks + 3)
        readings.share = 0.1
        until(lambda: not embedder.service._governing.decision.unload)

    shortage(1)
    shortage(2)
    assert left == [(embedder.service._run.path, [])] * 2


def test_next_to_the_limit_everything_goes_at_once(embedder, readings, monkeypatch):
    monkeypatch.setattr("embedding.governor.UNLOAD_AFTER_S", 600.0)
    embedder.embed_query("warm", timeout_s=60)
    readings.share = 0.96
    until(lambda: not embedder.pids())


def test_a_pause_that_is_enough_leaves_the_query_its_model(embedder, readings):
    embedder.embed_documents(TEXTS, timeout_s=60)
    embedder.embed_query("warm", timeout_s=60)
    (query,) = set(embedder.pids()) - set(documents(embedder))
    readings.share = 0.91
    until(lambda: not documents(embedder))
    readings.share = 0.87
    until(lambda: embedder.state().why.endswith("it eases below 85%"))
    assert embedder.pids() == [query]
    assert embedder.embed_query("where", timeout_s=60).shape == (64,)
