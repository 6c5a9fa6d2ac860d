"""Readings of the gauge on the mole."""

import statistics


class GaugeSilentError(RuntimeError):
    """The gauge sent nothing for longer than a tide turns."""


class TideGauge:
    """Keeps the last readings and drops the spray."""

    def __init__(self, window: int = 9) -> None:
        self._window = window
        self._readings: list[float] = []

    def record(self, metres: float) -> None:
        self._readings = [*self._readings, metres][-self._window :]

    def smoothed(self) -> float:
        """The median, because a wave over the sensor must not open the lock gate."""
        if not self._readings:
            raise GaugeSilentError("no reading from the mole; call the keeper")
        return statistics.median(self._readings)
