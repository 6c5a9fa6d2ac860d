"""One model for many clients: who comes first, who waits, and what is said when it cannot be."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from embedding.errors import (
    BusyError,
    EmbeddingError,
    MemoryShortError,
    ModelFailedError,
    ModelLeftAloneError,
    ModelMissingError,
)
from embedding.lanes import pulse
from embedding.lanes.backlog import CLIENT_BYTES, MOST_QUERIES
from embedding.lanes.kept_breaker import KeptBreaker
from embedding.lanes.lane import Job
from embedding.local import LocalEmbedder
from embedding.model import ModelSpec, spec_for
from embedding.pressure import Bound, Gauge, Reading
from embedding.service import EmbeddingService
from embedding.settings import MemorySettings, ModelSettings
from embedding.wire import Frame, texts_frame
from tests.embedding.waiting import LIMIT_S, until

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
LONG = "several words that take the model a while " * 400


class Memory:
    """A machine whose memory is as short as a test wants it."""

    def __init__(self) -> None:
        self.used_share = 0.1
        self._gauge = Gauge()

    def read(self, pids: Sequence[int]) -> Reading:
        reading = self._gauge.read(pids)
        limit = 100 << 30
        return replace(reading, bounds=(Bound("this test", limit, int(self.used_share * limit)),), stall=None)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def opened(spec: ModelSpec, model_path: Path, memory: Memory) -> Iterator[EmbeddingService]:
    """A service with one child for documents."""
    embedder = LocalEmbedder(spec, model_path, ModelSettings(processes=1), MemorySettings(considerate=False))
    service = EmbeddingService(embedder._run, read=memory.read)
    yield service
    service.close()
    embedder.close()


def ask(service: EmbeddingService, client: str, text: str, kind: str = "document") -> Job:
    return service.ask(client, texts_frame(kind, [text]), 120.0)


def warm(service: EmbeddingService) -> int:
    """Has the child for documents started; its process id."""
    ask(service, "warm", "warm").answer.result(LIMIT_S)
    (pid,) = service.pids()
    return pid


@posix_only
def test_documents_stand_still_while_a_query_is_answered(opened: EmbeddingService) -> None:
    documents = psutil.Process(warm(opened))
    ask(opened, "a", "warm", "query").answer.result(LIMIT_S)
    (asker,) = set(opened.pids()) - {documents.pid}
    slow = opened.ask("b", texts_frame("document", [LONG] * 6), 120.0)
    os.kill(asker, signal.SIGSTOP)  # so that the query is under way for as long as this test looks
    query = ask(opened, "a", "where is it", "query")
    before = -1.0

    def still() -> bool:
        nonlocal before
        last, before = before, sum(documents.cpu_times()[:2])
        return last == before

    until(lambda: all(still() for _ in range(3)))
    os.kill(asker, signal.SIGCONT)
    assert query.answer.result(LIMIT_S).header["count"] == 1
    assert not slow.answer.done()
    assert slow.answer.result(60).header["count"] == 6


@posix_only
def test_documents_go_on_when_the_queries_that_waited_are_wanted_no_more(opened: EmbeddingService) -> None:
    documents = warm(opened)
    ask(opened, "a", "warm", "query").answer.result(LIMIT_S)
    (asker,) = set(opened.pids()) - {documents}
    slow = ask(opened, "b", LONG)
    os.kill(asker, signal.SIGSTOP)
    query, unwanted = ask(opened, "a", "where is it", "query"), ask(opened, "a", "and this", "query")
    unwanted.answer.cancel()
    os.kill(asker, signal.SIGCONT)
    query.answer.result(LIMIT_S)
    assert slow.answer.result(LIMIT_S).header["count"] == 1


def test_a_child_that_works_on_many_requests_without_a_pause_is_not_taken_for_one_gone_round_in_a_circle(
    opened: EmbeddingService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "LONGEST_CPU_S", 1.0)
    child = warm(opened)
    jobs = [ask(opened, "much", f"{LONG[:1500]} {number}") for number in range(60)]
    for job in jobs:
        job.answer.result(LIMIT_S)
    assert (opened.pids(), opened.state().restarts) == ([child], 0)
    assert sum(psutil.Process(child).cpu_times()[:2]) > 2.0


@posix_only
def test_a_client_with_little_to_do_does_not_wait_for_one_with_much(opened: EmbeddingService) -> None:
    pid = warm(opened)
    os.kill(pid, signal.SIGSTOP)
    order: list[str] = []
    jobs = [ask(opened, "much", f"{LONG[:2000]} {number}") for number in range(20)]
    jobs.append(ask(opened, "little", "a few words"))
    for job in jobs:
        job.answer.add_done_callback(lambda _, job=job: order.append(job.client))  # type: ignore[misc]
    os.kill(pid, signal.SIGCONT)
    for job in jobs:
        job.answer.result(LIMIT_S)
    assert order.index("little") <= 2


@posix_only
def test_who_sends_more_than_may_wait_is_told_when_to_come_back(opened: EmbeddingService) -> None:
    pid = warm(opened)
    os.kill(pid, signal.SIGSTOP)
    big = "x" * (CLIENT_BYTES // 2 - 100)
    try:
        under_way = ask(opened, "greedy", big)
        until(lambda: opened._lanes.documents[0].busy and not opened._backlog.documents)
        waiting = [ask(opened, "greedy", big) for _ in range(2)]
        with pytest.raises(BusyError, match="2 requests wait for the model already") as refused:
            ask(opened, "greedy", big)
        assert 0.1 <= refused.value.retry_after_s <= 30
        ask(opened, "modest", "a few words")
        opened.drop("greedy")
        assert all(job.answer.cancelled() for job in waiting)
        assert not under_way.answer.done()
    finally:
        os.kill(pid, signal.SIGKILL)


@posix_only
def test_what_nobody_wants_any_more_takes_no_room(opened: EmbeddingService) -> None:
    pid = warm(opened)
    os.kill(pid, signal.SIGSTOP)
    big = "x" * (CLIENT_BYTES // 2 - 100)
    try:
        ask(opened, "hasty", big)
        until(lambda: opened._lanes.documents[0].busy and not opened._backlog.documents)
        for _ in range(6):
            opened.withdraw(ask(opened, "hasty", big))
        assert opened.state().waiting == 0
        query = ask(opened, "hasty", "what", "query")
        opened.withdraw(query)
        assert query.answer.done()
    finally:
        os.kill(pid, signal.SIGKILL)


@posix_only
def test_too_many_queries_are_refused(opened: EmbeddingService) -> None:
    ask(opened, "a", "warm", "query").answer.result(LIMIT_S)
    (asker,) = opened.pids()
    os.kill(asker, signal.SIGSTOP)
    first = ask(opened, "a", "first", "query")
    until(lambda: not opened._backlog.queries)
    waiting = [ask(opened, "a", f"question {number}", "query") for number in range(MOST_QUERIES)]
    with pytest.raises(BusyError, match="64 queries wait"):
        ask(opened, "a", "one more", "query")
    os.kill(asker, signal.SIGCONT)
    assert all(job.answer.result(LIMIT_S).header["count"] == 1 for job in [first, *waiting])


def test_a_query_that_was_asked_lately_needs_no_child(opened: EmbeddingService) -> None:
    first = ask(opened, "a", "where is it", "query").answer.result(LIMIT_S)
    assert opened.end_idle(0.0) == 0
    again = ask(opened, "b", "where is it", "query").answer.result(LIMIT_S)
    assert again.body == first.body
    assert opened.pids() == []


def test_two_questions_are_not_taken_for_one_with_the_same_letters(opened: EmbeddingService) -> None:
    both = opened.ask("a", texts_frame("query", ["where", "is it"]), 120.0).answer.result(LIMIT_S)
    one = opened.ask("a", texts_frame("query", ["whereis it"]), 120.0).answer.result(LIMIT_S)
    assert (len(both.body), len(one.body)) == (2 * 4 * 384, 4 * 384)
    again = opened.ask("b", texts_frame("query", ["where", "is it"]), 120.0).answer.result(LIMIT_S)
    assert (again.body, again.header["count"]) == (both.body, 2)


@posix_only
def test_a_model_that_dies_three_times_in_a_row_is_left_alone_until_somebody_resets(opened: EmbeddingService) -> None:
    with ThreadPoolExecutor(1) as threads:
        for _ in range(2):
            job = opened.ask("a", texts_frame("document", [LONG] * 20), 120.0)
            threads.submit(_kill_whatever_starts, opened, job)
            with pytest.raises((ModelFailedError, ModelLeftAloneError)):
                job.answer.result(LIMIT_S)
    with pytest.raises(ModelLeftAloneError, match=r"failed [34] times in a row .* run 'codeloupe service reset'"):
        ask(opened, "a", "anything", "query")
    assert "SIGKILL" in opened.state().left_alone
    opened.reset()
    assert ask(opened, "a", "anything", "query").answer.result(LIMIT_S).header["count"] == 1
    assert opened.state().left_alone == ""


def _kill_whatever_starts(service: EmbeddingService, job: Job) -> None:
    while not job.answer.done():
        until(lambda: job.answer.done() or service.pids())
        for pid in service.pids():
            with suppress(ProcessLookupError):  # killed, and its end seen, meanwhile
                os.kill(pid, signal.SIGKILL)


def test_short_memory_pauses_documents_and_then_unloads_and_all_come_back(
    opened: EmbeddingService, memory: Memory
) -> None:
    warm(opened)
    ask(opened, "a", "warm", "query").answer.result(LIMIT_S)
    memory.used_share = 0.92
    until(lambda: opened.state().paused)
    until(lambda: len(opened.pids()) == 1)  # the one for queries stays
    waiting = ask(opened, "a", "a document")
    assert opened.state().children_allowed == 0
    memory.used_share = 0.97
    until(lambda: not opened.pids())
    with pytest.raises(MemoryShortError, match=r"There is no memory now for a process of all-minilm"):
        ask(opened, "a", "a new question", "query").answer.result(LIMIT_S)
    assert not waiting.answer.done()
    memory.used_share = 0.1
    assert waiting.answer.result(60).header["count"] == 1
    assert opened.state().paused == ""


def test_a_trial_that_finds_no_model_file_leaves_room_for_the_next(tiny_decoder: Path, tmp_path: Path) -> None:
    path = tmp_path / "moved.gguf"
    shutil.copy(tiny_decoder, path)
    now = 1_800_000_000.0
    breaker = KeptBreaker(clock=lambda: now)
    for _ in range(3):
        breaker.failed("it died")
    embedder = LocalEmbedder(spec_for(str(path)), path, ModelSettings(processes=1))
    service = EmbeddingService(embedder._run, breaker)
    path.rename(tmp_path / "away.gguf")
    now += 31
    with pytest.raises(ModelMissingError):
        ask(service, "a", "one", "query").answer.result(LIMIT_S)
    (tmp_path / "away.gguf").rename(path)
    assert ask(service, "a", "two", "query").answer.result(LIMIT_S).header["count"] == 1
    service.close()
    embedder.close()


def test_a_model_that_can_never_fit_is_refused_with_what_would_do(spec: ModelSpec, model_path: Path) -> None:
    embedder = LocalEmbedder(spec, model_path, ModelSettings(), MemorySettings(budget="64MB"))
    with pytest.raises(MemoryShortError, match=r"too little memory for .* it needs .* memory\.budget"):
        embedder.embed_query("anything")
    with pytest.raises(MemoryShortError, match="too little memory"):
        embedder.embed_documents(["anything"])
    embedder.close()


def test_what_waits_when_the_service_closes_fails_in_words(opened: EmbeddingService) -> None:
    jobs = [opened.ask("a", texts_frame("document", [LONG] * 20), None) for _ in range(3)]
    opened.close()
    for job in jobs:
        with pytest.raises(EmbeddingError, match="closed"):
            job.answer.result(LIMIT_S)
    with pytest.raises(EmbeddingError, match="closed"):
        opened.ask("a", Frame({"embed": "query", "sizes": [1]}, b"x"))
