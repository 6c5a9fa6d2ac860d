"""Everything that is known of a user's servers at one moment: for a scrape, for `codeloupe metrics`, for `status`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Any

from embedding.errors import EmbeddingError
from embedding.pressure import Gauge
from embedding.shared.running import services
from embedding.shared.state import ServiceState
from mcp_server.metrics import families
from mcp_server.metrics.counts import Counts, Times, total
from mcp_server.metrics.families import Family
from mcp_server.metrics.figures import ServerFigures
from mcp_server.metrics.notes import Noted, Notes, notes_directory

FORMAT = 1  # of the JSON: another number where something is renamed or goes


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of some processes: private ones summed, shared ones counted once."""

    private: int = 0
    shared: int = 0

    def as_json(self) -> dict[str, int]:
        """For a program."""
        return {"private_bytes": self.private, "shared_bytes": self.shared}


@dataclass(frozen=True, slots=True)
class ServerSeen:
    """A server that runs, and what it takes now."""

    figures: ServerFigures
    memory: Memory
    children: Memory  # its indexing children; not an embedding service, which is everybody's

    def as_json(self, now: float) -> dict[str, Any]:
        """For a program."""
        figures = self.figures
        return {
            "pid": figures.process.pid,
            "started": moment(figures.process.started),
            "version": figures.version,
            "age_s": round(max(0.0, now - figures.at), 3),
            "metrics_port": figures.metrics_port,
            "roots": [root.as_json() for root in figures.roots],
            "memory": {"server": self.memory.as_json(), "children": self.children.as_json()},
            "counts": counts_json(figures.counts),
        }


@dataclass(frozen=True, slots=True)
class Overview:
    """A user's servers and embedding services; ``totals`` has servers that have ended as well."""

    at: float  # seconds since 1970
    servers: tuple[ServerSeen, ...]
    services: tuple[ServiceState, ...]
    totals: Counts

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            "format": FORMAT,
            "taken": moment(self.at),
            "servers": [server.as_json(self.at) for server in self.servers],
            "services": [service.as_json() for service in self.services],
            "totals": counts_json(self.totals),
        }


def overview(noted: Noted, shared: Sequence[ServiceState], own: ServerFigures | None = None) -> Overview:
    """What is known now; ``own`` are the figures of the server that asks, in place of its note."""
    others = [one for one in noted.servers if own is None or one.process.pid != own.process.pid]
    figures = [*([own] if own else []), *others]
    private = [one.service for one in figures if one.service is not None]
    states = tuple(replace(one, model=model_label(one.model)) for one in (*shared, *private))
    seen = tuple(_seen(figures, {one.pid for one in shared}))
    return Overview(time(), seen, states, total([noted.ended, *(one.counts for one in figures)]))


def gather(data: Path) -> Overview:
    """What is known of the user whose data directory is ``data``, to a process that is no server."""
    return overview(Notes(notes_directory(data)).read(), running_services(data))


def running_services(data: Path) -> list[ServiceState]:
    """What the embedding services of a user say of themselves; one that does not answer is left out."""
    found = []
    for service in services(data):
        with suppress(EmbeddingError):
            state = service.state()
            if state is not None:
                found.append(replace(state, clients=max(0, state.clients - 1)))  # who asks is none of them
    return found


def model_label(name: str) -> str:
    """A model's name as others may read it: of a file without its directory."""
    return Path(name).name if Path(name).is_absolute() or name.startswith((".", "~")) else name


