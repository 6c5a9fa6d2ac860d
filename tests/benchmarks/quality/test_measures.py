import math

import pytest

from benchmarks.quality.measures import Figures, figures, mean


def test_the_first_place_is_worth_all_and_the_eleventh_nothing() -> None:
    assert figures([1, 1]) == Figures(1.0, 1.0, 1.0)
    assert figures([11, None]) == Figures(0.0, 0.0, 0.0)


def test_places_between_are_worth_their_share() -> None:
    row = figures([1, 2, 4, None])
    assert row.mrr == pytest.approx((1 + 1 / 2 + 1 / 4) / 4)
    assert row.ndcg == pytest.approx((1 + 1 / math.log2(3) + 1 / math.log2(5)) / 4)
    assert row.recall == pytest.approx(0.75)


def test_nothing_asked_is_no_error() -> None:
    assert figures([]) == Figures(0.0, 0.0, 0.0)


def test_every_language_counts_the_same() -> None:
    assert mean([figures([1] * 9), figures([None])]) == Figures(0.5, 0.5, 0.5)
