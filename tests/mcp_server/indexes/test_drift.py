"""The look at a directory: waited for a little, repeated when it is cheap or when something was heard."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from indexer.watch import MOST_PATHS, NOTHING, Heard
from mcp_server.indexes.drift import (
    FIRST_RECHECK_S,
    LEAST_PART_REST_S,
    LONGEST_RECHECK_S,
    Drift,
    DriftCheck,
    Seen,
    Trust,
    extent,
)

SAME = Seen(frozenset(), frozenset())


def seen(*paths: str, new: tuple[str, ...] = ()) -> Seen:
    return Seen(frozenset(paths), frozenset(new))


class Ears:
    """What is heard is put in by hand."""

    def __init__(self) -> None:
        self.heard = NOTHING

    def listen(self) -> None:
        pass

    def pending(self) -> Heard:
        return self.heard

    def take(self) -> Heard:
        taken, self.heard = self.heard, NOTHING
        return taken

    def give_back(self, heard: Heard) -> None:
        self.heard = heard.then(self.heard)


def test_the_outcome_is_waited_for():
    check = DriftCheck(lambda _: seen("a", "b", "c", new=("a",)), (OSError,))
    drift = check.latest(10)
    assert (drift.changed, drift.new) == (3, 1)


def test_a_slow_look_gives_the_last_outcome_meanwhile():
    gate = threading.Event()

    def look(_):
        gate.wait(10)
        return seen("a")

    check = DriftCheck(look, (OSError,))
    assert check.latest(0.01) is None
    gate.set()
    assert check.latest(10).changed == 1


def test_without_a_listener_a_look_is_due_again_after_twenty_times_its_length():
    last = Drift(SAME, at=100.0, took_s=2.0, whole_at=100.0, whole_took_s=2.0)
    assert extent(last, NOTHING, None, 141.9) == ""
    assert extent(last, NOTHING, None, 142.0) == "whole"


def test_quick_looks_rest_a_tenth_of_a_second():
    last = Drift(SAME, at=100.0, took_s=0.0, whole_at=100.0)
    assert extent(last, NOTHING, None, 100.05) == ""
    assert extent(last, NOTHING, None, 100.11) == "whole"


QUIET = Drift(SAME, at=100.0, took_s=0.001, whole_at=100.0, whole_took_s=0.1)


def test_a_listener_that_hears_nothing_spares_the_look_until_the_next_recheck():
    assert extent(QUIET, NOTHING, Trust(30.0), 129.9) == ""
    assert extent(QUIET, NOTHING, Trust(30.0), 130.0) == "whole"


def test_once_something_was_heard_everything_is_looked_at_again_soon():
    told = replace(QUIET, told_at=103.0)
    assert extent(told, NOTHING, Trust(60.0), 104.9) == ""
    assert extent(told, NOTHING, Trust(60.0), 105.0) == "whole"


def test_paths_that_were_heard_of_or_differed_are_looked_at_alone():
    assert extent(QUIET, Heard(frozenset({"a.py"})), Trust(), 100.5) == "part"
    assert extent(replace(QUIET, seen=seen("b.py")), NOTHING, Trust(), 100.5) == "part"


def test_what_may_be_anywhere_or_is_much_is_looked_for_everywhere():
    many = frozenset(f"{number}.py" for number in range(MOST_PATHS + 1))
    assert extent(QUIET, Heard(anywhere=True), Trust(), 100.6) == "whole"
    assert extent(QUIET, Heard(many), Trust(), 100.6) == "whole"


def test_trust_grows_with_looks_that_find_nothing_untold_and_ends_with_misses():
    trust = Trust()
    for _ in range(10):
        trust = trust.after(untold=False)
    assert trust.recheck_s == LONGEST_RECHECK_S
    assert trust.after(untold=True) == Trust(FIRST_RECHECK_S, 1)
    assert trust.after(untold=True).after(untold=False).misses == 0


def test_what_was_heard_counts_as_changed_until_it_has_been_looked_at():
    gate = threading.Event()
    gate.set()
    asked: list[frozenset[str] | None] = []

    def look(paths):
        asked.append(paths)
        assert gate.wait(10)
        return SAME if paths is None else Seen(paths - {"same.py"}, frozenset())

    ears = Ears()
    check = DriftCheck(look, (OSError,))
    check.latest(10)
    check.rely_upon(ears)
    ears.heard = Heard(frozenset({"same.py", "other.py"}))
    assert check._with_heard().changed == 2
    drift = latest_that(check, lambda drift: not drift.heard and drift.changed)
    assert drift.seen.different == {"other.py"}
    assert asked == [None, frozenset({"same.py", "other.py"})]


def latest_that(check: DriftCheck, holds) -> Drift:
    """The first outcome for which ``holds``; each asking waits for a look, so that some are enough."""
    for _ in range(1000):
        drift = check.latest(10)
        if drift is not None and holds(drift):
            return drift
        threading.Event().wait(0.005)
    raise AssertionError("no such outcome")


def test_what_is_being_looked_at_counts_as_changed_until_that_is_done():
    gate = threading.Event()

    def look(paths):
        assert paths is None or gate.wait(10)
        return SAME

    ears = Ears()
    check = DriftCheck(look, (OSError,))
    check.latest(10)
    check.rely_upon(ears)
    threading.Event().wait(LEAST_PART_REST_S)
    ears.heard = Heard(frozenset({"a.py"}))
    assert check.latest(0.01).changed == 1
    assert not ears.heard
    gate.set()
    assert latest_that(check, lambda drift: not drift.heard).changed == 0


def test_a_look_that_fails_gives_back_what_was_heard():
    def look(paths):
        if paths:
            raise OSError("the root is gone")
        return SAME

    ears = Ears()
    check = DriftCheck(look, (OSError,))
    check.latest(10)
    check.rely_upon(ears)
    ears.heard = Heard(frozenset({"a.py"}))
    for _ in range(1000):
        check.latest(10)
        if check.error:
            break
        threading.Event().wait(0.005)
    assert check.error == "the root is gone"
    assert ears.heard.paths == {"a.py"}


@pytest.mark.parametrize(
    ("told", "relied"),
    [
        pytest.param(frozenset({"a.py"}), True, id="told of the file"),
        pytest.param(frozenset({"a"}), True, id="told of its directory"),
        pytest.param(frozenset(), False, id="told of nothing"),
    ],
)
def test_a_listener_is_relied_upon_as_long_as_it_tells_of_what_is_found(told, relied):
    check = DriftCheck(lambda _: SAME, (OSError,))
    check.latest(10)
    check.rely_upon(Ears())
    found = seen("a/b.py") if "a" in told else seen("a.py")
    for _ in range(2):
        check._judge(found, QUIET, Heard(told))
    assert check.relied_upon is relied


def test_what_differs_while_the_index_is_written_is_nobodys_fault():
    check = DriftCheck(lambda _: SAME, (OSError,))
    check.rely_upon(Ears())
    for _ in range(5):
        check._judge(replace(seen("a.py"), at_rest=False), QUIET, NOTHING)
    assert check.relied_upon


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_a_look_that_ended_by_a_bug_and_the_next_one_looks():
    outcomes = iter([ZeroDivisionError("a bug"), SAME])

    def look(_):
        outcome = next(outcomes)
        if isinstance(outcome, ZeroDivisionError):
            raise outcome
        return outcome

    check = DriftCheck(look, (OSError,))
    assert check.latest(10) is None
    assert "by a bug (see the log)" in check.error
    assert check.latest(10).changed == 0


def test_a_failed_look_is_told_and_tried_again():
    outcomes = iter([OSError("the root is gone"), SAME])

    def look(_):
        outcome = next(outcomes)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    check = DriftCheck(look, (OSError,))
    assert check.latest(10) is None
    assert check.error == "the root is gone"
    assert check.latest(10).changed == 0
    assert check.error == ""
