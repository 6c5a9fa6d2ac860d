"""Give every ship a place at the quay."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ship:
    name: str
    length_m: float
    dangerous_goods: bool = False


class QuayFullError(RuntimeError):
    """No stretch of quay is long enough."""


class BerthPlanner:
    """First fit along the quay, dangerous goods far from the passenger terminal."""

    def __init__(self, quay_m: float) -> None:
        self._quay_m = quay_m
        self._taken: list[tuple[float, float, Ship]] = []

    def allocate(self, ship: Ship) -> float:
        """Metre mark of the bow; raises QuayFullError."""
        position = 600.0 if ship.dangerous_goods else 0.0
        for start, end, _ in sorted(self._taken, key=lambda berth: berth[0]):
            if position + ship.length_m <= start:
                break
            position = max(position, end)
        if position + ship.length_m > self._quay_m:
            raise QuayFullError(f"{ship.name} does not fit; anchor outside")
        self._taken.append((position, position + ship.length_m, ship))
        return position

    def release(self, name: str) -> None:
        """The ship has left: its stretch of quay is free again."""
        self._taken = [berth for berth in self._taken if berth[2].name != name]
