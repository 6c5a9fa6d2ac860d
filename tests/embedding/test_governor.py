from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedding.governor import (
    HOLD_S,
    LADDER,
    MARGIN,
    MIB,
    UNLOAD_AFTER_S,
    Decision,
    Level,
    Limits,
    Need,
    admits,
    can_ever,
    decide,
    level_of,
    pressure_of,
    rung_of,
)
from embedding.machine.budget import Budget
from embedding.pressure import Bound, Reading, Stall

GB = 10**9
MACHINE = 100 * GB
WHOLE = Limits(Budget.parse("100%"))
LEVELS = [rung.level for rung in LADDER]
PRESSURES = st.floats(0, 1.2)


def reading(share: float, *, cores: int = 16, own: int = 0, **others) -> Reading:
    """A machine of 100 GB of which ``share`` is used."""
    return Reading((Bound("this machine", MACHINE, int(share * MACHINE)),), own, 0, cores=cores, **others)


def run(shares: list[float], step_s: float = 1.0, limits: Limits = WHOLE) -> list[Decision]:
    """The decisions on readings ``step_s`` apart."""
    decisions: list[Decision] = []
    for at, share in enumerate(shares):
        decisions.append(decide(reading(share), limits, decisions[-1] if decisions else None, at * step_s))
    return decisions


def rank(level: Level) -> int:
    return LEVELS.index(level)


@pytest.mark.parametrize(
    ("share", "level", "children", "batch", "cache"),
    [
        (0.0, "low", 8, 256, 8),
        (0.599, "low", 8, 256, 8),
        (0.60, "medium", 4, 128, 4),
        (0.749, "medium", 4, 128, 4),
        (0.75, "high", 2, 64, 2),
        (0.899, "high", 2, 64, 2),
        (0.90, "critical", 1, 64, 1),
        (1.3, "critical", 1, 64, 1),
    ],
)
def test_each_level_has_its_children_its_batch_and_its_cache(share, level, children, batch, cache):
    decision = decide(reading(share), WHOLE, None, 0.0)
    assert (decision.level, decision.children, decision.batch_tokens) == (level, children, batch)
    assert decision.cache_bytes == cache * MIB
    assert decision.paused == (level == "critical")


def test_pressure_is_that_of_the_fullest_limit_and_says_which():
    bounds = (Bound("the control group /a", 4 * GB, 3 * GB), Bound("this machine", 16 * GB, 4 * GB))
    assert pressure_of(Reading(bounds, 0, 0), Budget.parse("50%")) == (
        0.75,
        "the control group /a uses 3.0 GB of 4.0 GB (75%)",
    )


def test_a_machine_that_is_full_counts_though_the_least_limit_is_not():
    bounds = (Bound("the control group /a", 4 * GB, 1 * GB), Bound("this machine", 16 * GB, 15 * GB))
    assert level_of(pressure_of(Reading(bounds, 0, 0), Budget.parse("50%"))[0]) is Level.CRITICAL


def test_our_own_memory_counts_against_the_budget_weights_included():
    own = Reading((Bound("this machine", 16 * GB, 8 * GB),), 1_600_000_000, 4_400_000_000)
    pressure, why = pressure_of(own, Budget.parse("50%"))
    assert pressure == 0.75
    assert why == "the model's processes take 6.0 GB of 8.0 GB (75%) of memory.budget"


def test_a_share_is_of_the_least_limit_not_of_the_machine():
    bounds = (Bound("this container", 4 * GB, 0), Bound("this machine", 64 * GB, 0))
    assert pressure_of(Reading(bounds, GB, 0), Budget.parse("50%"))[0] == 0.5


@pytest.mark.parametrize(
    ("some", "full", "level"),
    [(0, 0, "medium"), (4, 1, "medium"), (15, 0, "high"), (0, 5, "high"), (40, 0, "critical"), (20, 15, "critical")],
)
def test_stalls_count_as_pressure_where_memory_is_in_use(some, full, level):
    assert decide(reading(0.6, stall=Stall(some, full)), WHOLE, None, 0.0).level == level


