"""Linux's inotify: what happened in some directories, in order, none of it lost without a word.

Asked directly and not through watchfiles, which copies what it heard and then forgets it, in two steps: what comes in
between is lost (watch and clear in its src/lib.rs, 1.3; measured: one to five saves of 30, where a search asks in the
same moment and the machine is under load). The kernel queues an
event before the writer's call returns, so reading the queue tells all that has happened until now.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from indexer.errors import WatchError

ADDED, MODIFIED, DELETED = 1, 2, 3  # as watchfiles numbers them
Raw = set[tuple[int, str]]  # what happened, and the absolute path

_MODIFY, _ATTRIB, _CLOSE_WRITE, _MOVED_FROM, _MOVED_TO = 0x2, 0x4, 0x8, 0x40, 0x80
_CREATE, _DELETE, _DELETE_SELF, _MOVE_SELF = 0x100, 0x200, 0x400, 0x800
_OVERFLOW, _IGNORED, _ONLY_DIRECTORIES, _NO_LINKS = 0x4000, 0x8000, 0x1000000, 0x2000000
_NEW, _GONE = _CREATE | _MOVED_TO, _DELETE | _MOVED_FROM | _DELETE_SELF | _MOVE_SELF
_WANTED = _NEW | _GONE | _MODIFY | _CLOSE_WRITE | _ATTRIB | _ONLY_DIRECTORIES | _NO_LINKS
_HEADER = struct.Struct("iIII")  # watch, mask, cookie, length of the name
_AT_ONCE = 1 << 18  # bytes of events
_PASSING = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EACCES,
    errno.ELOOP,
}  # of one directory: it went away, or is closed to us


class Inotify:
    """Listens to directories; what happens is ``said``, None where the kernel had to drop something. Thread-safe."""

    def __init__(self, said: Callable[[Raw | None], None]) -> None:
        self._said = said
        self._library = ctypes.CDLL(None, use_errno=True)
        self._queue = self._library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._queue < 0:
            raise WatchError(f"The system does not tell of changes ({_reason()}); each search looks for itself.")
        self._waking, self._wake = os.pipe()
        self._paths: dict[int, str] = {}  # of each watch
        self._using = threading.RLock()
        self._open = True
        threading.Thread(target=self._serve, daemon=True, name="watch").start()

    def add(self, directories: Collection[Path]) -> None:
        """Listen to these as well; one that is not there is passed over. Raises WatchError at the system's limit."""
        with self._using:
            for directory in directories if self._open else ():
                watch = self._library.inotify_add_watch(self._queue, os.fsencode(directory), _WANTED)
                if watch >= 0:
                    self._paths[watch] = str(directory)
                elif ctypes.get_errno() not in _PASSING:
                    raise WatchError(
                        f"The system tells of no more directories ({_reason()}); each search looks itself."
                    )

    def forget(self, directories: Collection[str]) -> None:
        """Listen no longer to these, by the paths that they were added with: they went elsewhere."""
        with self._using:
            for watch in [watch for watch, path in self._paths.items() if path in directories]:
                self._library.inotify_rm_watch(self._queue, watch)  # the kernel then says that it is ignored

    def drain(self) -> None:
        """Say at once what has happened until now."""
        with self._using:
            while self._open and (data := self._read()):
                self._said(self._told(data))

    def stop(self) -> None:
        """Listen to nothing any more."""
        with self._using:
            if self._open:
                self._open = False
                os.close(self._wake)

    def _serve(self) -> None:
        poll = select.poll()
        poll.register(self._queue, select.POLLIN)
        poll.register(self._waking, select.POLLHUP)
        while self._open:
            poll.poll()
            self.drain()
        with self._using:
            os.close(self._queue)
            os.close(self._waking)

    def _read(self) -> bytes:
        try:
            return os.read(self._queue, _AT_ONCE)
        except BlockingIOError:
            return b""

    def _told(self, data: bytes) -> Raw | None:
        told: Raw = set()
        for watch, mask, name in events(data):
            if mask & _OVERFLOW:
                return None
            directory = self._paths.get(watch)
            if mask & _IGNORED:
                self._paths.pop(watch, None)
            elif directory is not None:
                change = DELETED if mask & _GONE else ADDED if mask & _NEW else MODIFIED
                told.add((change, os.path.join(directory, name) if name else directory))  # noqa: PTH118 - thousands
        return told


def events(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Watch, mask and name of each event that a read of the queue gave. Pure."""
    place = 0
    while place < len(data):
        watch, mask, _, length = _HEADER.unpack_from(data, place)
        place += _HEADER.size + length
        yield watch, mask, os.fsdecode(data[place - length : place].rstrip(b"\0"))


def _reason() -> str:
    return os.strerror(ctypes.get_errno())
