"""Servers of our own making."""

from __future__ import annotations

from dataclasses import replace

from embedding.shared.state import ServiceState
from mcp_server.metrics import families
from mcp_server.metrics.counts import Counts
from mcp_server.metrics.figures import RootFigures, ServerFigures, ServerProcess
from mcp_server.metrics.meter import Meter
from mcp_server.metrics.overview import Memory, Overview, ServerSeen

MIB = 1 << 20

ROOT = RootFigures("harbour", "a1b2c3d4e5f60718", "current", 12, 300, 150, 300, 1.0, 1.0, 0.5, 7 * MIB)
SERVICE = ServiceState(
    pid=99,
    model="all-minilm-l6-v2",
    clients=2,
    children=3,
    children_allowed=2,
    level="medium",
    why="70 % of the budget",
    paused="",
    left_alone="",
    waiting=4,
    queries=5,
    documents=100,
    tokens=20_000,
    restarts=1,
    private_bytes=80 * MIB,
    shared_bytes=20 * MIB,
    budget_bytes=8000 * MIB,
    seconds=60.0,
)


def counted(searches: int = 3, errors: int = 1) -> Counts:
    meter = Meter()
    for number in range(searches):
        meter.observe(families.SEARCH, 0.004 * (number + 1), "auto")
        meter.observe(families.EMBEDDING, 0.006, "query")
    for _ in range(errors):
        meter.count(families.ERRORS, "tool", "RequestError")
        meter.count(families.TOOL_CALLS, "search", "refused")
    return meter.counts()


def server(pid: int, counts: Counts | None = None, *, port: int | None = None, at: float = 1_000.0) -> ServerFigures:
    process = ServerProcess(pid, 1_000.0 + pid, 10.0)
    return ServerFigures(process, "1.2.3", port, at, (ROOT,), counted() if counts is None else counts)


def overview(*servers: ServerFigures, services: tuple[ServiceState, ...] = (SERVICE,)) -> Overview:
    seen = tuple(ServerSeen(one, Memory(74 * MIB, 30 * MIB), Memory(50 * MIB, 20 * MIB)) for one in servers)
    totals = Counts()
    for one in servers:
        totals = totals.plus(one.counts)
    return Overview(1_010.0, seen, services, totals)


def renamed(figures: ServerFigures, **changes: object) -> ServerFigures:
    return replace(figures, roots=(replace(ROOT, **changes),))  # type: ignore[arg-type] - by name
