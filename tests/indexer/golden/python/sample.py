"""Tides of a small harbour."""

import math
from dataclasses import dataclass

MEAN_LEVEL = 2.5
PERIOD: float = 12.42


@dataclass(frozen=True)
class Tide:
    """One reading of the gauge."""

    hour: float
    level: float = MEAN_LEVEL

    def __init__(self, hour: float) -> None:
        self.hour = hour
        self.level = MEAN_LEVEL + math.sin(2 * math.pi * hour / PERIOD)

    @property
    def is_high(self) -> bool:
        """Whether boats with a deep keel may enter."""
        return self.level > MEAN_LEVEL

    class Gauge:
        def read(self) -> float:
            return 0.0


# Comments directly above belong to the function.
async def forecast(tides: list[Tide], hours: int = 24) -> list[float]:
    """Levels hour by hour."""

    def at(hour: float) -> float:
        return sum(tide.level for tide in tides if tide.hour <= hour)

    levels = []
    for hour in range(hours):
        levels.append(at(hour))
        if levels[-1] > 2 * MEAN_LEVEL:
            raise ValueError("the gauge is broken")
    return levels


if __name__ == "__main__":
    print(forecast([]))
