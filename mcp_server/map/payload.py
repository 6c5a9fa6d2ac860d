"""What the page reads: columns of numbers and texts, as JSON, packed."""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from mcp_server.map.figures import figures
from mcp_server.map.groups import Group, group_of, grouped
from mcp_server.map.regions import regions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mcp_server.map.survey import Placed, Survey
    from storage.chunk import Chunk

GRID = 65_535  # the larger side of the map: a hundred steps for each pixel of a large screen
EXCERPT_LINES = 6
EXCERPT_CHARS = 400  # of a chunk's first lines
MOST_EXCERPTS = 4_000_000  # characters, all chunks together: 1 MB packed


def payload(survey: Survey, placed: Placed, version: str) -> dict[str, Any]:
    """Everything the page knows of ``survey``."""
    chunks = survey.sample.chunks
    groups = grouped(Counter(chunk.file_path for chunk in chunks))
    places, scale, corner = _gridded(placed.places)
    kinds = sorted({chunk.kind for chunk in chunks})
    total = survey.status.roots[0].freshness.chunks
    return {
        "root": survey.root.as_posix(),
        "name": survey.root.name or survey.root.as_posix(),
        "version": version,
        "taken": survey.taken.isoformat(timespec="seconds"),
        "by": placed.by,
        "total": max(total, len(chunks)),
        "groups": [[group.directory, group.chunks] for group in groups],
        "files": _files(chunks, groups),
        "kinds": kinds,
        "x": places[:, 0].tolist(),
        "y": places[:, 1].tolist(),
        "first": [chunk.start_line for chunk in chunks],
        "last": [chunk.end_line for chunk in chunks],
        "kind": [kinds.index(chunk.kind) for chunk in chunks],
        "called": [chunk.name_path for chunk in chunks],
        "code": _excerpts(chunks),
        "regions": [
            [round((one.x - corner[0]) * scale), round((one.y - corner[1]) * scale), one.level, one.label]
            for one in regions(placed.places, chunks)
        ],
        "figures": figures(survey, groups),
    }


def packed(content: dict[str, Any]) -> str:
    """JSON, compressed, in letters, digits, "+", "/" and "=": nothing in it can end the element it stands in."""
    text = json.dumps(content, separators=(",", ":")).encode("ascii")
    return base64.b64encode(gzip.compress(text, mtime=0)).decode("ascii")


def _files(chunks: Sequence[Chunk], groups: list[Group]) -> list[tuple[str, int, int]]:
    """Path, group and number of chunks of each file, in the order of the chunks."""
    runs = ((path, sum(1 for _ in run)) for path, run in groupby(chunks, lambda chunk: chunk.file_path))
    return [(path, group_of(path, groups), count) for path, count in runs]


def _gridded(places: NDArray[np.float32]) -> tuple[NDArray[np.int64], float, tuple[float, float]]:
    """Places as whole numbers from 0 to GRID, what they were multiplied by, and what was 0."""
    corner = places.min(axis=0)
    side = float((places.max(axis=0) - corner).max()) or 1.0
    scale = GRID / side
    return np.rint((places - corner) * scale).astype(np.int64), scale, (float(corner[0]), float(corner[1]))


def _excerpts(chunks: Sequence[Chunk]) -> list[str]:
    """The first lines of each chunk, shorter where there are many chunks."""
    most = min(EXCERPT_CHARS, MOST_EXCERPTS // max(1, len(chunks)))
    return [_excerpt(chunk.embedding_text(), most) for chunk in chunks]


def _excerpt(content: str, most: int) -> str:
    """The first lines that are not blank, without the indentation they share, in at most ``most`` characters."""
    lines = [line.rstrip().expandtabs(4) for line in content[: 4 * most].splitlines() if line.strip()][:EXCERPT_LINES]
    indent = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    return "\n".join(line[indent:] for line in lines)[:most]
