"""When and how to build an index over vectors: pure decisions, with the measurements they rest on.

All of them from benchmarks/ann.py on two busy cores; real means 8,500 pieces of the standard library and 200 docstrings
as queries, embedded with all-MiniLM-L6-v2 (384 components), for 50 rows a query:

    real, exact                                        4.2 ms   1.0
    real, ivf_pq       20 of 92 partitions, refine 10  7.7 ms    .982
    real, ivf_pq       50 of 92 partitions, refine 5   4.3 ms    .979
    real, ivf_rq       50 of 92 partitions, refine 5   4.2 ms    .991
    real, ivf_pq       37 of 92 partitions, refine 8   6.5 ms    .993  (what plan_ann_query says)
    real, ivf_hnsw_sq  refine 5                        4.2 ms   1.0
    20,000 made from text, exact                       9.6 ms   1.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Kind = Literal["ivf_pq", "ivf_rq", "ivf_hnsw_sq"]
Choice = Literal["auto", "ivf_pq", "ivf_rq", "ivf_hnsw_sq", "exact"]

# Up to here a scan of every vector is as fast as an index with refinement, and exact: 5 ms at 10,000 x 384, 10 ms at
# 20,000, against 4 to 8 ms. Training costs 9 s of processor time at 20,000, so it has to buy something.
EXACT_UP_TO = 15_000

# 256 centroids of a sub-vector need 256 rows to be trained on; with fewer, the index stays silently empty.
FEWEST_TO_TRAIN = 256

# A build learns its partitions from the rows it sees. Past half as many again, recall falls and deltas pile up.
REBUILD_GROWTH = 1.5

# Sketches are short and come with the text. Up to some 50,000 are kept in memory (vector_scan.py: .5 ms); a scan of
# 90,119 x 160 in the table took 39 ms of the 57 of a query. Above, an index of one bit a component in few large
# partitions: to train many takes longer than all the rest of indexing. 387,440 of Linux's sketches, 50 rows a query:
#
#     exact                                       231 ms   .998
#     ivf_rq, 622 partitions                       50 s of processor to build
#       100 of them, refine 8                       8 ms   .945
#     ivf_rq, 128 partitions                       13 s
#        24 of them, refine 16                     16 ms   .935
#     ivf_rq,  64 partitions                      5.5 s, 14 MB
#        12 of them, refine 8                       6 ms   .896
#        24 of them, refine 16                      9 ms   .958
#        48 of them, refine 16                     15 ms   .984
#     ivf_sq,  64 partitions                      6.0 s, 89 MB
#        24 of them, refine 8                      88 ms   .971
SKETCHES_SCANNED = 50_000


@dataclass(frozen=True, slots=True)
class AnnPlan:
    """How to build an index over vectors, and how to ask it."""

    kind: Kind
    partitions: int
    sub_vectors: int  # of product quantisation: how many 8-bit codes stand for a vector


@dataclass(frozen=True, slots=True)
class AnnQuery:
    """How widely to look: partitions probed, and how many times ``limit`` candidates are compared exactly."""

    nprobes: int
    refine_factor: int


def plan_ann_index(rows: int, dim: int, kind: Choice = "auto", exact_up_to: int = EXACT_UP_TO) -> AnnPlan | None:
    """The index for ``rows`` vectors of ``dim`` components, or None where a scan of all of them is better."""
    if kind == "exact" or rows <= max(exact_up_to, FEWEST_TO_TRAIN - 1):
        return None
    return AnnPlan("ivf_pq" if kind == "auto" else kind, round(math.sqrt(rows)), _sub_vectors(dim))


def plan_ann_query(rows: int, limit: int) -> AnnQuery:
    """How to ask an index over ``rows`` vectors for ``limit`` of them, so that recall@10 stays above .95.

    Four partitions in ten: codes are cheap to look through, and what is not probed is lost. Of the candidates 400 are
    compared exactly, at 5 µs each; more than that gains a hundredth and doubles the time.
    """
    return AnnQuery(nprobes=max(20, round(0.4 * math.sqrt(rows))), refine_factor=max(4, math.ceil(400 / max(1, limit))))


def plan_sketch_index(rows: int) -> AnnPlan | None:
    """The index for ``rows`` sketches, or None where a scan of all of them is fast enough."""
    if rows <= SKETCHES_SCANNED:
        return None
    return AnnPlan("ivf_rq", max(64, round(math.sqrt(rows) / 20)), sub_vectors=0)


def plan_sketch_query(rows: int, limit: int) -> AnnQuery:
    """How to ask an index over ``rows`` sketches for ``limit`` of them: three partitions in four, 800 compared."""
    return AnnQuery(max(48, round(math.sqrt(rows) / 27)), max(4, math.ceil(800 / max(1, limit))))


def needs_build(plan: AnnPlan, rows: int, built_kind: str, built_rows: int) -> bool:
    """Whether the index of ``built_kind`` over ``built_rows`` vectors no longer fits ``plan`` for ``rows``."""
    return built_kind != plan.kind or rows >= REBUILD_GROWTH * built_rows


def _sub_vectors(dim: int) -> int:
    """The largest divisor of ``dim`` up to ``dim`` / 16; at 16 components a code, refinement restores the order."""
    return next(count for count in range(max(1, dim // 16), 0, -1) if dim % count == 0)
