"""Lanes: all threads and children of a service together, those for documents and the one for queries."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence

from embedding.lanes.lane import Desk, Lane
from embedding.lanes.pulse import Pulse
from embedding.process import Child

END_S = 5.0


class Lanes:
    """``documents`` in their order, of which the first ones are given work first; ``asker`` for queries."""

    def __init__(self, desk: Desk, documents: int) -> None:
        self.asker = Lane(desk, 0, "query")
        self.documents = tuple(Lane(desk, number, "documents") for number in range(documents))
        self.all = (*self.documents, self.asker)
        self._pulse = Pulse()
        self._holding = threading.Lock()
        self._held = False  # whether document children at work stand still
        self._standing: set[Child] = set()

    def begin(self) -> None:
        """Start their threads."""
        for lane in self.all:
            lane.begin()

    def end(self) -> None:
        """End all children and wait for the threads, once the desk has nothing more for them."""
        for lane in self.all:
            lane.kill()
        last = time.monotonic() + END_S  # of all: one that loads a model cannot be ended, and goes with the process
        for lane in self.all:
            lane.join(max(0.0, last - time.monotonic()))

    def pids(self) -> list[int]:
        """Process ids of the children that run now."""
        return [child.pid for lane in self.all if (child := lane.child) is not None]

    @property
    def busy(self) -> bool:
        """Whether any is at work."""
        return any(lane.busy for lane in self.all)

    def idle_before(self, lane: Lane) -> int:
        """How many come before ``lane`` and could take documents as well."""
        return sum(not other.busy and not other.refused for other in self.documents[: lane.number])

    def follow(self, lane: Lane) -> None:
        """``lane`` has a child, or has taken a job, since the others were held: its child stands still as well."""
        with self._holding:
            if self._held and lane is not self.asker:
                self._stop(lane)

    def hold(self, *, held: bool) -> None:
        """Let the document children at work stand still, or go on. Idle ones hear nothing of it."""
        with self._holding:
            if held == self._held:
                return
            self._held = held
            for lane in self.documents if held else ():
                if lane.busy:
                    self._stop(lane)
            while not held and self._standing:
                self._standing.pop().release()

    def _stop(self, lane: Lane) -> None:
        if (child := lane.child) is not None:
            child.hold()
            self._standing.add(child)

    def give_up(self, lanes: Iterable[Lane]) -> list[Child]:
        """The children of those of ``lanes`` that are not at work, to be closed by the caller, who locks the desk."""
        return [child for lane in lanes if not lane.busy and (child := lane.give_up()) is not None]

    def idle_since(self, time_s: float) -> list[Lane]:
        """Those that have had nothing to do since ``time_s``, on the desk's clock."""
        return [lane for lane in self.all if not lane.busy and lane.idle_since <= time_s]

    def end_hung(self) -> list[str]:
        """End children that are at work and do nothing, which counts as a failure of the model; why, in words."""
        said: list[str] = []
        self._pulse.keep(self.pids())
        for lane in self.all:
            if (child := lane.child) is None:
                continue
            if not lane.busy or (self._held and lane is not self.asker):
                self._pulse.forget(child.pid)
            elif why := self._pulse.lost(child.pid, lane.taken):
                said.append(why)
                child.kill()
        return said


def close(children: Sequence[Child]) -> None:
    """Have them end, and wait for that."""
    for child in children:
        child.close()
