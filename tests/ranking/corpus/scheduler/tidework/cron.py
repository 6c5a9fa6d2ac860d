"""Cron schedules: five fields, the usual stars, ranges, lists and steps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
_HORIZON = timedelta(days=366 * 4)


class CronSyntaxError(ValueError):
    """An expression that is no schedule."""


@dataclass(frozen=True)
class CronExpression:
    """A parsed schedule: for each field the values that match."""

    source: str
    allowed: tuple[frozenset[int], ...]

    @classmethod
    def parse(cls, source: str) -> CronExpression:
        """Read ``*/5 8-18 * * 1-5`` and its like."""
        fields = source.split()
        if len(fields) != len(_FIELDS):
            raise CronSyntaxError(f"a cron expression has 5 fields, {source!r} has {len(fields)}")
        return cls(source, tuple(_values(text, *field) for text, field in zip(fields, _FIELDS, strict=True)))

    def next_fire(self, after: datetime) -> datetime:
        """The first minute after ``after`` that matches."""
        moment = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
        end = after + _HORIZON
        while moment < end:
            if self._matches(moment):
                return moment
            moment += timedelta(minutes=1)
        raise CronSyntaxError(f"{self.source!r} never fires")

    def _matches(self, moment: datetime) -> bool:
        parts = (moment.minute, moment.hour, moment.day, moment.month, moment.isoweekday() % 7)
        return all(part in allowed for part, allowed in zip(parts, self.allowed, strict=True))


def _values(text: str, name: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        start, end = (low, high) if span == "*" else (int(first), int(last or first))
        if not low <= start <= end <= high:
            raise CronSyntaxError(f"{name} {item!r} is outside {low}-{high}")
        values.update(range(start, end + 1, int(step or 1)))
    return frozenset(values)
