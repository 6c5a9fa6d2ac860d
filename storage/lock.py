"""The writer's lock of one index: at most one process writes, and the others can say who."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from storage.errors import IndexBusyError

# filelock counts a process's holders without a lock of its own: two threads that come at once would refuse each other.
_TAKING = threading.Lock()


class WriterLock:
    """An advisory lock on ``directory``/writer.lock; the operating system lets go of it when its process ends.

    Reentrant within the process: every WriterLock of one directory counts together, in all threads.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._holder_path = directory / "writer.json"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock until the end of the block, without waiting for it.

        Raises IndexBusyError, naming the holder, where another process has it.
        """
        with _TAKING:
            lock = self._lock()
            self._acquire(lock)
        try:
            yield
        finally:
            with _TAKING:
                if lock.lock_counter == 1:
                    self._holder_path.unlink(missing_ok=True)
                lock.release()

    def _lock(self) -> FileLock:
        return FileLock(self._directory / "writer.lock", is_singleton=True, thread_local=False, mode=0o600)

    def _acquire(self, lock: FileLock) -> None:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise IndexBusyError(
                f"The index in {self._directory} is being written by {self._holder()}; "
                "searches still work, and changes are picked up when it has finished."
            ) from None
        if lock.lock_counter == 1:
            self._sign()

    def _sign(self) -> None:
        """Say who holds the lock: for people to read, nothing depends on it."""
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "since": datetime.now(UTC).isoformat("T", "seconds"),
        }
        self._holder_path.write_text(json.dumps(holder), "utf-8")

    def _holder(self) -> str:
        try:
            holder = json.loads(self._holder_path.read_text("utf-8"))
            return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"