def moment(seconds: float) -> str:
    """A time as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seen(figures: Sequence[ServerFigures], leaving_out: set[int]) -> list[ServerSeen]:
    below = descendants([one.process.pid for one in figures], leaving_out)
    gauge = Gauge()

    def memory(pids: Sequence[int]) -> Memory:
        reading = gauge.read(pids)
        return Memory(reading.private_bytes, reading.shared_bytes)

    return [ServerSeen(one, memory([one.process.pid]), memory(below[one.process.pid])) for one in figures]


def descendants(pids: Sequence[int], leaving_out: set[int]) -> dict[int, list[int]]:
    """The descendants of each process but those under ``leaving_out``: one look at all processes for all of them."""
    import psutil

    children: dict[int, list[int]] = {}
    for process in psutil.process_iter(["ppid"]):
        children.setdefault(process.info["ppid"], []).append(process.pid)
    return {pid: _below(pid, children, leaving_out) for pid in pids}


def _below(top: int, children: Mapping[int, Sequence[int]], leaving_out: set[int]) -> list[int]:
    """The descendants of ``top``, each once: on Windows a dead parent's number may be a child's by now, in a ring."""
    found: dict[int, None] = {}
    pending = [top]
    while pending:
        own = [child for child in children.get(pending.pop(), ()) if child not in leaving_out and child != top]
        fresh = [child for child in own if child not in found]
        found.update(dict.fromkeys(fresh))
        pending += fresh
    return list(found)


def counts_json(counts: Counts) -> dict[str, Any]:
    """What was counted, for a program: only what there is of modes, tools and errors, all of the rest."""
    searches = {labels[0]: times for labels, times in counts.times_of(families.SEARCH).items()}
    return {
        "searches": latencies(searches) | {"all": latency(_together(searches))},
        "tool_seconds": latencies({one[0]: times for one, times in counts.times_of(families.TOOL_SECONDS).items()}),
        "embeddings": {kind: latency(counts.time(families.EMBEDDING, kind)) for kind in families.EMBEDDED.values},
        "store": {leg: latency(counts.time(families.STORE, leg)) for leg in families.LEG.values},
        "tools": _tools(counts),
        "texts_embedded": _by(counts, families.TEXTS),
        "vector_cache": _cache(counts, families.VECTOR_CACHE),
        "query_cache": _cache(counts, families.QUERY_CACHE),
        "searches_without_vector": counts.number(families.WITHOUT_VECTOR),
        "indexed": {
            "files": counts.number(families.FILES),
            "removed": counts.number(families.REMOVED),
            "chunks": counts.number(families.CHUNKS),
            "vectors": counts.number(families.VECTORS),
            "runs": _by(counts, families.RUNS),
        },
        "errors": {": ".join(labels): int(number) for labels, number in counts.numbers_of(families.ERRORS).items()},
    }


def latencies(by_label: Mapping[str, Times]) -> dict[str, Any]:
    """``latency`` of each."""
    return {label: latency(times) for label, times in by_label.items()}


def latency(times: Times) -> dict[str, Any]:
    """A histogram for a program; percentiles are reckoned out of buckets, so wrong by up to a bucket's width."""
    return {
        "count": times.count,
        "sum_s": times.seconds,
        "mean_s": times.mean,
        "p50_s": times.percentile(0.50),
        "p95_s": times.percentile(0.95),
        "p99_s": times.percentile(0.99),
        "buckets": [[None if bound == float("inf") else bound, count] for bound, count in times.cumulative()],
    }


def _together(by_label: Mapping[str, Times]) -> Times:
    whole = Times()
    for times in by_label.values():
        whole = whole.plus(times)
    return whole


def _tools(counts: Counts) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (tool, outcome), number in counts.numbers_of(families.TOOL_CALLS).items():
        found.setdefault(tool, dict.fromkeys(families.OUTCOME.values, 0))[outcome] = int(number)
    return found


def _by(counts: Counts, family: Family) -> dict[str, int]:
    """The numbers of a family with one label, noughts too."""
    return {value: counts.number(family, value) for value in family.labels[0].values}


def _cache(counts: Counts, family: Family) -> dict[str, Any]:
    hits, misses = counts.number(family, "hit"), counts.number(family, "miss")
    return {"hits": hits, "misses": misses, "ratio": hits / (hits + misses) if hits + misses else None}
