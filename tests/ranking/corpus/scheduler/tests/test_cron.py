"""Cron expressions."""

from datetime import UTC, datetime

import pytest
from tidework.cron import CronExpression, CronSyntaxError

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def test_the_next_fire_is_after_now():
    assert CronExpression.parse("0 12 * * *").next_fire(NOON).day == 3


def test_weekdays_count_from_sunday():
    assert CronExpression.parse("0 9 * * 0").next_fire(NOON).isoweekday() == 7


@pytest.mark.parametrize("wrong", ["* * * *", "61 * * * *", "* * 0 * *"])
def test_what_is_no_schedule_is_refused(wrong):
    with pytest.raises(CronSyntaxError):
        CronExpression.parse(wrong)
