"""The governor over time, with a service whose processes are numbers."""

from __future__ import annotations

from argparse import Namespace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.governing import changes, faults, measured
from benchmarks.governing_moments import CHILDREN, neighbours_at
from benchmarks.governing_simulated import LIMIT, simulated
from benchmarks.limited_group import NoGroupError

# Shares of the limit that neighbours take or give back in a second: 640 MB of 16 GB.
SLOPES = st.lists(st.tuples(st.floats(-0.04, 0.04), st.integers(1, 30)), min_size=1, max_size=12)
SHAKES = st.lists(st.floats(-0.02, 0.02), min_size=40, max_size=150)


def walk(slopes: list[tuple[float, int]]) -> list[int]:
    """Bytes of neighbours that take and give back, second by second, between nothing and 90 % of the limit."""
    held, shares = 0.1, []
    for slope, seconds in slopes:
        for _ in range(seconds):
            held = min(0.9, max(0.0, held + slope))
            shares.append(int(LIMIT * held))
    return shares


def test_the_whole_ladder_is_gone_down_and_up_and_the_limit_never_hit():
    moments = simulated()
    assert faults(moments) == []
    ran = [moment.running for moment in changes(moments)]
    assert [count for count, after in pairwise([*ran, -1]) if count != after] == [8, 4, 2, 0, 1, 2, 4, 8]


def test_where_no_group_can_be_made_it_says_so_and_simulates(monkeypatch, capsys, tmp_path):
    def none():
        raise NoGroupError("no memory control groups are mounted")

    monkeypatch.setattr("benchmarks.limited_group._top", none)
    moments = measured(Namespace(simulate=False, model=str(tmp_path), limit="2GB"))
    assert faults(moments) == []
    assert "can be made here (no memory control groups are mounted); simulated instead" in capsys.readouterr().out


def test_neighbours_are_as_the_schedule_says():
    assert [round(neighbours_at(at_s, 10**9) / 10**7) for at_s in (0, 25, 30, 35, 999)] == [2, 2, 16, 30, 2]


@given(SLOPES)
@settings(max_examples=100, deadline=None)
def test_whatever_neighbours_do_at_that_pace_the_limit_is_never_hit(slopes):
    held = walk(slopes)
    moments = simulated(lambda at_s: held[int(at_s)], len(held) - 1)
    assert moments[-1].limit_hits == 0
    assert all(moment.running <= moment.allowed <= CHILDREN for moment in moments)


@given(st.floats(0, 0.9), SHAKES)
@settings(max_examples=60, deadline=None)
def test_around_any_load_that_shakes_children_start_at_most_once_in_ten_seconds_each(load, shakes):
    moments = simulated(lambda at_s: int(LIMIT * max(0.0, load + shakes[int(at_s)])), len(shakes) - 1)
    settled = moments[2:]
    started = sum(max(0, after.running - before.running) for before, after in pairwise(settled))
    assert started <= CHILDREN * (len(settled) / 10 + 1)


@given(st.floats(0, 0.9))
@settings(max_examples=60, deadline=None)
def test_under_a_steady_load_nothing_comes_and_goes(load):
    moments = simulated(lambda _: int(LIMIT * load), 90)
    after = [(moment.running, moment.loaded) for moment in moments[30:]]
    assert len(set(after)) == 1
