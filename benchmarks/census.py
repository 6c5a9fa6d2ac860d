"""Every process of one run, by what it is: found by a mark in its environment, whoever its parent is now."""

from __future__ import annotations

import secrets
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

MARK = "SOAK_RUN"
OURS = ("mcp_server.", "embedding.", "indexer.")
SERVER, JOB, SERVICE, CHILD = "server", "indexing child", "service", "model child"
KINDS = {
    "mcp_server.cli": SERVER,
    "mcp_server.indexes.job": JOB,
    "embedding.shared.serving": SERVICE,
    "embedding.worker": CHILD,
    "indexer.cutter": "cutter",
}
MIB = 2**20


def new_mark() -> str:
    """A mark that no other run has."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Found:
    """One process of the run."""

    kind: str  # one of KINDS, the module of ours it runs, or the name of the program
    process: psutil.Process

    @property
    def pid(self) -> int:
        return int(self.process.pid)


@dataclass(frozen=True, slots=True)
class Belongings:
    """What one process holds."""

    private_mib: float
    descriptors: int
    threads: int


def members(mark: str) -> list[Found]:
    """Every process that carries the mark, but this one."""
    return list(_members(mark))


def _members(mark: str) -> Iterator[Found]:
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                yield Found(_kind(process.cmdline()), process)


def _kind(command: list[str]) -> str:
    module = next((part for part in command if part.startswith(OURS)), "")
    return KINDS.get(module) or module or (command[0].rsplit("/", 1)[-1] if command else "?")


def of_kind(found: Iterable[Found], kind: str) -> list[Found]:
    """Those of one kind."""
    return [one for one in found if one.kind == kind]


def defunct(found: Iterable[Found]) -> list[str]:
    """Those that have ended and were not waited for, each as its number and whose child it was.

    A zombie has no environment left, so it is known by its parent.
    """
    parents = {one.pid: one.kind for one in found}
    gone = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() == psutil.STATUS_ZOMBIE and process.ppid() in parents:
                gone.append(f"{process.pid} of a {parents[process.ppid()]}")
    return gone


def private_mib(process: psutil.Process) -> float:
    """Memory that would be free without this process: on Linux what is resident and not shared, in MiB."""
    if sys.platform == "linux":
        memory = process.memory_info()
        return float(memory.rss - memory.shared) / MIB
    return float(process.memory_full_info().uss) / MIB


def belongings(process: psutil.Process) -> Belongings:
    """What a process holds now. Raises psutil.Error where it has ended."""
    handles = process.num_handles() if sys.platform == "win32" else process.num_fds()
    return Belongings(private_mib(process), handles, _threads(process))


def _threads(process: psutil.Process) -> int:
    """Threads, on Linux without those that LanceDB starts to read files, up to hundreds, and ends after 10 s idle."""
    if sys.platform != "linux":
        return int(process.num_threads())
    count = 0
    for name in Path(f"/proc/{process.pid}/task").glob("*/comm"):
        with suppress(OSError):
            count += not name.read_text("utf-8").startswith("lancedb-tokio")
    return count


def counted(found: Iterable[Found]) -> str:
    """How many of each kind, in words."""
    return ", ".join(f"{count} {kind}" for kind, count in sorted(Counter(one.kind for one in found).items()))