def test_stalls_alone_do_not_pause_us_for_they_are_somebody_elses():
    decision = decide(reading(0.1, stall=Stall(100, 100)), WHOLE, None, 0.0)
    assert (decision.level, decision.paused) == ("high", False)
    assert decision.why == "processes wait for memory 100 % of the time, all of them 100 %"


def test_where_the_kernel_tells_no_stalls_the_shares_decide():
    assert pressure_of(reading(0.5, stall=None), WHOLE.budget)[0] == 0.5


def test_pressure_that_rises_is_followed_at_once_over_several_levels():
    assert [decision.level for decision in run([0.1, 0.95])] == ["low", "critical"]


def test_it_comes_down_one_level_at_a_time_after_calm():
    levels = [decision.level for decision in run([0.95] + [0.1] * 35)]
    assert levels == ["critical"] * 11 + ["high"] * 10 + ["medium"] * 10 + ["low"] * 5


def test_just_below_a_threshold_is_not_calm():
    assert {decision.level for decision in run([0.76] + [0.75 - MARGIN + 0.01] * 60)} == {"high"}


def test_calm_that_is_interrupted_begins_anew():
    levels = [decision.level for decision in run([0.76] + [0.1] * 9 + [0.74] + [0.1] * 11)]
    assert levels[:21] == ["high"] * 21
    assert levels[21] == "medium"


def test_a_shaken_reading_at_a_threshold_stays_above_it():
    assert [decision.level for decision in run([0.59, 0.61] * 60)][1:] == ["medium"] * 119


def test_critical_pauses_at_once_and_unloads_when_it_lasts():
    decisions = run([0.5] + [0.93] * 15)
    assert [decision.paused for decision in decisions] == [False] + [True] * 15
    assert [decision.unload for decision in decisions].index(True) == 1 + UNLOAD_AFTER_S


def test_next_to_the_limit_it_unloads_at_once():
    assert [decision.unload for decision in run([0.5, 0.94, 0.95, 0.94])] == [False, False, True, True]


def test_where_a_pause_is_enough_the_model_stays():
    decisions = run([0.93] * 5 + [0.88] * 40)
    assert all(decision.paused and not decision.unload for decision in decisions)


def test_a_level_that_the_pressure_alone_does_not_explain_says_what_it_waits_for():
    _, near, calm = run([0.95, 0.88, 0.5])
    assert near.why == "this machine uses 88.0 GB of 100 GB (88%); it eases below 85%"
    assert calm.why == "this machine uses 50.0 GB of 100 GB (50%); it eases when that lasts 10 s"


def test_what_was_unloaded_stays_so_until_the_level_comes_down():
    decisions = run([0.93] * 12 + [0.5] * 15)
    back = next(at for at, decision in enumerate(decisions) if decision.level == "high")
    assert all(decision.unload for decision in decisions[11:back])
    assert not any(decision.unload or decision.paused for decision in decisions[back:])


@pytest.mark.parametrize(("cores", "processes", "children"), [(2, 0, 2), (16, 0, 8), (16, 3, 3), (1, 8, 1), (0, 0, 1)])
def test_there_are_never_more_children_than_cores_or_than_configured(cores, processes, children):
    limits = replace(WHOLE, processes=processes)
    assert decide(reading(0.1, cores=cores), limits, None, 0.0).children == children


def test_on_battery_half_the_children_run():
    assert decide(reading(0.1, on_battery=True), WHOLE, None, 0.0).children == 4
    assert decide(reading(0.8, on_battery=True), WHOLE, None, 0.0).children == 1
    assert decide(reading(0.95, on_battery=True), WHOLE, None, 0.0).children == 1


def test_a_status_can_tell_why_half_the_children_run():
    battery = decide(reading(0.1, on_battery=True), WHOLE, None, 0.0)
    assert (
        battery.why == "this machine uses 10.0 GB of 100 GB (10%); half the processes, for the machine runs on battery"
    )
    before = None
    for at in range(12):
        before = decide(reading(0.1, others_cpu=0.9), WHOLE, before, float(at))
    assert before.why.endswith("; half the processes, for others use 90% of the cores")


