"""Numbers and times that were counted, as values: added, read as percentiles, written for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from mcp_server.metrics.families import BUCKETS_S, BY_NAME, Family

Key = tuple[str, tuple[str, ...]]  # a family's name and the values of its labels

FORMAT = 1  # of what is written: another number where buckets change


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, as often as it was done: a histogram over BUCKETS_S, and a bucket for all above."""

    seconds: float = 0.0  # all together
    buckets: tuple[int, ...] = (0,) * (len(BUCKETS_S) + 1)

    @property
    def count(self) -> int:
        """How often."""
        return sum(self.buckets)

    @property
    def mean(self) -> float | None:
        """Seconds in the mean; None where nothing was timed."""
        return self.seconds / self.count if self.count else None

    def percentile(self, share: float) -> float | None:
        """Seconds within which ``share`` (0 to 1) of all were done; None where nothing was timed.

        As Prometheus reckons it (``histogram_quantile``): what is in a bucket is taken to be spread evenly over it, so
        the answer is wrong by less than the bucket is wide. What took longer than the last bound counts as that bound.
        """
        count = self.count
        if not count:
            return None
        rank, below, lower = share * count, 0, 0.0
        for upper, held in zip(BUCKETS_S, self.buckets, strict=False):
            if held and below + held >= rank:
                return lower + (upper - lower) * (rank - below) / held
            below, lower = below + held, upper
        return BUCKETS_S[-1]

    def cumulative(self) -> list[tuple[float, int]]:
        """Upper bounds in seconds, infinity last, each with how many took no longer."""
        return list(zip((*BUCKETS_S, float("inf")), accumulate(self.buckets), strict=True))

    def plus(self, other: Times) -> Times:
        """Both together."""
        return Times(self.seconds + other.seconds, tuple(map(sum, zip(self.buckets, other.buckets, strict=True))))


@dataclass(frozen=True, slots=True)
class Counts:
    """All that was counted and timed."""

    numbers: Mapping[Key, float] = field(default_factory=dict)
    times: Mapping[Key, Times] = field(default_factory=dict)

    def number(self, family: Family, *labels: str) -> int:
        """One number; 0 where nothing was counted."""
        return int(self.numbers.get((family.name, labels), 0))

    def time(self, family: Family, *labels: str) -> Times:
        """One histogram; an empty one where nothing was timed."""
        return self.times.get((family.name, labels), Times())

    def numbers_of(self, family: Family) -> dict[tuple[str, ...], float]:
        """The numbers of a family by the values of its labels."""
        return {labels: number for (name, labels), number in self.numbers.items() if name == family.name}

    def times_of(self, family: Family) -> dict[tuple[str, ...], Times]:
        """The histograms of a family by the values of its labels."""
        return {labels: times for (name, labels), times in self.times.items() if name == family.name}

    def plus(self, other: Counts) -> Counts:
        """Both together."""
        numbers, times = dict(self.numbers), dict(self.times)
        for key, number in other.numbers.items():
            numbers[key] = numbers.get(key, 0) + number
        for key, more in other.times.items():
            times[key] = times[key].plus(more) if key in times else more
        return Counts(numbers, times)

    def as_json(self) -> dict[str, Any]:
        """For another process; empty buckets are left out."""
        return {
            "format": FORMAT,
            "numbers": [[name, list(labels), number] for (name, labels), number in self.numbers.items()],
            "times": [
                [name, list(labels), times.seconds, [[place, held] for place, held in enumerate(times.buckets) if held]]
                for (name, labels), times in self.times.items()
            ],
        }


def total(several: Sequence[Counts]) -> Counts:
    """All together."""
    whole = Counts()
    for one in several:
        whole = whole.plus(one)
    return whole


def counts_of(told: Mapping[str, Any]) -> Counts:
    """What ``as_json`` wrote, of another build perhaps: families that are unknown here are left out, or all of it.

    Raises ValueError, KeyError, TypeError or IndexError where it is no such thing.
    """
    if told["format"] != FORMAT:
        return Counts()
    numbers = {(name, tuple(labels)): float(number) for name, labels, number in told["numbers"] if _fits(name, labels)}
    times = {
        (name, tuple(labels)): Times(float(seconds), _buckets(held))
        for name, labels, seconds, held in told["times"]
        if _fits(name, labels)
    }
    return Counts(numbers, times)


def _fits(name: str, labels: Sequence[str]) -> bool:
    return name in BY_NAME and len(BY_NAME[name].labels) == len(labels)


def _buckets(held: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    buckets = [0] * (len(BUCKETS_S) + 1)
    for place, count in held:
        buckets[place] = int(count)
    return tuple(buckets)
