"""A child is given up for what it does, not for how long it takes."""

from __future__ import annotations

import os

from embedding.lanes.pulse import LONGEST_CPU_S, STILL_S, Pulse, processor_seconds


class Child:
    """With a clock and processor time of the test's own."""

    def __init__(self) -> None:
        self.now = self.cpu_s = 100.0
        self.pulse = Pulse(lambda: self.now, lambda pid: self.cpu_s)

    def lives(self, seconds: float, cpu_s: float, work: int = 1) -> str:
        self.now += seconds
        self.cpu_s += cpu_s
        return self.pulse.lost(7, work)


def test_one_that_gets_a_little_of_the_processor_is_waited_for() -> None:
    child = Child()
    assert not any(child.lives(STILL_S, 0.02) for _ in range(1000))


def test_one_that_takes_none_is_given_up() -> None:
    child = Child()
    assert child.lives(0, 0) == ""
    assert child.lives(STILL_S, 0) == ""
    assert "no processor time for 120 s" in child.lives(1, 0)


def test_one_that_goes_round_in_a_circle_is_given_up() -> None:
    child = Child()
    assert child.lives(0, 0) == ""
    assert "1800 s of processor time on one request" in child.lives(3000, LONGEST_CPU_S + 1)


def test_one_that_rested_begins_anew() -> None:
    child = Child()
    child.lives(0, 0)
    child.lives(3000, LONGEST_CPU_S)
    child.pulse.forget(7)
    assert child.lives(STILL_S + 1, 0) == ""
    assert child.lives(STILL_S - 1, LONGEST_CPU_S) == ""


def test_one_that_works_on_one_request_after_the_other_for_a_day_is_not_given_up() -> None:
    child = Child()
    assert not any(child.lives(100, 100, work) for work in range(864))


def test_one_under_the_number_of_another_that_died_begins_anew() -> None:
    child = Child()
    child.lives(0, 0)
    child.pulse.keep([8])
    assert child.lives(STILL_S + 1, -50.0) == ""


def test_processor_time_is_the_systems() -> None:
    assert 0 < processor_seconds(os.getpid()) < 1e6
    assert processor_seconds(2**22 + 1) == 0.0
