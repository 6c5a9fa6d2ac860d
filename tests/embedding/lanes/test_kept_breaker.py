"""What a service leaves to the next one of whether its model is left alone."""

from __future__ import annotations

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from embedding.lanes.kept_breaker import KeptBreaker

START = 1_800_000_000.0


class Clock:
    now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "breaker.json"


def failed(path: Path, clock: Clock) -> KeptBreaker:
    breaker = KeptBreaker(path, clock)
    for _ in range(3):
        assert breaker.may_try()
        breaker.failed("it died of signal 11.")
    return breaker


def test_a_model_that_never_failed_leaves_no_file(path: Path, clock: Clock) -> None:
    breaker = KeptBreaker(path, clock)
    assert breaker.may_try()
    breaker.succeeded()
    assert not path.exists()


def test_the_next_service_knows_that_the_model_is_left_alone_until_it_works(path: Path, clock: Clock) -> None:
    failed(path, clock)
    clock.now += 10
    later = KeptBreaker(path, clock)
    assert not later.may_try()
    assert "it died of signal 11." in later.sentence()
    clock.now += 20
    assert later.may_try()
    later.succeeded()
    assert KeptBreaker(path, clock).sentence() == ""


def test_a_clock_that_is_set_back_does_not_lengthen_a_rest(path: Path, clock: Clock) -> None:
    breaker = failed(path, clock)
    clock.now -= 3600
    assert breaker.is_resting()
    clock.now += 31
    assert not breaker.is_resting()
    assert breaker.may_try()


def test_a_service_that_is_killed_during_a_trial_has_failed_it(path: Path, clock: Clock) -> None:
    failed(path, clock)
    clock.now += 30
    assert KeptBreaker(path, clock).may_try()
    after_the_kill = KeptBreaker(path, clock)
    clock.now += 59
    assert not after_the_kill.may_try()
    clock.now += 1
    assert after_the_kill.may_try()


def test_a_service_that_ends_in_order_during_a_trial_has_not_failed_it(path: Path, clock: Clock) -> None:
    breaker = failed(path, clock)
    clock.now += 30
    assert breaker.may_try()
    breaker.withdrawn()
    assert KeptBreaker(path, clock).may_try()


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of files are POSIX's")
def test_the_file_is_the_users_alone(path: Path, clock: Clock) -> None:
    failed(path, clock)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path], "nothing is left aside"


def test_a_directory_that_cannot_be_written_costs_the_next_service_its_knowledge_alone(
    tmp_path: Path, clock: Clock
) -> None:
    breaker = failed(tmp_path / "gone" / "breaker.json", clock)
    assert not breaker.may_try()


def test_of_many_threads_one_makes_the_trial(path: Path, clock: Clock) -> None:
    breaker = failed(path, clock)
    clock.now += 30
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda _: breaker.may_try(), range(64))) == 1
