"""All that a page says about one root, read from its index and from what runs just now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mcp_server.errors import RequestError
from mcp_server.freshness import percent
from mcp_server.home import data_directory
from mcp_server.map.layout import beside, lay_out
from mcp_server.map.neighbours import Report
from mcp_server.metrics.overview import gather

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mcp_server.engine import Engine
    from mcp_server.statuses import Status
    from storage.chunk import FileRecord, Sample

# What a browser draws in one frame, and what is laid out in a minute or two of processor time.
MOST_POINTS = 60_000
ENOUGH_VECTORS = 0.5  # share of chunks that have one, from which on vectors decide where chunks are

HINT = "'codeloupe index' adds vectors where there is a model."


@dataclass(frozen=True, slots=True)
class Survey:
    """One root at one moment."""

    root: Path
    taken: datetime
    status: Status
    files: Mapping[str, FileRecord]
    vectorless: Mapping[str, int]  # chunks without a vector, by path
    sample: Sample
    metrics: Mapping[str, Any] | None  # of this user's servers and services; None where not asked


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the chunks of a sample stand, and by what."""

    places: NDArray[np.float32]  # shape (chunks, 2)
    by: str  # a sentence


def take(engine: Engine, root: Path) -> Survey:
    """What there is of ``root`` now. Raises StorageError where its index cannot be read."""
    store = engine.roots[root].open()
    sample = store.sample(MOST_POINTS)
    vectorless = store.vectorless()
    measured = gather(data_directory()).as_json()
    return Survey(root, datetime.now(UTC), engine.status(), store.files(), vectorless, sample, measured)


def place(sample: Sample, report: Report) -> Placed:
    """Lay out the chunks of ``sample`` by meaning.

    Raises RequestError where there is nothing that says what they mean.
    """
    embedded: NDArray[np.bool_] = np.any(sample.vectors, axis=1)
    share = float(embedded.mean()) if len(embedded) else 0.0
    if share >= ENOUGH_VECTORS:
        return _by_vectors(sample, embedded, report)
    if not sample.sketches.any():
        raise RequestError(
            "Fewer than half of the chunks have vectors and none has a sketch, so nothing says which are alike; "
            "'codeloupe models pull' and 'codeloupe index' add vectors, an empty model.table adds sketches."
        )
    said = f"{percent(share)} of the vectors are made; 'codeloupe index' adds the others." if share else HINT
    return Placed(lay_out(sample.sketches, report), f"Laid out by sketches, which say roughly what code means; {said}")


def _by_vectors(sample: Sample, embedded: NDArray[np.bool_], report: Report) -> Placed:
    laid = lay_out(sample.vectors[embedded], report)
    others = int((~embedded).sum())
    if not others:
        return Placed(laid, "Laid out by the vectors of the model.")
    places = np.zeros((len(embedded), 2), np.float32)
    places[embedded] = laid
    places[~embedded] = beside(sample.sketches[embedded], laid, sample.sketches[~embedded])
    return Placed(
        places, f"Laid out by the vectors of the model; {others:,} have none yet and stand by their sketches."
    )
