"""What is waited for when the model cannot embed just now: which failures pass, and when another run is worth it."""

from __future__ import annotations

from time import monotonic, sleep

from embedding.errors import (
    BusyError,
    EmbeddingError,
    EmbeddingTimeoutError,
    MemoryShortError,
    ModelFailedError,
    ModelLeftAloneError,
    ServiceError,
)
from indexer.pipeline import Stop

# What may be over in a while, without anybody's doing: memory is free again, a model that failed has rested.
PASSING = (BusyError, EmbeddingTimeoutError, MemoryShortError, ModelFailedError, ModelLeftAloneError, ServiceError)
# After such a failure vectors are tried again by themselves: after half a minute, the shortest rest of a model that is
# left alone, then ever more seldom while nothing comes of it. A try walks the tree: 1 to 2 s for 100,000 files.
RETRY_FIRST_S, RETRY_LONGEST_S = 30.0, 600.0
_STOP_LOOK_S = 0.05


def passes(error: EmbeddingError) -> bool:
    """Whether what was raised may be over in a while."""
    never = isinstance(error, MemoryShortError) and not error.ever
    return isinstance(error, PASSING) and not never


def retry_after_s(*, passing: bool, embedded: int, waited_s: float) -> float:
    """Seconds until another run may do better than one that ``embedded`` so many and came ``waited_s`` after another.

    0 where it would not: nothing failed, or what failed is not ``passing``.
    """
    if not passing:
        return 0.0
    return RETRY_FIRST_S if embedded or not waited_s else min(2 * waited_s, RETRY_LONGEST_S)


def rested(seconds: float, stop: Stop) -> bool:
    """Whether ``seconds`` have passed, which are waited for, before ``stop`` says so."""
    end = monotonic() + seconds
    while not stop():
        if (left := end - monotonic()) <= 0:
            return True
        sleep(min(left, _STOP_LOOK_S))
    return False
