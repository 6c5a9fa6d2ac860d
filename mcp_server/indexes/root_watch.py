"""One root's directory beside its index: looked at when a search asks, listened to while a server serves it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic

from indexer.errors import WatchError
from indexer.pipeline import drift
from indexer.repository import enclosing_repository
from indexer.rules import KeptRules
from indexer.settings import IndexSettings
from indexer.walker import Look, Part
from indexer.watch import MOST_PATHS, Heard, TreeWatch
from mcp_server.errors import EXPECTED
from mcp_server.indexes.drift import FIRST_RECHECK_S, Drift, DriftCheck, Seen
from storage.chunk import FileRecord

# A save is heard of within 40 ms. Editors write a file in several steps, so it is left alone for some more; many files
# at once (a branch switch, a formatter) are left alone until they seem to be all, so that they are one batch.
QUIET_S = 0.03
LONGEST_QUIET_S = 0.5
MANY = 50
MANY_QUIET_S = 0.4
LONGEST_MANY_S = 10.0  # also for a git that is at work
SETTLED_S = 0.06
IDLE_S = 60.0  # how often the thread turns round when nothing happens
AFTER_S = FIRST_RECHECK_S + 0.1  # after something happened, everything is looked at once more: some of it may be lost
BUSY_S, LONGEST_BUSY_S = 0.05, 0.5  # how often it asks whether what runs can take up changes: at first, and later

UNTOLD = "the system did not tell of changes that were there; each search looks for itself"

log = logging.getLogger(__name__)


class RootWatch:
    """Compares a directory with what the index knows of it. Thread-safe."""

    def __init__(
        self,
        root: Path,
        settings: IndexSettings,
        known: Callable[[], Mapping[str, FileRecord]],
        at_work: Callable[[], bool],
    ) -> None:
        self._root = root
        self._settings = settings
        self._known = known
        self._at_work = at_work
        self._rules = KeptRules(root, settings)
        self._check = DriftCheck(self.look, EXPECTED)
        self._ears: TreeWatch | None = None
        self._starting = threading.Lock()
        self._started = False
        self._ended = threading.Event()
        self._deaf = ""

    @property
    def error(self) -> str:
        """Why the last look failed, in a sentence."""
        return self._check.error

    @property
    def listening(self) -> bool:
        """Whether changes are told by the system."""
        return self._check.relied_upon

    def status(self) -> str:
        """Whether the directory is listened to, or why not, in words."""
        if self.listening and self._ears is not None:
            return f"{self._ears.directories:,} directories"
        return self._deaf or (UNTOLD if self._ears is not None else "not yet")

    def latest(self, wait_s: float) -> Drift | None:
        """How far the directory has moved on, after at most ``wait_s`` seconds; None where nobody knows yet."""
        return self._check.latest(wait_s)

    def known(self) -> Drift | None:
        """How far it had moved on when somebody last looked; nothing is looked at for that."""
        return self._check.last

    @property
    def has_looked(self) -> bool:
        """Whether anybody has; no lock is waited for."""
        return self._check.has_looked

    def settle(self) -> None:
        """Wait until a file that was just saved can be read once and for all (``indexer.changes.is_racy``): 60 ms."""
        if self._ears is not None:
            self._ended.wait(max(0.0, self._ears.last_heard + SETTLED_S - monotonic()))

    def only(self, seen: Drift | None) -> frozenset[str] | None:
        """The paths to index where nothing else can have changed; None where it can."""
        if seen is None or not self.listening or len(seen.seen.different) > MOST_PATHS or self.pending():
            return None
        return seen.seen.different

    def pending(self) -> bool:
        """Whether something was heard that has not been looked at to the end."""
        return bool(self._check.unseen())

    def listen(self, freshen: Callable[[], bool], own: Path) -> None:
        """Begin to listen, once; ``freshen`` is called after each batch of changes, again until it takes it up.

        ``own`` is where our files are. What cannot be listened to is looked at when a search asks, and that is said.
        """
        with self._starting:
            if self._started or self._ended.is_set():
                return
            self._started = True
        threading.Thread(target=self._begin, args=(freshen, own), daemon=True, name="freshness").start()

    def branch(self) -> str:
        """What git has checked out here: a branch, or some letters of a commit; "" where there is no repository."""
        repository = enclosing_repository(self._root)
        return repository.branch() if repository else ""

    def close(self) -> None:
        """Stop listening."""
        self._ended.set()
        if self._ears is not None:
            self._ears.close()

    def _begin(self, freshen: Callable[[], bool], own: Path) -> None:
        try:
            self._ears = TreeWatch(self._root.resolve(), own)
        except WatchError as error:
            self._give_up(str(error))
            return
        self._check.rely_upon(self._ears)
        handled, wait_s, told = 0.0, BUSY_S, False
        while not self._ended.is_set() and not self._deaf:
            heard = self._gathered(self._ears, handled, AFTER_S if told else IDLE_S)
            if heard <= handled and not told:
                continue
            if freshen():
                told, handled, wait_s = heard > handled, heard, BUSY_S
            else:
                self._ended.wait(wait_s)
                wait_s = min(2 * wait_s, LONGEST_BUSY_S)

    def _gathered(self, ears: TreeWatch, since: float, longest_s: float) -> float:
        """When something was last heard, once it was left alone long enough; at most ``since`` where nothing was.

        Somebody else may have looked at it by then, a status say: it is taken up all the same.
        """
        ears.wait(since, longest_s)
        while (heard := ears.pending()) and (rest := rest_s(heard, monotonic(), writing=self._git_writes())) > 0:
            self._ended.wait(rest)
        return ears.last_heard

    def _git_writes(self) -> bool:
        """Whether a git command is changing the work tree: a branch switch, a rebase."""
        repository = enclosing_repository(self._root)
        return repository is not None and (repository.git_dir / "index.lock").exists()

    def _give_up(self, reason: str) -> None:
        if not self._deaf:
            log.warning("%s", reason)
        self._deaf = reason
        self._check.rely_upon(None)
        if self._ears is not None:
            self._ears.close()

    def look(self, paths: frozenset[str] | None) -> Seen:
        """Compare these paths, or everything, with what the index knows."""
        known, busy = self._known(), self._at_work()
        entered: list[str] = []
        part = Part(paths) if paths is not None else None
        look = Look(part, rules=self._rules.found(anew=part is None), entered=entered.append)
        changes = drift(self._root, known, self._settings, look)
        new = frozenset(file.path for file in changes.to_read if file.path not in known)
        different = frozenset(file.path for file in changes.to_read).union(changes.gone)
        if self._ears is not None and self._check.relied_upon:
            self._cover(self._ears, entered)
            self._ignore(self._ears, paths, different.union(known))
        return Seen(different, new, at_rest=not (busy or self._at_work()))

    def _ignore(self, ears: TreeWatch, paths: frozenset[str] | None, ours: frozenset[str]) -> None:
        """What is there and in neither index nor difference is ignored; a look at everything forgets that."""
        if paths is None:
            ears.ignore_nothing()
        else:
            ears.ignore(path for path in paths - ours if Path(self._root, path).is_file())

    def _cover(self, ears: TreeWatch, entered: list[str]) -> None:
        try:
            ears.cover(entered)
        except WatchError as error:
            self._give_up(str(error))


def rest_s(heard: Heard, now: float, *, writing: bool) -> float:
    """How long to leave what was heard alone, in seconds, so that what belongs together is one batch. Pure."""
    many = heard.anywhere or len(heard.paths) >= MANY or writing
    quiet, longest = (MANY_QUIET_S, LONGEST_MANY_S) if many else (QUIET_S, LONGEST_QUIET_S)
    due = min(heard.last + (LONGEST_MANY_S if writing else quiet), heard.first + longest)
    return min(due - now, QUIET_S)
