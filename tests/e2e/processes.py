"""Who is alive: a server's children, and that nobody is left of a family."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import psutil

from tests.e2e.wire import PATIENCE_S

INDEXER = "mcp_server.indexes.job"
WORKER = "embedding.worker"
LOOK_S = 0.02


def family(pid: int) -> list[psutil.Process]:
    """A process and all its descendants, now."""
    with contextlib.suppress(psutil.NoSuchProcess):
        head = psutil.Process(pid)
        return [head, *head.children(recursive=True)]
    return []


def running(pid: int, module: str) -> list[psutil.Process]:
    """The descendants of ``pid`` that run ``python -m module``."""
    found = []
    for process in family(pid)[1:]:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if module in process.cmdline():
                found.append(process)
    return found


def eventually(holds: Callable[[], object], what: str) -> None:
    """Look again and again until ``holds`` does; fails when patience ends."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(LOOK_S)


def gone(process: psutil.Process) -> bool:
    """Whether a process has ended (one that waits to be reaped by its parent has)."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def assert_gone(processes: list[psutil.Process]) -> None:
    """All of them end by themselves, soon."""
    eventually(lambda: all(map(gone, processes)), f"these have ended: {processes}")
