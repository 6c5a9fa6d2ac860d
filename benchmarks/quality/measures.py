"""Figures of answers with one right place each. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

DEPTH = 10  # hits that count


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over queries, 0 to 1."""

    mrr: float
    ndcg: float
    recall: float


def figures(ranks: Sequence[int | None]) -> Figures:
    """MRR@10, nDCG@10 and recall@10 of the ranks at which the one right answer stands: 1 is best, None is nowhere."""
    seen = [rank for rank in ranks if rank is not None and rank <= DEPTH]
    asked = max(1, len(ranks))
    return Figures(
        mrr=sum(1 / rank for rank in seen) / asked,
        ndcg=sum(1 / math.log2(rank + 1) for rank in seen) / asked,
        recall=len(seen) / asked,
    )


def mean(rows: Sequence[Figures]) -> Figures:
    """The mean of means: each language counts the same."""
    count = max(1, len(rows))
    return Figures(
        sum(row.mrr for row in rows) / count,
        sum(row.ndcg for row in rows) / count,
        sum(row.recall for row in rows) / count,
    )
