"""Who may write an index: every case of the rules."""

import pytest

from storage.holder import SILENT_S, Holder, Sighting, Verdict, judge, refusal

HOLDER = Holder(4242, "quay", "2026-11-20T12:00:00+00:00", 1_700_000_000.0)
FRESH, OLD, VERY_OLD = SILENT_S - 1, SILENT_S + 1, 1e6
TAKE, BREAK, WAIT = Verdict.TAKE, Verdict.BREAK, Verdict.WAIT


@pytest.mark.parametrize("silent_s", [0.0, FRESH, OLD, VERY_OLD])
@pytest.mark.parametrize("locked", [False, True])
def test_a_living_owner_on_this_host_is_never_robbed_however_long_it_is_silent(locked: bool, silent_s: float) -> None:
    assert judge(Sighting(locked, HOLDER, alive=True, silent_s=silent_s)) is WAIT


@pytest.mark.parametrize("silent_s", [0.0, FRESH, OLD])
def test_a_dead_owner_whose_lock_is_free_is_followed_at_once(silent_s: float) -> None:
    assert judge(Sighting(locked=False, holder=HOLDER, alive=False, silent_s=silent_s)) is TAKE


@pytest.mark.parametrize(("silent_s", "verdict"), [(0.0, WAIT), (FRESH, WAIT), (OLD, BREAK)])
def test_a_lock_that_a_dead_owner_never_gave_back_is_broken_once_it_is_silent(
    silent_s: float, verdict: Verdict
) -> None:
    assert judge(Sighting(locked=True, holder=HOLDER, alive=False, silent_s=silent_s)) is verdict


@pytest.mark.parametrize(("silent_s", "verdict"), [(0.0, WAIT), (FRESH, WAIT), (OLD, TAKE)])
def test_an_owner_on_another_host_is_followed_once_it_is_silent(silent_s: float, verdict: Verdict) -> None:
    assert judge(Sighting(locked=False, holder=HOLDER, alive=None, silent_s=silent_s)) is verdict


@pytest.mark.parametrize(("silent_s", "verdict"), [(FRESH, WAIT), (OLD, BREAK)])
def test_a_lock_that_another_host_holds_is_broken_once_its_owner_is_silent(silent_s: float, verdict: Verdict) -> None:
    assert judge(Sighting(locked=True, holder=HOLDER, alive=None, silent_s=silent_s)) is verdict


@pytest.mark.parametrize(("locked", "verdict"), [(False, TAKE), (True, WAIT)])
def test_without_a_signature_the_systems_lock_alone_counts(locked: bool, verdict: Verdict) -> None:
    assert judge(Sighting(locked, silent_s=VERY_OLD)) is verdict


def test_a_silent_owner_is_named_with_its_age_and_what_to_do() -> None:
    said = refusal("/i", Sighting(locked=True, holder=HOLDER, alive=True, silent_s=95.4))
    assert "process 4242 on quay since 2026-11-20T12:00:00+00:00" in said
    assert "no sign of life for 95 s; if it hangs, end it (process 4242)" in said


def test_an_owner_that_beats_is_named_and_nothing_is_to_be_done() -> None:
    said = refusal("/i", Sighting(locked=True, holder=HOLDER, alive=True, silent_s=2.0))
    assert "being written by process 4242 on quay" in said
    assert "sign of life" not in said
