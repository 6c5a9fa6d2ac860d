"""Numbers and times as values: percentiles out of buckets, sums, and what another build wrote."""

from __future__ import annotations

import json
import random
import statistics
from itertools import pairwise

import pytest

from mcp_server.metrics import families
from mcp_server.metrics.counts import Counts, Times, counts_of
from mcp_server.metrics.families import BUCKETS_S
from mcp_server.metrics.meter import Meter


def timed(*seconds: float) -> Times:
    meter = Meter()
    for one in seconds:
        meter.observe(families.SEARCH, one, "auto")
    return meter.counts().time(families.SEARCH, "auto")


def test_buckets_run_from_a_millisecond_to_ten_seconds_each_about_a_quarter_above_the_last() -> None:
    assert (BUCKETS_S[0], BUCKETS_S[-1]) == (0.001, 10.0)
    assert all(1.2 < upper / lower < 1.3 for lower, upper in pairwise(BUCKETS_S))


def test_a_time_that_is_a_bound_is_within_that_bucket() -> None:
    cumulative = dict(timed(0.004, 0.0041).cumulative())
    assert (cumulative[0.00315], cumulative[0.004], cumulative[0.005]) == (0, 1, 2)


def test_count_and_sum_and_mean_are_exact() -> None:
    times = timed(0.0101, 0.0203, 0.9)
    assert (times.count, times.seconds) == (3, pytest.approx(0.9304))
    assert times.mean == pytest.approx(0.9304 / 3)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_percentile_is_off_by_less_than_its_bucket_is_wide_and_mostly_by_little(share: float) -> None:
    chance = random.Random(7)
    seconds = [0.01 * chance.lognormvariate(0, 0.4) for _ in range(4_000)]
    true = statistics.quantiles(seconds, n=100)[round(100 * share) - 1]
    said = timed(*seconds).percentile(share)
    assert said == pytest.approx(true, rel=0.05)


def test_a_single_time_is_never_put_outside_its_bucket() -> None:
    said = timed(0.0113).percentile(0.5)
    assert said is not None
    assert 0.010 <= said <= 0.0125


def test_what_took_longer_than_the_last_bound_counts_as_that_bound() -> None:
    assert timed(25.0, 30.0).percentile(0.5) == 10.0
    assert timed(25.0).mean == 25.0


def test_of_nothing_there_is_no_mean_and_no_percentile() -> None:
    assert (Times().mean, Times().percentile(0.5), Times().count) == (None, None, 0)


def some() -> Counts:
    meter = Meter()
    meter.count(families.ERRORS, "tool", "RequestError", by=3)
    meter.count(families.FILES, by=12)
    meter.observe(families.SEARCH, 0.02, "auto")
    meter.observe(families.SEARCH, 99.0, "exact")
    return meter.counts()


def test_two_sums_are_added_number_by_number_and_bucket_by_bucket() -> None:
    twice = some().plus(some())
    assert twice.number(families.ERRORS, "tool", "RequestError") == 6
    assert twice.time(families.SEARCH, "auto").count == 2
    assert twice.time(families.SEARCH, "exact").seconds == 198.0
    assert some().plus(Counts()) == some()


def test_what_is_written_as_json_reads_back_as_it_was() -> None:
    assert counts_of(json.loads(json.dumps(some().as_json()))) == some()


def test_of_another_build_what_is_unknown_is_left_out_and_other_buckets_wholly() -> None:
    told = some().as_json()
    told["numbers"] += [["codeloupe_of_a_later_build_total", [], 4], ["codeloupe_errors_total", ["tool"], 1]]
    assert counts_of(told) == some()
    assert counts_of(told | {"format": 99}) == Counts()
