"""What neighbours hold at which time, and what is written down of each moment while the governor works."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

# Seconds, and the share of the limit that neighbours hold then; straight lines between.
SCHEDULE = (
    (0, 0.02), (25, 0.02), (35, 0.30), (45, 0.30), (55, 0.55), (65, 0.55), (75, 0.82), (80, 0.82), (85, 0.88),
    (110, 0.88), (125, 0.50), (140, 0.50), (150, 0.02), (200, 0.02),
)  # fmt: skip
LENGTH_S = float(SCHEDULE[-1][0])
CHILDREN = 8  # what the ladder begins with, on any number of cores: memory is what is looked at


@dataclass(frozen=True, slots=True)
class Moment:
    """What was so at one time. Bytes; ``failed_queries`` and ``texts`` are sums since the start."""

    at_s: float
    level: str
    allowed: int  # document children, 0 while paused
    running: int  # document children
    loaded: bool  # any child runs
    unload: bool
    neighbours: int
    own: int
    used: int  # of the limit, without page cache that can be had back
    limit: int
    limit_hits: int
    texts: int
    queries: int
    failed_queries: int
    why: str


def neighbours_at(at_s: float, limit: int) -> int:
    """Bytes that the neighbours hold."""
    for (left, low), (right, high) in pairwise(SCHEDULE):
        if at_s <= right:
            return int(limit * (low + (high - low) * (at_s - left) / (right - left)))
    return int(limit * SCHEDULE[-1][1])
