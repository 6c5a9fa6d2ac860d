from __future__ import annotations

import math
import threading

import pytest

from embedding.lanes.countdown import Countdown
from tests.embedding.waiting import LIMIT_S


@pytest.fixture
def rung() -> threading.Event:
    return threading.Event()


def test_it_rings_once_the_time_is_over(rung: threading.Event) -> None:
    Countdown(0.01, rung.set)
    assert rung.wait(LIMIT_S)


def test_time_held_does_not_count(rung: threading.Event) -> None:
    countdown = Countdown(0.0, rung.set, held=True)
    countdown.hold()
    assert not rung.wait(0.05)
    countdown.go_on()
    countdown.go_on()
    assert rung.wait(LIMIT_S)


def test_what_passed_before_a_hold_counts(rung: threading.Event) -> None:
    countdown = Countdown(3600, rung.set)
    countdown._since -= 3600  # an hour later
    countdown.hold()
    assert not rung.is_set()
    countdown.go_on()
    assert rung.wait(LIMIT_S)


def test_stopped_it_never_rings(rung: threading.Event) -> None:
    countdown = Countdown(0.0, rung.set, held=True)
    countdown.stop()
    countdown.go_on()
    assert not rung.wait(0.05)


def test_an_alarm_cancelled_too_late_is_not_heard(rung: threading.Event) -> None:
    countdown = Countdown(3600, rung.set)
    late = countdown._turn
    countdown.hold()
    countdown._ring(late)
    assert not rung.is_set()


def test_a_deadline_at_infinity_is_no_error(rung: threading.Event) -> None:
    Countdown(math.inf, rung.set).stop()
    assert not rung.is_set()
