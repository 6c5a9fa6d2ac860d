"""Processes that are started at the priority this one had at first, also once it has stepped back behind others.

An indexing child steps back, and may be the one who starts the embedding service; the service answers everybody's
queries, and nobody but root can raise it again. On Linux threads have priorities of their own, so one that was begun
before keeps it and starts what must. On macOS what is started inherits the step; Windows is told a class.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeVar

Started = TypeVar("Started")


class Starter:
    """Starts in the calling thread, or from ``keep`` on in one of its own."""

    def __init__(self) -> None:
        self._thread: Executor | None = None

    def keep(self) -> None:
        """Hold on to the priority of now; to be called before stepping back."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "start")
            self._thread.submit(int).result()  # the thread begins with its first work

    def start(self, process: Callable[[], Started]) -> Started:
        """What ``process`` returns, which starts one."""
        return process() if self._thread is None else self._thread.submit(process).result()


STARTER = Starter()  # of this process
