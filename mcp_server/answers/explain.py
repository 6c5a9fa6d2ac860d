"""A hit's score as the sum it is, for who asks why it stands where it does. Pure."""

from __future__ import annotations

import re

from storage.chunk import Hit
from storage.ranking.ranking import FACTORS

PLACES = 3  # decimals shown


def explained(hit: Hit) -> str:
    """``text .700 + name .150 = .850 × place .350 = .298``: the shown summands add up to the shown sum exactly."""
    added = [(name, value) for name, value in hit.signals if name not in FACTORS]
    factors = [(name, value) for name, value in hit.signals if name in FACTORS]
    if not added:
        return f"found by {' and '.join(hit.found_by)}"
    terms = " + ".join(f"{name} {_number(units)}" for (name, _), units in zip(added, _rounded(added), strict=True))
    total = sum(_rounded(added))
    said = f"{terms} = {_number(total)}" if len(added) > 1 or factors else terms
    if not factors:
        return said
    product = "".join(f" × {name} {_number(round(value * 10**PLACES))}" for name, value in factors)
    return f"{said}{product} = {_number(round(hit.score * 10**PLACES))}"


def _rounded(added: list[tuple[str, float]]) -> list[int]:
    """The values in thousandths, each rounded up or down so that they add up to the rounded sum."""
    exact = [value * 10**PLACES for _, value in added]
    units = [int(value // 1) for value in exact]
    short = round(sum(exact)) - sum(units)
    by_rest = sorted(range(len(exact)), key=lambda place: units[place] - exact[place])
    for place in by_rest[:short]:
        units[place] += 1
    return units


def _number(units: int) -> str:
    """``.350``, ``1.204``."""
    return re.sub(r"^(-?)0\.", r"\1.", f"{units / 10**PLACES:.{PLACES}f}")
