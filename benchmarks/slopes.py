"""Whether a figure grows: a slope that outliers do not move, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WINDOWS = 60  # as many medians are made of a series: neighbours in time are too alike to count as evidence each
CERTAINTY = 1.96  # standard deviations: 95 %


@dataclass(frozen=True, slots=True)
class Slope:
    """Growth in units an hour, and the interval that holds it in 95 of 100 series without memory."""

    per_hour: float
    low: float
    high: float

    def grows(self, most_per_hour: float) -> bool:
        """Whether it surely grows, and by more than ``most_per_hour``."""
        return self.low > 0 and self.per_hour > most_per_hour


def slope(seconds: Sequence[float], values: Sequence[float]) -> Slope | None:
    """Theil and Sen's: the median of the slopes of all pairs; the interval is Sen's (1968), by Kendall's statistic.

    None for fewer than eight values: of those nothing can be said.
    """
    if len(values) < 8:
        return None
    x, y = _medians(np.asarray(seconds, float) / 3600.0, np.asarray(values, float))
    first, second = np.triu_indices(len(x), 1)
    slopes = np.sort((y[second] - y[first]) / (x[second] - x[first]))
    count = len(x)
    reach = CERTAINTY * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = int(max(0, math.floor((len(slopes) - reach) / 2)))
    high = int(min(len(slopes) - 1, math.ceil((len(slopes) + reach) / 2)))
    return Slope(float(np.median(slopes)), float(slopes[low]), float(slopes[high]))


def _medians(
    x: np.ndarray[tuple[int], np.dtype[np.float64]], y: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """The medians of consecutive parts of a series in order of time."""
    parts = min(WINDOWS, len(x))
    middle = [np.median(part) for part in np.array_split(x, parts)]
    return np.array(middle), np.array([np.median(part) for part in np.array_split(y, parts)])