def test_who_is_not_considerate_ignores_battery_and_neighbours():
    limits = replace(WHOLE, considerate=False)
    assert decide(reading(0.1, on_battery=True, others_cpu=1.0), limits, None, 0.0).children == 8


def busy_run(shares: list[float]) -> list[int]:
    decision, children = None, []
    for at, share in enumerate(shares):
        decision = decide(reading(0.1, others_cpu=share), WHOLE, decision, float(at))
        children.append(decision.children)
    return children


def test_a_machine_busy_for_a_while_is_asked_half_until_it_has_been_quiet_for_a_while():
    children = busy_run([1.0] * 15 + [0.1] * 15)
    assert children == [8] * 10 + [4] * 15 + [8] * 5


def test_a_moment_of_others_work_changes_nothing():
    assert set(busy_run([0.0, 1.0, 1.0, 0.0] * 10)) == {8}


def test_half_busy_is_neither_busy_nor_quiet():
    assert set(busy_run([0.5] * 40)) == {8}
    assert set(busy_run([1.0] * 11 + [0.5] * 40)[10:]) == {4}


NEED = Need("a process of nomic-embed-code", 400_000_000, 4_400_000_000, children=1)


def on(machine: int, used: int, private: int = 0, shared: int = 0) -> Reading:
    return Reading((Bound("this machine", machine, used),), private, shared, cores=8)


def test_what_fits_is_admitted():
    assert admits(on(16 * GB, 4 * GB), Budget.parse("50%"), NEED) == ""


def test_what_can_never_fit_says_so_and_which_budget_would_do():
    refusal = admits(on(8 * GB, 0), Budget.parse("50%"), NEED)
    assert refusal == (
        "There is too little memory for a process of nomic-embed-code: it needs 4.8 GB, and of the 8.0 GB there are "
        'it may take 3.6 GB (90 % of memory.budget = "50%"); set memory.budget to "68%" or more and run '
        "'codeloupe service stop', or choose a smaller model."
    )
    assert can_ever(8 * GB, Budget.parse("68%"), NEED) == ""


def test_where_no_budget_would_do_only_a_smaller_model_is_advised():
    assert can_ever(4 * GB, Budget.parse("50%"), NEED).endswith('"50%"); choose a smaller model.')


def test_a_full_machine_refuses_for_now_with_its_figures():
    refusal = admits(on(16 * GB, 11 * GB), Budget.parse("50%"), NEED)
    assert refusal == (
        "There is no memory now for a process of nomic-embed-code, 4.8 GB: with it this machine uses 15.8 GB of "
        "16.0 GB (99%), where less than 90% is wanted; it is tried again when there is more, so close something large "
        "or wait."
    )


def test_weights_that_are_mapped_are_not_counted_again():
    mapped = on(16 * GB, 11 * GB, private=100_000_000, shared=4_400_000_000)
    assert admits(mapped, Budget.parse("50%"), NEED) == ""


def test_weights_that_are_mapped_and_not_yet_read_still_count():
    assert "no memory now" in admits(on(16 * GB, 11 * GB, shared=100_000_000), Budget.parse("50%"), NEED)


def test_the_budget_refuses_where_the_machine_would_not():
    refusal = admits(on(64 * GB, 6 * GB, 900_000_000, 4_400_000_000), Budget.parse("6GB"), NEED)
    assert "with it the model's processes take 5.7 GB of 6.0 GB (95%) of memory.budget" in refusal


def test_what_was_promised_counts_before_it_is_seen():
    budget, now = Budget.parse("8GB"), on(64 * GB, 6 * GB, 100_000_000, 4_400_000_000)
    assert admits(now, budget, NEED) == ""
    assert "no memory now" in admits(now, budget, NEED, promised_bytes=2_400_000_000)


def test_no_child_is_admitted_that_its_own_level_would_end_again():
    fifth = Need("a fifth process", GB, 0, children=5)
    assert admits(on(100 * GB, 50 * GB), WHOLE.budget, fifth) == ""
    assert "less than 55% is wanted" in admits(on(100 * GB, 54 * GB), WHOLE.budget, fifth)


