"""Meter: what one process counts and times. Nothing is written, sent or formatted here."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from mcp_server.errors import EXPECTED
from mcp_server.metrics.counts import Counts, Key, Times
from mcp_server.metrics.families import BUCKETS_S, Family

BUG = "Bug"


class Meter:
    """Counts and times from any thread: half a microsecond each, one lock, no growth but by new values of labels."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers: dict[Key, float] = {}
        self._seconds: dict[Key, float] = {}
        self._buckets: dict[Key, list[int]] = {}
        self._changes = 0

    @property
    def changes(self) -> int:
        """A number that grows with whatever is counted."""
        return self._changes

    def count(self, family: Family, *labels: str, by: float = 1) -> None:
        """Add ``by`` to a number."""
        key = family.name, labels
        with self._lock:
            self._numbers[key] = self._numbers.get(key, 0) + by
            self._changes += 1

    def observe(self, family: Family, seconds: float, *labels: str) -> None:
        """Add one time to a histogram."""
        key, place = (family.name, labels), bisect_left(BUCKETS_S, seconds)
        with self._lock:
            if key not in self._buckets:
                self._buckets[key], self._seconds[key] = [0] * (len(BUCKETS_S) + 1), 0.0
            self._buckets[key][place] += 1
            self._seconds[key] += seconds
            self._changes += 1

    @contextmanager
    def timed(self, family: Family, *labels: str) -> Iterator[None]:
        """Time the block, however it ends."""
        began = perf_counter()
        try:
            yield
        finally:
            self.observe(family, perf_counter() - began, *labels)

    def counts(self) -> Counts:
        """All that was counted since the start."""
        with self._lock:
            return self._counts()

    def taken(self) -> Counts:
        """The same, and begin anew at nought: what is told to another process and added there."""
        with self._lock:
            counts = self._counts()
            self._numbers, self._seconds, self._buckets = {}, {}, {}
            return counts

    def add(self, counts: Counts) -> None:
        """Add what another process counted."""
        with self._lock:
            for key, number in counts.numbers.items():
                self._numbers[key] = self._numbers.get(key, 0) + number
            for key, times in counts.times.items():
                known = self._buckets.get(key, [0] * (len(BUCKETS_S) + 1))
                self._buckets[key] = list(map(sum, zip(known, times.buckets, strict=True)))
                self._seconds[key] = self._seconds.get(key, 0.0) + times.seconds
            self._changes += 1

    def _counts(self) -> Counts:
        times = {key: Times(self._seconds[key], tuple(held)) for key, held in self._buckets.items()}
        return Counts(dict(self._numbers), times)


def error_name(error: BaseException) -> str:
    """The value of the label ``error``: the class of an error of our own, which are few; else a bug."""
    return type(error).__name__ if isinstance(error, EXPECTED) else BUG
