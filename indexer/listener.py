"""What macOS and Windows say of a whole tree, through watchfiles. Linux is asked directly (indexer/inotify.py)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import WatchError
from indexer.inotify import Raw

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

# watchfiles looks every so often whether the system said anything, and says it when nothing more came in one such step:
# a save is heard of after 20 to 40 ms, and an idle watcher takes 0.13 % of a core (0.07 % at 50 ms).
STEP_MS = 20
BURST_MS = 200  # what it gathers at most before it says so
# Every so often it asks whether to end, too.
TURN_MS = 1_000


class Listener:
    """Listens to a whole tree; whatever happens in it is ``said``, None where something was lost."""

    def __init__(self, root: Path, said: Callable[[Raw | None], None]) -> None:
        self._said = said
        self._using = threading.Lock()
        self._stopping = threading.Event()
        self._rust = _opened(root)
        threading.Thread(target=self._serve, daemon=True, name="watch").start()

    def add(self, directories: Collection[Path]) -> None:
        """Nothing is to be added to a whole tree."""

    def forget(self, directories: Collection[str]) -> None:
        """Nor to be forgotten of it."""

    def drain(self) -> None:
        """Say what the system has told by now; takes a millisecond."""
        with self._using:
            if not self._stopping.is_set():
                self._turn(0, 1)

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


def _opened(root: Path) -> RustNotify:
    try:
        from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError
    except ImportError as error:
        raise WatchError(f"watchfiles cannot be loaded ({error}); each search looks for itself.") from error

    try:
        return RustNotify([str(root)], False, False, 0, True, True)  # noqa: FBT003 - it takes no names
    except (OSError, WatchfilesRustInternalError) as error:
        raise WatchError(f"The system does not tell of changes ({error}); each search looks for itself.") from error
