"""How far a directory has moved away from its index: looked at as often as it is cheap, or as the system tells."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, replace
from time import monotonic
from typing import Literal, Protocol

from indexer.repository import parents_of
from indexer.watch import MOST_PATHS, NOTHING, Heard

# A look may take a twentieth of the time between two looks: 5 % of one core for trees of any size.
REST_FACTOR = 20
LEAST_REST_S = 0.1
# Paths that were heard of, or differed last time, are looked at whenever somebody asks: some 10 ms at 5,000 files.
PART_REST_FACTOR = 4
LEAST_PART_REST_S = 0.02
# What is heard is not relied upon alone: after so long the whole tree is looked at again. It begins short, so that a
# system that does not tell is found out soon, and doubles with each look that finds nothing but what was told. Where
# something happened, more may have happened that was lost on the way (indexer/inotify.py says how): then it is short
# again.
FIRST_RECHECK_S = 2.0
LONGEST_RECHECK_S = 60.0
MISSES = 2  # whole looks in a row that found what nobody told: from then on nothing that is heard is relied upon


@dataclass(frozen=True, slots=True)
class Seen:
    """Paths that differ from the index; ``new`` are those of them that are not in it at all."""

    different: frozenset[str]
    new: frozenset[str]
    at_rest: bool = True  # nothing of ours wrote the index meanwhile: a file being written differs, and nobody tells


@dataclass(frozen=True, slots=True)
class Trust:
    """How far what is heard is relied upon."""

    recheck_s: float = FIRST_RECHECK_S
    misses: int = 0

    def after(self, *, untold: bool) -> Trust:
        """After a look at the whole tree that found something nobody told, or did not."""
        if untold:
            return Trust(FIRST_RECHECK_S, self.misses + 1)
        return Trust(min(2 * self.recheck_s, LONGEST_RECHECK_S))


@dataclass(frozen=True, slots=True)
class Drift:
    """What the last look saw, and what was heard since."""

    seen: Seen
    at: float  # monotonic seconds when the look began
    took_s: float
    whole_at: float = 0.0  # the same of the last look at the whole tree
    whole_took_s: float = 0.0
    told_at: float = 0.0  # when something was last heard since that, 0 for never
    heard: frozenset[str] = frozenset()  # not looked at yet

    @property
    def changed(self) -> int:
        """Files that differ from the index, and those of which something was heard."""
        return len(self.seen.different | self.heard) if self.heard else len(self.seen.different)

    @property
    def new(self) -> int:
        """Files that are not in the index at all."""
        return len(self.seen.new)

    def recheck_at(self, trust: Trust) -> float:
        """When everything is to be looked at again, whatever is heard until then."""
        at = self.whole_at + trust.recheck_s
        return min(at, self.told_at + FIRST_RECHECK_S) if self.told_at else at

    def due(self, now: float) -> bool:
        """Whether it is time to look at the whole tree again."""
        return now - self.whole_at - self.whole_took_s >= max(LEAST_REST_S, REST_FACTOR * self.whole_took_s)

    def part_due(self, now: float) -> bool:
        """Whether it is time to look at some paths again."""
        return now - self.at - self.took_s >= max(LEAST_PART_REST_S, PART_REST_FACTOR * self.took_s)


class Ears(Protocol):
    """Who hears of changes (indexer/watch.py)."""

    def listen(self) -> None:
        """Take in what can be heard now."""
        ...

    def pending(self) -> Heard:
        """What nobody has taken."""
        ...

    def take(self) -> Heard:
        """What nobody has taken, now taken."""
        ...

    def give_back(self, heard: Heard) -> None:
        """What was taken for nothing."""
        ...


Look = Callable[[frozenset[str] | None], Seen]  # at these paths, or at everything
Extent = Literal["", "part", "whole"]


def extent(last: Drift | None, heard: Heard, trust: Trust | None, now: float) -> Extent:
    """How much to look at now; without ``trust`` nobody listens, and the tree is looked at as often as is cheap."""
    if last is None:
        return "whole"
    many = heard.anywhere or len(heard.paths | last.seen.different) > MOST_PATHS
    if trust is None or many or now >= last.recheck_at(trust):
        if last.due(now) or (many and last.part_due(now)):
            return "whole"
        if trust is None or many:
            return ""
    return "part" if (heard.paths or last.seen.different) and last.part_due(now) else ""


log = logging.getLogger(__name__)

BROKEN = "the directory could not be compared with the index, by a bug (see the log); restart and report it"


class DriftCheck:
    """Looks in a thread; a caller waits a little for the outcome and takes the last one otherwise."""

    def __init__(self, look: Look, failures: tuple[type[Exception], ...]) -> None:
        self._look = look
        self._failures = failures
        self._lock = threading.Lock()
        self._running: Future[Drift] | None = None
        self._last: Drift | None = None
        self._ears: Ears | None = None
        self._taken = NOTHING  # what the look that goes on is about
        self._trust: Trust | None = None
        self.error = ""  # why the last look failed, in a sentence

    @property
    def has_looked(self) -> bool:
        """Whether any look has ended."""
        return self._last is not None

    @property
    def last(self) -> Drift | None:
        """The last outcome; nothing is looked at for that."""
        return self._with_heard()

    @property
    def relied_upon(self) -> bool:
        """Whether what is heard decides when to look."""
        return self._trust is not None

    def rely_upon(self, ears: Ears | None) -> None:
        """From now on look when something is heard; or, with None, as often as is cheap."""
        with self._lock:
            self._ears = ears
            self._trust = Trust() if ears is not None else None

    def latest(self, wait_s: float) -> Drift | None:
        """The newest outcome, after at most ``wait_s`` seconds; None where no look has ended yet."""
        ears = self._ears
        if ears is not None and wait_s > 0:
            ears.listen()
        with self._lock:
            heard = ears.pending() if ears is not None else NOTHING
            wanted = extent(self._last, heard, self._trust, monotonic()) if self._running is None else ""
            if wanted:
                self._running = self._start(wanted)
            running = self._running
        if running is not None:
            try:
                running.result(wait_s)
            except (FutureTimeoutError, CancelledError):
                pass
            except self._failures:
                log.debug("a look failed: %s", self.error)
        return self._with_heard()

    def unseen(self) -> Heard:
        """What was heard, and has not been looked at to the end."""
        with self._lock:
            return self._unseen()

    def _unseen(self) -> Heard:
        return self._taken.then(self._ears.pending()) if self._ears is not None else NOTHING

    def _with_heard(self) -> Drift | None:
        with self._lock:
            heard = self._unseen()
            return replace(self._last, heard=heard.paths) if self._last is not None and heard else self._last

    def _start(self, wanted: Extent) -> Future[Drift]:
        outcome: Future[Drift] = Future()
        heard = self._taken = self._ears.take() if self._ears is not None else NOTHING
        threading.Thread(target=self._run, args=(outcome, wanted, heard), daemon=True, name="drift").start()
        return outcome

    def _run(self, outcome: Future[Drift], wanted: Extent, heard: Heard) -> None:
        before, began = self._last, monotonic()
        paths = None
        if wanted == "part":
            assert before is not None  # a first look is a whole one
            paths = heard.paths | before.seen.different
        seen = None
        try:
            seen = self._look(paths)
        except self._failures as error:
            self._failed(heard, str(error))
            outcome.set_exception(error)
            return
        finally:
            if seen is None and not outcome.done():
                self._failed(heard, BROKEN)  # a bug, which the end of this thread tells: nobody shall wait for it
                outcome.cancel()
        drift = Drift(seen, began, monotonic() - began, began, monotonic() - began)
        if wanted == "part" and before is not None:
            told_at = began if heard else before.told_at
            drift = replace(drift, whole_at=before.whole_at, whole_took_s=before.whole_took_s, told_at=told_at)
        with self._lock:
            if wanted == "whole" and before is not None:
                self._judge(seen, before, heard)
            self._last, self._running, self._taken, self.error = drift, None, NOTHING, ""
        outcome.set_result(drift)

    def _failed(self, heard: Heard, error: str) -> None:
        with self._lock:
            self.error = error
            self._running, self._taken = None, NOTHING
            if self._ears is not None:
                self._ears.give_back(heard)

    def _judge(self, seen: Seen, before: Drift, heard: Heard) -> None:
        """Whether the look at everything found what nobody told."""
        if self._ears is None or self._trust is None:
            return
        self._ears.listen()
        told = heard.then(self._ears.pending())
        if told.anywhere or not seen.at_rest:
            return
        untold = seen.different - before.seen.different - told.paths
        within = {path for path in untold if told.paths.isdisjoint(parents_of(path))}
        self._trust = self._trust.after(untold=bool(within))
        if self._trust.misses >= MISSES:
            self._trust = None
