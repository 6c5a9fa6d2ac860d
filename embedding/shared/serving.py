"""The embedding service as a process: ``python -P -m embedding.shared.serving``, started by finding.py.

It is told in one line of JSON which model it runs and in which directory it is found, says ``ready`` once it listens,
and ends with the last of its users, or after a while without work. Its standard error is its log.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import signal
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection, Listener
from pathlib import Path

import xxhash
from filelock import FileLock, Timeout

from embedding.errors import LinkLostError
from embedding.lanes.kept_breaker import KeptBreaker
from embedding.model_run import ModelRun, run_of
from embedding.service import EmbeddingService
from embedding.shared.guest import Guest
from embedding.shared.link import shake_hands
from embedding.shared.place import Place, ServiceNote
from embedding.wire import Frame

LOOK_S = 0.25  # how often it is seen whether there is anything to stay for
LOCK_S = 15.0  # what a service that is just ending may take, and more (embedding/lanes/lanes.py: END_S)
_BACKLOG = 128  # clients that may come at once; where there is no room, macOS says that nobody listens
_LONGEST_UNIX_ADDRESS = 100  # bytes; the system's limits are 104 and 108

_log = logging.getLogger(__name__)


class House:
    """The service, its guests, and its end."""

    def __init__(self, run: ModelRun, place: Place) -> None:
        self._place = place
        self._run = run
        self._service = EmbeddingService(run, KeptBreaker(place.breaker), own=(os.getpid(),))
        self._key = secrets.token_bytes(32)
        self._guests = 0
        self._lock = threading.Lock()
        self._left = time.monotonic()
        self._worked = time.monotonic()
        self._stopping = threading.Event()
        self._signalled = False
        self._listener = Listener(_address(place.directory), backlog=_BACKLOG)
        self._note = ServiceNote.of_this_process(str(self._listener.address), self._key)

    def open(self) -> None:
        """Let guests in, until the end."""
        self._place.write(self._note)
        threading.Thread(target=self._welcome, name="door", daemon=True).start()

    def _welcome(self) -> None:
        while True:
            try:
                connection = self._listener.accept()
            except OSError as error:
                if self._stopping.is_set():
                    return
                _log.warning("A client could not be let in: %s.", error)
                time.sleep(0.1)  # out of file descriptors, perhaps: do not spin
                continue
            threading.Thread(target=self._host, args=(connection,), name="guest", daemon=True).start()

    def _host(self, connection: Connection) -> None:
        try:
            shake_hands(connection, self._key, first=True)
        except LinkLostError as error:
            _log.warning("A client was refused: %s", error)
            connection.close()
            return
        with self._lock:
            self._guests += 1
        try:
            Guest(connection, self._service, self.told).serve()
        finally:
            with self._lock:
                self._guests -= 1
                self._left = time.monotonic()

    def told(self, frame: Frame) -> Frame:
        """What a guest gets who asks for something other than vectors."""
        if "state" in frame.header:
            return Frame({"state": self._service.state(self._guests).as_json()})
        if "reset" in frame.header:
            self._service.reset()
        if "stop" in frame.header:
            self._stopping.set()
        return Frame({"done": True})

    def end(self) -> None:
        """Stay no longer. For handlers of signals, which come while the main thread holds the event's own lock."""
        self._signalled = True

    def stay(self) -> None:
        """Wait until there is nothing left to stay for."""
        while not self._stopping.wait(LOOK_S):
            now = time.monotonic()
            if self._signalled:
                return
            if self._service.working:
                self._worked = now
            if self._is_over(now):
                return

    def _is_over(self, now: float) -> bool:
        with self._lock:
            alone = not self._guests and now - self._left > self._run.settings.linger_s
        idle = now - self._worked > self._run.settings.idle_exit_s
        return alone or idle or self._place.note() != self._note

    def close(self) -> None:
        """Be found no more, and end the children."""
        self._stopping.set()
        self._place.clear(self._note)
        self._listener.close()
        self._service.close()
        if sys.platform != "win32" and (at := Path(self._note.address).parent) != self._place.directory:
            with suppress(OSError):
                at.rmdir()


def _address(directory: Path) -> str | None:
    """Where to listen: a socket in the private directory, or one of the system's choice on Windows."""
    if sys.platform == "win32":
        return None
    wanted = directory / "socket"
    if len(os.fsencode(wanted)) > _LONGEST_UNIX_ADDRESS:
        wanted = _short(directory) / "socket"
    wanted.unlink(missing_ok=True)  # of a service that was killed; the lock says that none lives
    return str(wanted)


def _end_loudly(bug: threading.ExceptHookArgs) -> None:
    """A thread died of a bug: half a service is worse than none, and the next request starts a whole one."""
    _log.critical("ended by a bug", exc_info=(bug.exc_type, bug.exc_value or bug.exc_type(), bug.exc_traceback))
    os._exit(1)


def _short(directory: Path) -> Path:
    """A private directory under the system's for scratch, for a socket that has no room below ``directory``.

    It is the same one for each service of that directory, so that those that are killed leave one behind, not many;
    where somebody else has taken its name, it is a new one.
    """
    name = f"codeloupe-{xxhash.xxh3_64_hexdigest(os.fsencode(directory))}"
    wanted = Path(tempfile.gettempdir()) / name
    with suppress(FileExistsError):
        wanted.mkdir(mode=0o700)
    status = wanted.lstat()
    own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
    return wanted if own else Path(tempfile.mkdtemp(prefix="codeloupe-"))


def main() -> None:
    """Serve one model until nobody needs it."""
    threading.excepthook = _end_loudly
    said = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s")
    wanted = json.loads(sys.stdin.readline())
    place = Place(Path(wanted["directory"]))
    try:
        with FileLock(place.lock, timeout=LOCK_S, mode=0o600):
            _serve(run_of(wanted["run"]), place, partial(print, file=said, flush=True))
    except Timeout:
        said.write("Another embedding service of this model holds its lock and does not answer.\n")
    said.flush()
    sys.stderr.flush()
    os._exit(0)  # threads that wait for guests must not delay the end


def _serve(run: ModelRun, place: Place, say: Callable[[str], None]) -> None:
    house = House(run, place)
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: house.end())
    house.open()
    _log.info("serving %s from %s", run.name, run.path)
    say("ready")
    house.stay()
    house.close()
    _log.info("ended")


if __name__ == "__main__":
    main()
