"""The dashboard's figures, out of a survey: counts and shares alone, drawn and worded by the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mcp_server.map.groups import Group, group_of

if TYPE_CHECKING:
    from mcp_server.map.survey import Survey
    from storage.chunk import Chunk, FileRecord

LINES = (1, 6, 11, 21, 41, 81, 161)  # the first of each range of lines that chunks are counted by

MEASURED = ("searches", "embeddings", "store")
LATENCY = ("count", "mean_s", "p50_s", "p95_s", "p99_s")


def figures(survey: Survey, groups: list[Group]) -> dict[str, Any]:
    """Everything the dashboard shows, as JSON."""
    root = survey.status.roots[0]
    found = [record for record in survey.files.values() if not record.skipped]
    return {
        "freshness": {**root.freshness.as_json(), "sentence": root.freshness.sentence(), "watched": root.watched},
        "tiers": _tiers(survey),
        "languages": _covered(found, survey.vectorless, lambda record: record.language),
        "directories": _covered(
            found, survey.vectorless, lambda record: groups[group_of(record.path, groups)].directory
        ),
        "kinds": Counter(chunk.kind for chunk in survey.sample.chunks).most_common(),
        "lines": _lines(survey.sample.chunks),
        "skipped": sorted(root.skipped.items(), key=lambda item: -item[1]),
        "sizes": {
            "files": len(found),
            "source_bytes": sum(record.size for record in found),
            "index_bytes": root.disk_bytes,
            "chunks": root.freshness.chunks,
            "vectors": root.freshness.vectors,
            "vector_index": root.vector_index,
            "text_index": root.text_index,
        },
        "model": survey.status.model.as_json(),
        "metrics": _measured(survey.metrics) if survey.metrics else None,
    }


def _tiers(survey: Survey) -> list[dict[str, Any]]:
    fresh = survey.status.roots[0].freshness
    have = (fresh.files, fresh.sketches, fresh.vectors)
    wanted = (fresh.files_expected, fresh.chunks, fresh.chunks)
    names, units = ("text", "sketches", "vectors"), ("files", "chunks", "chunks")
    return [
        {"name": name, "have": some, "of": most, "unit": unit}
        for name, some, most, unit in zip(names, have, wanted, units, strict=True)
    ]


def _covered(
    records: Iterable[FileRecord], vectorless: Mapping[str, int], key: Callable[[FileRecord], str]
) -> list[dict[str, Any]]:
    """Files, chunks and vectors by ``key``, most chunks first."""
    files, chunks, lacking = Counter[str](), Counter[str](), Counter[str]()
    for record in records:
        name = key(record)
        files[name] += 1
        chunks[name] += record.chunk_count
        lacking[name] += vectorless.get(record.path, 0)
    return [
        {"name": name, "files": files[name], "chunks": count, "vectors": max(0, count - lacking[name])}
        for name, count in chunks.most_common()
    ]


def _measured(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """What the page draws of a user's metrics, and no more: a page may be given away, and they name other projects."""
    totals = metrics.get("totals", {})
    return {
        "servers": [_only(server, ("pid", "memory")) for server in metrics.get("servers", ())],
        "services": [
            _only(service, ("pid", "private_bytes", "shared_bytes")) for service in metrics.get("services", ())
        ],
        "totals": {
            kind: {name: _only(times, LATENCY) for name, times in totals.get(kind, {}).items()} for kind in MEASURED
        },
    }


def _only(whole: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: whole[name] for name in names if name in whole}


def _lines(chunks: Sequence[Chunk]) -> list[tuple[str, int]]:
    """How many chunks have how many lines, by range."""
    counts = Counter(sum(chunk.end_line - chunk.start_line + 1 >= first for first in LINES) - 1 for chunk in chunks)
    names = [f"{first}-{after - 1}" for first, after in pairwise(LINES)] + [f"{LINES[-1]} or more"]
    return [(name, counts[place]) for place, name in enumerate(names)]
