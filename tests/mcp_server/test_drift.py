"""The look at a directory: waited for a little, not repeated too often, its failure kept as a sentence."""

import threading

from mcp_server.drift import Drift, DriftCheck


def test_the_outcome_is_waited_for():
    check = DriftCheck(lambda: (3, 1), (OSError,))
    seen = check.latest(10)
    assert (seen.changed, seen.new) == (3, 1)


def test_a_slow_look_gives_the_last_outcome_meanwhile():
    gate = threading.Event()

    def look():
        gate.wait(10)
        return 1, 0

    check = DriftCheck(look, (OSError,))
    assert check.latest(0.01) is None
    gate.set()
    assert check.latest(10).changed == 1


def test_a_look_is_due_again_after_twenty_times_its_length():
    drift = Drift(0, 0, at=100.0, took_s=2.0)
    assert not drift.due(141.9)
    assert drift.due(142.0)


def test_quick_looks_rest_a_tenth_of_a_second():
    drift = Drift(0, 0, at=100.0, took_s=0.0)
    assert not drift.due(100.05)
    assert drift.due(100.11)


def test_a_failed_look_is_told_and_tried_again():
    outcomes = iter([OSError("the root is gone"), (0, 0)])

    def look():
        outcome = next(outcomes)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    check = DriftCheck(look, (OSError,))
    assert check.latest(10) is None
    assert check.error == "the root is gone"
    assert check.latest(10).changed == 0
    assert check.error == ""
