"""Counters and histograms in the text format that monitoring scrapes."""

from __future__ import annotations

import bisect
import threading
from collections import defaultdict


class Counter:
    """A number that only grows, one for each set of labels."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._values: dict[tuple[tuple[str, str], ...], float] = defaultdict(float)
        self._lock = threading.Lock()

    def increment(self, by: float = 1.0, **labels: str) -> None:
        """Add to the series of these labels."""
        with self._lock:
            self._values[tuple(sorted(labels.items()))] += by


class Histogram:
    """How often a value fell into each bucket."""

    def __init__(self, name: str, bounds: tuple[float, ...]) -> None:
        self.name = name
        self.bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._lock = threading.Lock()

    def observe(self, value: float) -> None:
        """Count one value."""
        with self._lock:
            self._counts[bisect.bisect_left(self.bounds, value)] += 1

    def quantile(self, share: float) -> float:
        """The upper bound of the bucket in which ``share`` of all values are reached."""
        wanted, seen = share * sum(self._counts), 0
        for bound, count in zip(self.bounds, self._counts, strict=False):
            seen += count
            if seen >= wanted:
                return bound
        return float("inf")


JOBS_FAILED = Counter("tidework_jobs_failed_total")
JOB_SECONDS = Histogram("tidework_job_seconds", (0.1, 1.0, 10.0, 60.0, 600.0))
