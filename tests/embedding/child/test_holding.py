"""A child that stands still in the middle of a batch, and goes on."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
import pytest

from embedding.child.holding import Hold
from embedding.errors import EmbeddingTimeoutError
from embedding.model import Pooling
from embedding.process import Child, ChildDiedError
from embedding.wire import Frame, Load, texts_frame
from tests.embedding.waiting import LIMIT_S, until

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
LONG_WORK = texts_frame("document", ["several words that take the model a while " * 25] * 40)  # some seconds
TICKS = 0.03  # s of processor time, in what a system counts it by (.01 s): what a child at rest does not take


def load_for(path: Path, threads: int = 1) -> Load:
    return Load(str(path), 384, Pooling.MEAN, 256, None, False, threads, 0, "", "")


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def child(request: pytest.FixtureRequest, model_path: Path) -> Iterator[Child]:
    started = Child(load_for(model_path, request.param))
    yield started
    started.kill()


@pytest.fixture
def asker() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def spent(child: Child) -> float:
    """Seconds of processor time it has taken."""
    return sum(psutil.Process(child.pid).cpu_times()[:2])


def stands_still(child: Child) -> bool:
    """Whether it takes no processor time for a fifth of a second."""
    before = spent(child)
    threading.Event().wait(0.2)
    return spent(child) - before < TICKS


def at_work(child: Child, asker: ThreadPoolExecutor, timeout_s: float = LIMIT_S) -> Future[Frame]:
    before = spent(child)
    answer = asker.submit(child.ask, LONG_WORK, timeout_s)
    until(lambda: spent(child) > before + 0.1)
    return answer


def test_a_batch_under_way_stands_still_and_goes_on_to_the_same_vectors(
    child: Child, asker: ThreadPoolExecutor
) -> None:
    expected = np.frombuffer(child.ask(LONG_WORK, LIMIT_S).body, "<f4").reshape(-1, 384)
    answer = at_work(child, asker)
    child.hold()
    until(lambda: stands_still(child))
    assert not answer.done()
    child.release()
    vectors = np.frombuffer(answer.result(LIMIT_S).body, "<f4").reshape(-1, 384)
    assert float((vectors * expected).sum(1).min()) > 0.99999


def test_a_request_to_a_child_that_is_held_waits_for_its_release(child: Child, asker: ThreadPoolExecutor) -> None:
    child.hold()
    answer = asker.submit(child.ask, texts_frame("query", ["where is it"]), LIMIT_S)
    until(lambda: child._countdown)
    until(lambda: stands_still(child))
    assert not answer.done()
    child.release()
    assert answer.result(LIMIT_S).header["count"] == 1


def test_time_held_is_not_counted_against_the_deadline(child: Child, asker: ThreadPoolExecutor) -> None:
    child.hold()
    answer = asker.submit(child.ask, LONG_WORK, 0.05)
    threading.Event().wait(0.2)
    assert not answer.done()
    assert psutil.pid_exists(child.pid)
    child.release()
    with pytest.raises(EmbeddingTimeoutError, match=r"no answer within 0\.1 s"):
        answer.result(LIMIT_S)


def test_holds_and_releases_by_many_threads_never_mix_with_a_request(child: Child, asker: ThreadPoolExecutor) -> None:
    """A frame inside another would end the child: what follows is no frame."""
    over = threading.Event()

    def waver() -> None:
        while not over.is_set():
            child.hold()
            child.release()

    wavering = [threading.Thread(target=waver) for _ in range(3)]
    for thread in wavering:
        thread.start()
    large = texts_frame("document", ["a" * 300_000])  # more than a pipe holds; one word, and soon read
    try:
        answers = [child.ask(large, LIMIT_S) for _ in range(20)]
    finally:
        over.set()
        for thread in wavering:
            thread.join(LIMIT_S)
    assert [answer.header["count"] for answer in answers] == [1] * 20


@posix_only
def test_holding_waits_for_no_child_that_does_not_read_its_request(child: Child, asker: ThreadPoolExecutor) -> None:
    large = texts_frame("document", ["a" * 2_000_000])  # more than a pipe holds
    os.kill(child.pid, signal.SIGSTOP)
    until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_STOPPED)
    answer = asker.submit(child.ask, large, LIMIT_S)
    until(child._writing.locked)
    asker.submit(child.hold).result(LIMIT_S / 3)
    os.kill(child.pid, signal.SIGCONT)
    until(lambda: child._told)
    until(lambda: stands_still(child))
    assert not answer.done()
    child.release()
    assert answer.result(LIMIT_S).header["count"] == 1


def test_a_pipe_closed_while_held_ends_the_child(child: Child, asker: ThreadPoolExecutor) -> None:
    answer = at_work(child, asker)
    child.hold()
    until(lambda: stands_still(child))
    process = psutil.Process(child.pid)
    child.close()
    assert not process.is_running()
    with pytest.raises(ChildDiedError, match="exit code 0"):
        answer.result(LIMIT_S)


def test_holding_a_child_that_has_ended_is_left_to_who_asks_it(child: Child) -> None:
    psutil.Process(child.pid).kill()
    psutil.Process(child.pid).wait(LIMIT_S)
    child.hold()
    child.release()
    with pytest.raises(ChildDiedError):
        child.ask(LONG_WORK, LIMIT_S)
    child.hold()


def test_held_twice_is_held_once_and_released_by_one_word() -> None:
    hold = Hold()
    for held in (True, True, False):
        hold.set(held)
    waiting = threading.Thread(target=hold.wait, daemon=True)
    waiting.start()
    waiting.join(LIMIT_S)
    assert not waiting.is_alive()
