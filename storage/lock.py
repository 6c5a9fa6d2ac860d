"""The writer's lock of one index: at most one process writes, the others can say who, and can ask it to look again.

    writer.lock    locked by the operating system for the one writing process
    writer.json    who that is; touched every few seconds, so that its age tells whether the holder still beats
    writer.asked   another process knows of changes and may not write: the holder looks at the directory again
    writer.wanted  ids of chunks that were searched for elsewhere: the holder gives them vectors first

Who may write is decided in storage/holder.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from storage.errors import IndexBusyError
from storage.holder import BEAT_S, Holder, Sighting, Verdict, judge, refusal
from storage.replacing import replace_file

# filelock counts a process's holders without a lock of its own: two threads that come at once would refuse each other.
_TAKING = threading.Lock()
_BEATING: dict[Path, threading.Event] = {}  # of the locks this process holds; set, the beat ends
_SAME_START_S = 5.0  # the system's word for when a process began moves a little as its clock is set


class WriterLock:
    """An advisory lock on ``directory``/writer.lock; the operating system lets go of it when its process ends.

    Reentrant within the process: every WriterLock of one directory counts together, in all threads.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock_path = directory / "writer.lock"
        self._holder_path = directory / "writer.json"
        self._asked_path = directory / "writer.asked"
        self._wanted_path = directory / "writer.wanted"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock until the end of the block, without waiting for it.

        Raises IndexBusyError, naming the holder, where another process has it, or has taken it over since this one
        was suspended.
        """
        with _TAKING:
            lock = FileLock(self._lock_path, is_singleton=True, thread_local=False, mode=0o600)
            if lock.is_locked:
                self._require_mine()
                lock.acquire(blocking=False)
            else:
                self._take(lock)
        try:
            yield
        finally:
            with _TAKING:
                if lock.lock_counter == 1:
                    self._sign_off()
                lock.release()

    def signed(self) -> Sighting:
        """Who has signed, and when it last gave a sign of life; the system's own lock is not tried. Raises OSError."""
        return self._look(locked=False)

    def ask(self) -> None:
        """Tell the holder, whoever it is, that the directory has changed."""
        with contextlib.suppress(OSError):  # a disk that is full: whoever writes next looks anyway
            self._asked_path.touch(mode=0o600)

    def asked(self) -> bool:
        """Whether somebody has asked since ``answer``. 2 µs: for every file and slice of a run."""
        return self._asked_path.exists()

    def answer(self) -> None:
        """Forget what was asked; to be called before the directory is looked at, so that no asking is lost."""
        self._asked_path.unlink(missing_ok=True)

    def want(self, ids: Sequence[str]) -> None:
        """Tell the holder, whoever it is, which chunks are searched for; a hint, that the next one may replace."""
        with contextlib.suppress(OSError):
            descriptor, written = tempfile.mkstemp(dir=self._directory, prefix="writer.", suffix=".part")  # 0600
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(list(ids), file)
            Path(written).replace(self._wanted_path)

    def wanted(self) -> list[str]:
        """What others have searched for since this was last asked. 2 µs where they have not."""
        if not self._wanted_path.exists():
            return []
        with contextlib.suppress(OSError, ValueError):
            ids: list[str] = json.loads(self._wanted_path.read_text(encoding="utf-8"))
            self._wanted_path.unlink()
            return ids
        return []

    def _take(self, lock: FileLock) -> None:
        judged = self._lock_file()
        free = _acquired(lock)
        seen = self._look(locked=not free)
        verdict = judge(seen)
        if verdict is Verdict.BREAK and self._set_aside(judged):
            free = _acquired(lock)
        if verdict is Verdict.WAIT or not free:
            lock.release()
            raise IndexBusyError(refusal(str(self._directory), seen))
        self._sign()

    def _look(self, *, locked: bool) -> Sighting:
        try:
            with self._holder_path.open(encoding="utf-8") as file:  # opened: a network disk then asks its server
                beat = os.fstat(file.fileno()).st_mtime
                holder = Holder(**json.load(file))
        except (OSError, ValueError, TypeError):
            return Sighting(locked)
        alive = _lives(holder) if holder.host == socket.gethostname() else None
        return Sighting(locked, None if holder == _own(holder.since) else holder, alive, self._now() - beat)

    def _now(self) -> float:
        """The time by the clock that stamps this directory's files; a network disk has its own."""
        with tempfile.TemporaryFile(dir=self._directory) as probe:
            probe.write(b".")
            probe.flush()
            return os.fstat(probe.fileno()).st_mtime

    def _lock_file(self) -> tuple[int, int] | None:
        """Which file the lock is; None while there is none."""
        try:
            status = self._lock_path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _set_aside(self, judged: tuple[int, int] | None) -> bool:
        """Put the lock file that is not given back out of the way.

        False where the system does not allow it, or another process did it first and holds a new one.
        """
        aside = self._lock_path.with_name(f"writer.lock.{os.getpid()}")
        try:
            if self._lock_file() != judged:
                return False
            self._lock_path.rename(aside)
            aside.unlink()
        except OSError:  # Windows keeps an open file
            return False
        return True

    def _sign(self) -> None:
        holder = _own(datetime.now(UTC).isoformat("T", "seconds"))
        aside = self._holder_path.with_suffix(f".{holder.pid}")
        aside.write_text(json.dumps(asdict(holder)), "utf-8")
        replace_file(aside, self._holder_path)  # whole or not at all, for whoever reads it meanwhile
        over = _BEATING[self._holder_path] = threading.Event()
        threading.Thread(target=self._beat, args=(over,), daemon=True, name="writer's beat").start()

    def _beat(self, over: threading.Event) -> None:
        while not over.wait(BEAT_S):
            with contextlib.suppress(OSError):
                if self._is_mine():
                    os.utime(self._holder_path)

    def _sign_off(self) -> None:
        if over := _BEATING.pop(self._holder_path, None):
            over.set()
        if self._is_mine():
            self._holder_path.unlink(missing_ok=True)

    def _is_mine(self) -> bool:
        try:
            signed = json.loads(self._holder_path.read_text("utf-8"))
            return Holder(**signed) == _own(signed["since"])
        except (OSError, ValueError, TypeError, KeyError):
            return False

    def _require_mine(self) -> None:
        """Raise IndexBusyError where another process has taken over while this one gave no sign of life."""
        if not self._is_mine():
            raise IndexBusyError(refusal(str(self._directory), self._look(locked=True)))


def _acquired(lock: FileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    return True


@cache
def _started(pid: int) -> float:
    import psutil

    return float(psutil.Process(pid).create_time())


def _own(since: str) -> Holder:
    """What this process signs with."""
    return Holder(os.getpid(), socket.gethostname(), since, _started(os.getpid()))


def _lives(holder: Holder) -> bool:
    """Whether the process that signed on this host is still there, and not another under its number."""
    import psutil

    try:
        process = psutil.Process(holder.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return not holder.started or abs(process.create_time() - holder.started) < _SAME_START_S
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:  # another user's: it is there
        return True
