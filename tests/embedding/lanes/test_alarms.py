from __future__ import annotations

import math
import queue
import threading

import pytest

from embedding.lanes.alarms import Alarms
from tests.embedding.waiting import LIMIT_S


@pytest.fixture
def alarms() -> Alarms:
    return Alarms()


@pytest.fixture
def rung() -> queue.SimpleQueue[str]:
    return queue.SimpleQueue()


def test_what_is_due_first_rings_first_whenever_it_was_set(alarms: Alarms, rung: queue.SimpleQueue[str]) -> None:
    first_done = threading.Event()

    def first() -> None:
        rung.put("at once")
        first_done.set()

    def later() -> None:
        assert first_done.wait(LIMIT_S)
        rung.put("later")

    alarms.set(math.inf, lambda: rung.put("never"))
    alarms.set(0.05, later)
    alarms.set(0.0, first)
    assert [rung.get(timeout=LIMIT_S) for _ in range(2)] == ["at once", "later"]


def test_what_is_cancelled_does_not_ring(alarms: Alarms, rung: queue.SimpleQueue[str]) -> None:
    alarms.cancel(alarms.set(0.01, lambda: rung.put("cancelled")))
    alarms.set(0.02, lambda: rung.put("wanted"))
    assert rung.get(timeout=LIMIT_S) == "wanted"
    assert rung.empty()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_action_that_fails_or_hangs_leaves_the_others_their_time(
    alarms: Alarms, rung: queue.SimpleQueue[str]
) -> None:
    ended = threading.Event()
    alarms.set(0.0, lambda: 1 / 0)
    alarms.set(0.0, lambda: ended.wait(LIMIT_S))
    alarms.set(0.01, lambda: rung.put("rung"))
    assert rung.get(timeout=LIMIT_S) == "rung"
    ended.set()


def test_ten_thousand_that_were_cancelled_are_not_kept(alarms: Alarms) -> None:
    wanted = alarms.set(3600.0, lambda: None)
    for _ in range(10_000):
        alarm = alarms.set(3600.0, lambda: None)
        alarms.cancel(alarm)
        alarms.cancel(alarm)
    assert 1 <= len(alarms) < 200
    assert not wanted.cancelled


def test_one_that_has_rung_may_be_cancelled(alarms: Alarms, rung: queue.SimpleQueue[str]) -> None:
    alarm = alarms.set(0.0, lambda: rung.put("rung"))
    assert rung.get(timeout=LIMIT_S) == "rung"
    alarms.cancel(alarm)
    alarms.set(0.0, lambda: rung.put("next"))
    assert rung.get(timeout=LIMIT_S) == "next"
