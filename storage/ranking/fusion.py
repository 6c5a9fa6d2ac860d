"""Several ranked lists into one: reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

RANK_OFFSET = 60  # k of the paper; how little the very first ranks weigh against being in both lists


@dataclass(frozen=True, slots=True)
class Leg:
    """One tier's answer: chunk ids, best first, and how much its word weighs."""

    name: str  # "text", "vector"
    ids: Sequence[str]
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Fused:
    """A chunk's place after fusion: the sum of its legs' weight / (60 + rank), and the legs that saw it."""

    score: float
    found_by: tuple[str, ...]


def fuse(legs: Iterable[Leg]) -> dict[str, Fused]:
    """Score every id of every leg; ranks count from 1; ids are in no particular order."""
    scores: dict[str, float] = {}
    names: dict[str, tuple[str, ...]] = {}
    for leg in legs:
        for rank, chunk_id in enumerate(leg.ids, start=1):
            scores[chunk_id] = scores.get(chunk_id, 0.0) + leg.weight / (RANK_OFFSET + rank)
            names[chunk_id] = (*names.get(chunk_id, ()), leg.name)
    return {chunk_id: Fused(score, names[chunk_id]) for chunk_id, score in scores.items()}
