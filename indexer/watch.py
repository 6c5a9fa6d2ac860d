"""What the operating system tells of changes in a tree, gathered until somebody looks.

Says where something happened and never what: whether it matters is for a walk over these paths to decide. Only
directories that a walk has entered are listened to, so ignored ones (node_modules, build output, ``.git``) neither cost
anything nor start anything.

Linux listens directory by directory: a tree of 421 directories of its own beside 41,000 in node_modules takes 421
inotify watches and 15 ms of processor time this way, 41,422 and 530 ms if the whole tree is listened to. macOS and
Windows listen to a whole tree at no cost a directory, and what is not of interest is dropped here.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from indexer.errors import WatchError
from indexer.rules import GIT_IGNORE_FILE, OWN_IGNORE_FILE
from indexer.watchable import BY_DIRECTORY, check_allowance, remote_disk

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

# watchfiles looks every so often whether the system said anything, and says it when nothing more came in one such step:
# a save is heard of after 20 to 40 ms, and an idle watcher takes 0.13 % of a core (0.07 % at 50 ms).
STEP_MS = 20
BURST_MS = 200  # what it gathers at most before it says so
# Every so often it asks whether to end, too.
TURN_MS = 1_000
# More paths than these in one go: the whole tree is looked at, which is cheaper than path by path, and safer, since the
# system drops what it cannot keep (Linux: 16,384 events) without a word through watchfiles.
MOST_PATHS = 500
MOST_KEPT = 100_000  # paths, to count them; more are "anywhere"
# How many directories are added by a second listener before one listener takes all anew (36 microseconds each).
MOST_ADDED = 200

_ATTEMPTS = 5
_MODIFIED, _DELETED = 2, 3  # watchfiles.Change
_RULES = frozenset({GIT_IGNORE_FILE, OWN_IGNORE_FILE})
Raw = set[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Heard:
    """Where something happened: at these paths, or anywhere."""

    paths: frozenset[str] = frozenset()  # relative to the root, "/" between names
    anywhere: bool = False
    first: float = 0.0  # monotonic seconds at which the first of it was heard, and the last
    last: float = 0.0

    def __bool__(self) -> bool:
        return self.anywhere or bool(self.paths)

    def then(self, later: Heard) -> Heard:
        """What was heard first and what came after it, as one."""
        if not self or not later:
            return self or later
        paths = self.paths | later.paths if len(self.paths) < MOST_KEPT else self.paths
        anywhere = self.anywhere or later.anywhere or len(paths) > MOST_PATHS
        return Heard(paths, anywhere, self.first, later.last)


NOTHING = Heard()


class TreeWatch:
    """Listens to the directories of one tree. Thread-safe; its threads end with ``close`` or the process.

    ``root`` is a real path; ``but`` are absolute paths of directories in it that are our own.
    """

    def __init__(self, root: Path, but: Iterable[Path] = ()) -> None:
        if reason := remote_disk(root):
            raise WatchError(reason)
        self._root = str(root)
        self._but = tuple(but)
        self._changed = threading.Condition()
        self._covering = threading.Lock()
        self._covered: frozenset[str] = frozenset()  # "", "a", "a/b"
        self._heard = Heard(anywhere=True)  # nobody has listened so far
        self._last_heard = 0.0
        self._ignored: frozenset[str] = frozenset()
        self._ended = False
        self._main: _Listener | None = None
        self._added: _Listener | None = None
        self._in_added: frozenset[str] = frozenset()

    @property
    def directories(self) -> int:
        """How many directories are listened to."""
        return len(self._covered)

    def cover(self, directories: Iterable[str]) -> None:
        """Listen to these directories as well, as a walk names them ("", "a/"); raises WatchError where it cannot.

        What happened in a new one until now went unheard, so it is told of as changed itself.
        """
        with self._covering:
            named = {path.rstrip("/") for path in directories}
            new = frozenset(path for path in named - self._covered if not self._is_ours(path))
            if new:
                self._extend(new)
                anywhere = "" in new or len(new) > MOST_PATHS
                self._tell(Heard(frozenset() if anywhere else new, anywhere))

    def ignore(self, paths: Iterable[str]) -> None:
        """Say nothing more of these files, until ``ignore_nothing``: a log is written a hundred times a second."""
        with self._changed:
            self._ignored |= frozenset(paths)

    def ignore_nothing(self) -> None:
        """Say everything again."""
        with self._changed:
            self._ignored = frozenset()

    @property
    def last_heard(self) -> float:
        """Monotonic seconds at which something was last heard."""
        return self._last_heard

    def listen(self) -> None:
        """Take in at once what the system has said by now; takes a millisecond."""
        for listener in (self._main, self._added):
            if listener is not None:
                listener.drain()

    def pending(self) -> Heard:
        """What nobody has taken yet."""
        with self._changed:
            return self._heard

    def take(self) -> Heard:
        """What was heard since the last time; whoever takes it has to look there."""
        with self._changed:
            heard, self._heard = self._heard, NOTHING
            return heard

    def give_back(self, heard: Heard) -> None:
        """What was taken, and was not looked at after all."""
        with self._changed:
            self._heard = heard.then(self._heard)

    def wait(self, timeout_s: float) -> Heard:
        """What is pending as soon as that is something, or after ``timeout_s`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._heard) or self._ended, timeout_s)
            return self._heard

    def close(self) -> None:
        """Stop listening."""
        with self._covering:
            self._ended = True
            for listener in (self._main, self._added):
                if listener is not None:
                    listener.stop()
        with self._changed:
            self._changed.notify_all()

    def _extend(self, new: frozenset[str]) -> None:
        if self._ended:
            return
        covered = self._covered | new
        check_allowance(len(covered))
        if self._main is None or (BY_DIRECTORY and len(self._in_added | new) > MOST_ADDED):
            self._main, main = self._listener(covered), self._main
            self._added, added, self._in_added = None, self._added, frozenset()
            retired = [main, added]
        elif BY_DIRECTORY:
            self._in_added = (self._in_added | new) & covered
            self._added, added = self._listener(self._in_added), self._added
            retired = [added]
        else:
            retired = []
        with self._changed:
            self._covered |= new
        for listener in retired:
            if listener is not None:
                listener.drain()
                listener.stop()

    def _listener(self, directories: Collection[str]) -> _Listener:
        paths = [Path(self._root, path) for path in directories] if BY_DIRECTORY else [Path(self._root)]
        return _Listener(paths, self._said)

    def _is_ours(self, path: str) -> bool:
        return any(Path(self._root, path).is_relative_to(own) for own in self._but)

    def _said(self, raw: Raw | None) -> None:
        """Keep what matters of what the system said; None: it has lost something."""
        if raw is None:
            self._tell(Heard(anywhere=True))
            return
        told = {(change, relative) for change, path in raw if (relative := self._relative(path)) is not None}
        with self._changed:
            covered, ignored = self._covered, self._ignored
            gone = {path for change, path in told if change == _DELETED and path in covered}
            if gone:
                self._forget(gone)
        self._tell(worth_a_look({(change, path) for change, path in told if path not in ignored}, covered))

    def _relative(self, path: str) -> str | None:
        if path == self._root:
            return ""
        start = self._root.rstrip(os.sep) + os.sep
        return path[len(start) :].replace(os.sep, "/") if path.startswith(start) else None

    def _forget(self, gone: set[str]) -> None:
        """Directories that went away; one of the same name is a new one."""
        below = tuple(path + "/" if path else "" for path in gone)
        left = frozenset(path for path in self._covered if path not in gone and not path.startswith(below))
        self._covered, self._in_added = left, self._in_added & left

    def _tell(self, heard: Heard) -> None:
        if not heard:
            return
        now = monotonic()
        with self._changed:
            self._last_heard = now
            self._heard = self._heard.then(Heard(heard.paths, heard.anywhere, now, now))
            self._changed.notify_all()


def worth_a_look(told: Collection[tuple[int, str]], covered: Collection[str]) -> Heard:
    """What of these changes matters where only the ``covered`` directories are of interest. Pure.

    A covered directory is said to be modified when something in it is (Windows) or its permissions are.
    """
    within = frozenset(
        path
        for change, path in told
        if path and path.rpartition("/")[0] in covered and not (change == _MODIFIED and path in covered)
    )
    within = frozenset(path for path in within if ".git" not in path.split("/"))
    ruled = any(path.rpartition("/")[2] in _RULES for path in within)
    return Heard(within, ruled or len(within) > MOST_PATHS or (_DELETED, "") in told)


class _Listener:
    """One watcher of the system, and the thread that waits for its word."""

    def __init__(self, paths: list[Path], said: Callable[[Raw | None], None]) -> None:
        self._said = said
        self._using = threading.Lock()
        self._stopping = threading.Event()
        self._rust = _opened(paths)
        threading.Thread(target=self._serve, daemon=True, name="watch").start()

    def drain(self) -> None:
        """Pass on what has been said by now."""
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


def _opened(paths: list[Path]) -> RustNotify:
    from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

    for _ in range(_ATTEMPTS):
        there = [str(path) for path in paths if path.is_dir()]
        try:
            return RustNotify(there, False, False, 0, not BY_DIRECTORY, True)  # noqa: FBT003 - it takes no names
        except FileNotFoundError:
            continue  # one went away just now
        except (OSError, WatchfilesRustInternalError) as error:
            raise WatchError(f"The system does not tell of changes ({error}); each search looks for itself.") from error
    raise WatchError("Directories come and go too fast to be listened to; each search looks for itself.")
