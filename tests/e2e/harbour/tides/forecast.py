"""Water levels from harmonic constituents."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Constituent:
    """One cosine of the tide."""

    amplitude_m: float
    speed_deg_h: float
    phase_deg: float

    def height(self, hours: float) -> float:
        return self.amplitude_m * math.cos(math.radians(self.speed_deg_h * hours - self.phase_deg))


MOON = Constituent(1.42, 28.984, 41.0)
SUN = Constituent(0.47, 30.0, 77.0)


def water_level(hours: float, mean_m: float = 3.1) -> float:
    """Metres of water above the sill, ``hours`` after the epoch."""
    return mean_m + sum(part.height(hours) for part in (MOON, SUN))


def passage_window(draught_m: float, clearance_m: float = 0.6, horizon_h: int = 48) -> list[int]:
    """Hours at which a ship of this draught can cross the sill without touching the ground."""
    return [hour for hour in range(horizon_h) if water_level(hour) >= draught_m + clearance_m]
