"""When a model is left alone, when it is tried again, and what of it is remembered."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedding.lanes.breaker import TRIAL_S, Breaker, span_in_words

START = 1_800_000_000.0


def opened(now: float = START) -> Breaker:
    breaker = Breaker()
    for _ in range(3):
        breaker.failed(now, "the model died of signal 11.")
    return breaker


def test_two_failures_are_forgiven() -> None:
    breaker = Breaker()
    breaker.failed(START, "died")
    breaker.failed(START, "died")
    assert breaker.may_try(START)
    assert breaker.sentence(START) == ""


def test_failures_with_a_success_between_do_not_open_it() -> None:
    breaker = Breaker()
    for _ in range(10):
        breaker.failed(START, "died")
        breaker.failed(START, "died")
        breaker.succeeded(START)
    assert breaker.may_try(START)


def test_three_in_a_row_leave_the_model_alone_for_half_a_minute() -> None:
    breaker = opened()
    assert not breaker.may_try(START)
    assert not breaker.may_try(START + 29.9)
    assert breaker.may_try(START + 30)


def test_one_trial_at_a_time() -> None:
    breaker = opened()
    assert breaker.may_try(START + 30)
    assert not breaker.may_try(START + 31)


def test_each_failed_trial_doubles_the_rest_up_to_an_hour() -> None:
    breaker, now, rests = opened(), START, []
    for _ in range(10):
        rests.append(breaker.seconds_left(now))
        now += rests[-1]
        assert breaker.may_try(now)
        breaker.failed(now, "died")
    assert rests == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_failures_that_come_in_late_do_not_lengthen_the_rest() -> None:
    breaker = opened()
    for _ in range(20):
        breaker.failed(START + 1, "died")
    assert breaker.seconds_left(START) == 30


def test_a_trial_that_works_closes_it_and_the_next_rest_is_short_again() -> None:
    breaker = opened()
    breaker.may_try(START + 30)
    breaker.failed(START + 30, "died")
    assert breaker.may_try(START + 90)
    breaker.succeeded(START + 91)
    assert breaker.may_try(START + 91)
    assert breaker.may_try(START + 91)
    for _ in range(3):
        breaker.failed(START + 100, "died")
    assert breaker.seconds_left(START + 100) == 30


def test_a_trial_that_says_nothing_of_the_model_makes_room_for_another() -> None:
    breaker = opened()
    assert breaker.may_try(START + 30)
    breaker.withdrawn()
    assert breaker.may_try(START + 31)


def test_a_trial_whose_outcome_is_never_told_is_lost_after_a_while() -> None:
    breaker = opened()
    assert breaker.may_try(START + 30)
    assert not breaker.may_try(START + 29 + TRIAL_S)
    assert breaker.may_try(START + 30 + TRIAL_S)


def test_a_reset_has_it_tried_at_once() -> None:
    breaker = opened()
    breaker.reset()
    assert breaker.may_try(START)
    assert breaker.sentence(START) == ""


def test_the_sentence_tells_why_how_long_and_what_to_do() -> None:
    sentence = opened().sentence(START)
    assert "3 times in a row" in sentence
    assert "left alone until " + time.strftime("%H:%M:%S", time.localtime(START + 30)) in sentence
    assert "codeloupe service reset" in sentence
    assert "died of signal 11" in sentence


def test_the_sentence_during_and_before_a_trial_names_no_time() -> None:
    breaker = opened()
    assert "the next request tries it again" in breaker.sentence(START + 40)
    breaker.may_try(START + 40)
    assert "being tried again now" in breaker.sentence(START + 41)


def test_a_clock_set_back_by_a_day_does_not_add_a_day() -> None:
    breaker = opened()
    yesterday = START - 86_400
    assert not breaker.may_try(yesterday)
    assert breaker.may_try(yesterday + 30)
    assert not breaker.may_try(yesterday - 86_400)
    assert breaker.may_try(yesterday - 86_370), "a trial begun in what is now the future is no reason to wait"


def test_what_was_kept_goes_on_where_it_was() -> None:
    breaker = opened()
    breaker.may_try(START + 30)
    breaker.failed(START + 30, "died of ünïcode\n")
    again = Breaker()
    again.load(breaker.as_json(), START + 40)
    assert again.seconds_left(START + 40) == 50
    assert again.sentence(START + 40) == breaker.sentence(START + 40)
    assert not again.may_try(START + 89)
    assert again.may_try(START + 90)


def test_a_process_that_died_of_its_trial_counts_as_a_failure() -> None:
    breaker = opened()
    breaker.may_try(START + 30)
    again = Breaker()
    again.load(breaker.as_json(), START + 31)
    assert not again.may_try(START + 31)
    assert again.seconds_left(START + 31) == 60
    assert "before it could tell" in again.sentence(START + 31)


def test_a_row_of_failures_goes_on_in_the_next_process() -> None:
    breaker = Breaker()
    for _ in range(3):
        assert breaker.may_try(START)
        breaker.failed(START, "died, and the service with it")
        again = Breaker()
        again.load(breaker.as_json(), START)
        breaker = again
    assert not breaker.may_try(START)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "3",
        '"text"',
        "[" * 100_000,
        '{"in_a_row": 3, "rest_s": 30, "until": NaN, "trial": null, "why": ""}',
        '{"in_a_row": 3, "rest_s": Infinity, "until": 1, "trial": null, "why": ""}',
        '{"in_a_row": -3, "rest_s": 30, "until": 1, "trial": null, "why": ""}',
        '{"in_a_row": 3, "rest_s": 30, "until": [], "trial": null, "why": ""}',
        '{"in_a_row": 3, "rest_s": 30, "until": 1, "trial": {}, "why": ""}',
        '{"in_a_row": 3, "rest_s": 30, "until": 1, "trial": null}',
    ],
)
def test_what_nobody_wrote_is_closed(text: str) -> None:
    breaker = opened()
    breaker.load(text, START)
    assert not breaker.is_open
    assert breaker.may_try(START)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.fixed_dictionaries(dict.fromkeys(("in_a_row", "rest_s", "until", "trial", "why"), json_values)))
def test_whatever_is_in_the_file_the_model_is_tried_within_the_longest_rest(kept: dict[str, object]) -> None:
    breaker = Breaker()
    breaker.load(json.dumps(kept), START)
    assert 0 <= breaker.seconds_left(START) <= 3600
    assert breaker.sentence(START) == "" or breaker.is_open
    assert breaker.may_try(START + 3600) or breaker.may_try(START + 7200)


@given(st.lists(st.tuples(st.sampled_from(["try", "fail", "succeed"]), st.floats(-5000, 5000)), max_size=60))
def test_whatever_the_clock_does_it_is_never_left_alone_for_more_than_an_hour(steps: list[tuple[str, float]]) -> None:
    breaker, now = Breaker(), START
    for step, passes in steps:
        now += passes
        if step == "try":
            breaker.may_try(now)
        elif step == "fail":
            breaker.failed(now, "died")
        else:
            breaker.succeeded(now)
        assert breaker.seconds_left(now) <= 3600
    breaker.may_try(now)
    breaker.withdrawn()
    assert breaker.may_try(now + 3600)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (1.4, "1 second"),
        (30, "30 seconds"),
        (89, "89 seconds"),
        (90, "2 minutes"),
        (3600, "60 minutes"),
        (7200, "2 hours"),
    ],
)
def test_spans_in_words(seconds: float, words: str) -> None:
    assert span_in_words(seconds) == words