def test_no_document_child_is_admitted_while_paused_but_one_for_queries_may_be():
    paused = decide(reading(0.93), WHOLE, None, 0.0)
    documents, query = Need("a process", GB, 0, children=1), Need("a query", GB)
    assert "this machine uses 93.0 GB of 100 GB" in admits(reading(0.5), WHOLE.budget, documents, paused)
    assert admits(reading(0.5), WHOLE.budget, query, paused) == ""


def test_nothing_is_admitted_while_unloaded():
    unloaded = run([0.95] * 12)[-1]
    assert "no memory now" in admits(reading(0.5), WHOLE.budget, Need("a query", GB), unloaded)


def test_no_child_beyond_the_decision_is_admitted():
    half = decide(reading(0.1, on_battery=True), WHOLE, None, 0.0)
    assert admits(reading(0.1), WHOLE.budget, Need("a process", GB, 0, children=4), half) == ""
    assert admits(reading(0.1), WHOLE.budget, Need("a process", GB, 0, children=5), half)


@given(st.lists(PRESSURES, min_size=2, max_size=80), st.floats(0.1, 7))
def test_whatever_is_read_it_comes_down_at_most_once_per_hold_and_one_level_only(shares, step_s):
    decisions = run(shares, step_s)
    falls = []
    for before, after in pairwise(decisions):
        if rank(after.level) < rank(before.level):
            assert rank(before.level) - rank(after.level) == 1
            falls.append(after.since)
    assert all(later - earlier >= HOLD_S for earlier, later in pairwise(falls))


@given(st.lists(PRESSURES, min_size=1, max_size=60))
def test_the_level_is_never_below_what_the_last_reading_asks_for(shares):
    for share, decision in zip(shares, run(shares), strict=True):
        assert rank(decision.level) >= rank(level_of(share))
        assert decision.pressure == pytest.approx(share, abs=1e-9)


@given(st.lists(PRESSURES, max_size=30), PRESSURES, PRESSURES)
def test_more_pressure_never_allows_more(history, one, other):
    low, high = sorted((one, other))
    less, more = run([*history, low])[-1], run([*history, high])[-1]
    assert rank(less.level) <= rank(more.level)
    assert (less.children, less.batch_tokens, less.cache_bytes) >= (more.children, more.batch_tokens, more.cache_bytes)
    assert less.paused <= more.paused
    assert less.unload <= more.unload


@given(st.lists(PRESSURES, min_size=1, max_size=60), st.integers(0, 20), st.integers(0, 20), st.booleans())
def test_children_are_within_one_and_cores_and_a_pause_is_critical(shares, cores, processes, on_battery):
    limits, before = replace(WHOLE, processes=processes), None
    for at, share in enumerate(shares):
        before = decide(reading(share, cores=cores, on_battery=on_battery), limits, before, float(at))
        assert 1 <= before.children <= max(1, min(cores, rung_of(before.level).children, processes or 99))
        assert before.paused == (before.level is Level.CRITICAL)
        assert not before.unload or before.paused


@given(
    st.integers(10**8, 10**12), st.floats(0, 1), st.integers(0, 10**10), st.integers(0, 10**10), st.integers(0, 8),
    st.integers(1, 100),
)  # fmt: skip
def test_what_is_admitted_leaves_every_share_below_90_percent(machine, used, private, shared, children, percent):
    budget, need = Budget.parse(f"{percent}%"), Need("a process", private, shared, children)
    before = on(machine, int(used * machine))
    if admits(before, budget, need) == "":
        after = on(machine, int(used * machine) + private + shared, private, shared)
        assert pressure_of(after, budget)[0] < 0.90
        assert can_ever(machine, budget, need) == ""
        assert level_of(pressure_of(after, budget)[0]) is not Level.CRITICAL
        assert children <= decide(replace(after, cores=99), Limits(budget), None, 0.0).children or children == 0


@given(st.lists(PRESSURES, min_size=1, max_size=40), st.floats(0, 100), st.floats(0, 100))
def test_stalls_never_lower_the_pressure(shares, some, full):
    for share in shares:
        quiet, stalled = reading(share), reading(share, stall=Stall(some, full))
        assert pressure_of(stalled, WHOLE.budget)[0] >= pressure_of(quiet, WHOLE.budget)[0]
