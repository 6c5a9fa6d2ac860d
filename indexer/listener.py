"""One watcher of the operating system, and the thread that waits for its word."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from indexer.errors import WatchError
from indexer.watchable import BY_DIRECTORY

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

# watchfiles looks every so often whether the system said anything, and says it when nothing more came in one such step:
# a save is heard of after 20 to 40 ms, and an idle watcher takes 0.13 % of a core (0.07 % at 50 ms).
STEP_MS = 20
BURST_MS = 200  # what it gathers at most before it says so
# Every so often it asks whether to end, too.
TURN_MS = 1_000
# The bell is heard after .2 ms; under load it takes as long as it takes for a thread to have its turn.
BELL_S = 0.25
PATIENCE = 3  # a bell that was not heard so often is not rung again: its directory is gone

_ATTEMPTS = 5
Raw = set[tuple[int, str]]


class Listener:
    """Watches some directories; whatever happens in them is ``said``, None where something was lost.

    A ``bell`` is a file of our own in one of the directories: since the system tells things in their order, everything
    that happened before it was rung has been said once it is heard.
    """

    def __init__(self, paths: list[Path], said: Callable[[Raw | None], None], bell: Path | None = None) -> None:
        self._pass_on = said
        self._bell = str(bell)
        self._rung = threading.Event()
        self._patience = PATIENCE if bell is not None else 0
        self._using = threading.Lock()
        self._stopping = threading.Event()
        self._rust = _opened(paths)
        threading.Thread(target=self._serve, daemon=True, name="watch").start()

    def drain(self) -> None:
        """Pass on what has happened until now: at once where there is a bell, within a millisecond else."""
        with self._using:
            if self._stopping.is_set():
                return
            if not self._patience or not self._ring():
                self._turn(0, 1)
                return
            end = monotonic() + BELL_S
            while not self._rung.is_set() and monotonic() < end:
                self._turn(0, 1)
            self._patience = PATIENCE if self._rung.is_set() else self._patience - 1

    def _ring(self) -> bool:
        self._rung.clear()
        try:
            os.utime(self._bell)
        except OSError:
            self._patience = 0  # somebody took it away
        return self._patience > 0

    def _said(self, raw: Raw | None) -> None:
        self._pass_on(raw)
        if raw is not None and any(path == self._bell for _, path in raw):
            self._rung.set()

    def stop(self) -> None:
        """End the thread, soon."""
        self._stopping.set()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._turn(STEP_MS, TURN_MS)
        with self._using:
            self._rust.close()

    def _turn(self, step_ms: int, longest_ms: int) -> None:
        from watchfiles._rust_notify import WatchfilesRustInternalError

        try:
            told = self._rust.watch(BURST_MS, step_ms, longest_ms, self._stopping)
        except WatchfilesRustInternalError:  # a name that is no text, a queue that ran over
            self._said(None)
            return
        if isinstance(told, set):
            self._said(told)


def _opened(paths: list[Path]) -> RustNotify:
    try:
        from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError
    except ImportError as error:
        raise WatchError(f"watchfiles cannot be loaded ({error}); each search looks for itself.") from error

    for _ in range(_ATTEMPTS):
        there = [str(path) for path in paths if path.is_dir()]
        try:
            return RustNotify(there, False, False, 0, not BY_DIRECTORY, True)  # noqa: FBT003 - it takes no names
        except FileNotFoundError:
            continue  # one went away just now
        except (OSError, WatchfilesRustInternalError) as error:
            raise WatchError(f"The system does not tell of changes ({error}); each search looks for itself.") from error
    raise WatchError("Directories come and go too fast to be listened to; each search looks for itself.")
