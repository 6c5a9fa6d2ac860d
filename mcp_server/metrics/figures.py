"""What is known of one server at one moment, as values: its process, its roots, what it counted."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from time import time
from typing import Any

from embedding.shared.state import ServiceState
from mcp_server.metrics.counts import Counts

if sys.platform == "linux":
    from time import CLOCK_BOOTTIME, clock_gettime

SAME_START_S = 5.0  # the system's word for when a process began moves a little as its clock is set


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A process, and not another one that later has its number."""

    pid: int
    started: float  # seconds since 1970, as the system says
    since_boot: float  # seconds from the start of the system to that of the process

    @classmethod
    def this(cls) -> ServerProcess:
        """The one that runs this."""
        pid = os.getpid()
        since_boot = _since_boot(pid) or 0.0
        return cls(pid, _boot_time() + since_boot, since_boot)

    def is_alive(self) -> bool:
        """Whether it still runs; also after the clock was set."""
        since_boot = _since_boot(self.pid)
        if since_boot is None:
            return False
        moved = since_boot - self.since_boot, _boot_time() + since_boot - self.started
        return min(map(abs, moved)) < SAME_START_S


def _since_boot(pid: int) -> float | None:
    """Seconds from the start of the system to that of a process; None where it has ended."""
    if sys.platform == "linux":  # psutil, which a server that searches has no use for, is .8 MiB
        try:
            fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] == "Z" else int(fields[19]) / os.sysconf("SC_CLK_TCK")
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return float(process.create_time() - psutil.boot_time())
    return None


def _boot_time() -> float:
    """When the system started, seconds since 1970, by its clock of now."""
    if sys.platform == "linux":
        return time() - clock_gettime(CLOCK_BOOTTIME)
    import psutil

    return float(psutil.boot_time())


@dataclass(frozen=True, slots=True)
class RootFigures:
    """One root by its name: no path leaves the server in this."""

    name: str
    id: str  # of its directory: the same for all servers, and it tells no path
    state: str = "unchecked"  # current, indexing, stale, empty, or unchecked: nobody has looked yet
    files: int = 0
    chunks: int = 0
    vectors: int = 0
    sketches: int = 0
    text_share: float = 0.0
    sketch_share: float = 0.0
    vector_share: float = 0.0
    disk_bytes: int = 0
    phase: str = ""  # of the run that goes on, "" where none does
    done: int = 0
    total: int = 0

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            "name": self.name,
            "id": self.id,
            "state": self.state,
            "files": self.files,
            "chunks": self.chunks,
            "vectors": self.vectors,
            "sketches": self.sketches,
            "coverage": {"text": self.text_share, "sketch": self.sketch_share, "vectors": self.vector_share},
            "disk_bytes": self.disk_bytes,
            "indexing": {"phase": self.phase, "done": self.done, "total": self.total} if self.phase else None,
        }


def root_figures_of(told: Mapping[str, Any]) -> RootFigures:
    """What was written as a note; what only one of two builds knows is left out. Raises TypeError."""
    known = {field.name for field in fields(RootFigures)}
    return RootFigures(**{name: value for name, value in told.items() if name in known})


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """One server."""

    process: ServerProcess
    version: str
    metrics_port: int | None
    at: float  # when this was so, seconds since 1970
    roots: tuple[RootFigures, ...]
    counts: Counts
    service: ServiceState | None = None  # one of its own, that nobody shares
