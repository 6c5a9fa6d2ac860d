"""Projects that were never written to disk: chunks with vectors of our own, and what a page is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mcp_server.freshness import Freshness
from mcp_server.map.page import page
from mcp_server.map.payload import payload
from mcp_server.map.survey import Placed, Survey
from mcp_server.statuses import ModelStatus, RootStatus, Status
from storage.chunk import Chunk, FileRecord, Sample
from tests.mcp_server.samples import chunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAKEN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROOT = Path("/home/mara/harbour")


def clustered(groups: int, each: int, dim: int = 24, seed: int = 1) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors in so many groups, and the group of each."""
    draw = np.random.default_rng(seed)
    centres = draw.standard_normal((groups, dim))
    rows = np.repeat(centres, each, axis=0) + 0.3 * draw.standard_normal((groups * each, dim))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit.astype(np.float32), np.repeat(np.arange(groups), each)


def project(places: Mapping[str, Sequence[str]]) -> list[Chunk]:
    """A chunk for each name of each path, by path and place."""
    return [
        chunk(f"def {name}():\n    return {place}", path, 1 + 10 * place, name, place)
        for path, names in sorted(places.items())
        for place, name in enumerate(names)
    ]


def survey(chunks: Sequence[Chunk], root: Path = ROOT, metrics: Mapping[str, Any] | None = None) -> Survey:
    """A survey of ``chunks``, two of three of which have vectors."""
    per_file = Counter(one.file_path for one in chunks)
    files = {
        path: FileRecord(path, 100 * count, 0, "h", "python" if path.endswith(".py") else "text", count)
        for path, count in per_file.items()
    }
    vectors = 2 * len(chunks) // 3
    fresh = Freshness("current", len(files), len(files), len(chunks), vectors, len(chunks), branch="main")
    status = Status((RootStatus(str(root), fresh, ""),), ModelStatus("small", "ready"), 1 << 26, 0)
    vectorless = {path: count // 3 for path, count in per_file.items()}
    nothing = np.zeros((len(chunks), 0), np.float32)
    return Survey(root, TAKEN, status, files, vectorless, Sample(tuple(chunks), nothing, nothing), metrics)


def placed(chunks: Sequence[Chunk], seed: int = 3) -> Placed:
    """Places drawn evenly."""
    places = np.random.default_rng(seed).uniform(-10, 10, (len(chunks), 2)).astype(np.float32)
    return Placed(places, "Laid out by chance.")


def page_of(chunks: Sequence[Chunk], where: Placed | None = None, **kept: Any) -> bytes:
    """The page of ``chunks``."""
    return page(payload(survey(chunks, **kept), where or placed(chunks), "1.2.3"))
