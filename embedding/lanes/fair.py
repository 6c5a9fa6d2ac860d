"""FairQueue: requests that wait for a child, handed out so that each client gets an equal share of the work.

Start-time fair queueing (Goyal, Vin and Cheng, 1996) with equal weights. No threads, no clock: who uses it locks it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[T]):
    number: int  # of arrival
    item: T
    cost: int


@dataclass(slots=True)
class _Line(Generic[T]):
    """What one client has waiting."""

    start: int  # the virtual time at which its first item is due
    waiting: deque[_Waiting[T]] = field(default_factory=deque)
    cost: int = 0

    @property
    def turn(self) -> tuple[int, int]:
        """What is smaller comes first: the item due earlier, of those due together the one that came earlier."""
        return self.start, self.waiting[0].number


class FairQueue(Generic[T]):
    """At most ``total`` cost of items, of one client at most ``per_client``. Costs are whole numbers, at least 1.

    Virtual time is the work each backlogged client has had. While two clients both have items waiting, what they get
    never differs by more than one largest item from when both began, and by two in any stretch between. A client that
    was away starts level with the others: nothing is saved up.
    """

    def __init__(self, per_client: int, total: int) -> None:
        self._per_client = per_client
        self._total = total
        self._lines: dict[Hashable, _Line[T]] = {}  # of those that have something waiting
        self._ends: dict[Hashable, int] = {}  # of those that have not, where that is later than now
        self._now = 0  # virtual time: when the item taken last was due
        self._numbers = count()

    def put(self, client: Hashable, item: T, cost: int) -> bool:
        """Let ``item`` wait; False where it is too much, and then nothing has changed.

        An item larger than the limits is too much only beside others: alone it may wait.
        """
        cost = max(1, cost)
        line = self._lines.get(client)
        if (line and line.cost + cost > self._per_client) or (self._lines and self.waiting_cost + cost > self._total):
            return False
        if line is None:
            line = self._lines[client] = _Line(max(self._now, self._ends.pop(client, 0)))
        line.waiting.append(_Waiting(next(self._numbers), item, cost))
        line.cost += cost
        return True

    def take(self) -> T | None:
        """The next item of the client that has had least; None where nothing waits."""
        if not self._lines:
            return None
        client = min(self._lines, key=lambda one: self._lines[one].turn)
        line = self._lines[client]
        taken = line.waiting.popleft()
        self._now = line.start
        self._ends = {one: end for one, end in self._ends.items() if end > self._now}
        line.start += taken.cost
        line.cost -= taken.cost
        self._leave_if_empty(client)
        return taken.item

    def drop(self, client: Hashable) -> list[T]:
        """Forget a client; what it had waiting, in its order."""
        line = self._lines.pop(client, None)
        self._ends.pop(client, None)
        self._forget_if_idle()
        return [one.item for one in line.waiting] if line else []

    def remove(self, item: T) -> bool:
        """Take ``item`` itself out, wherever it waits; False where it does not. What was to come after it moves up."""
        for client, line in self._lines.items():
            for one in line.waiting:
                if one.item is item:
                    line.waiting = deque(other for other in line.waiting if other is not one)
                    line.cost -= one.cost
                    self._leave_if_empty(client)
                    return True
        return False

    def _leave_if_empty(self, client: Hashable) -> None:
        line = self._lines[client]
        if not line.waiting:
            del self._lines[client]
            if line.start > self._now:
                self._ends[client] = line.start
            self._forget_if_idle()

    def _forget_if_idle(self) -> None:
        """Where nobody waits, all are level again: nobody was kept from anything."""
        if not self._lines:
            self._now = max(self._now, *self._ends.values(), 0)
            self._ends.clear()

    def __len__(self) -> int:
        return sum(len(line.waiting) for line in self._lines.values())

    @property
    def waiting_cost(self) -> int:
        """What waits, in cost."""
        return sum(line.cost for line in self._lines.values())

    def waiting_of(self, client: Hashable) -> int:
        """What one client has waiting, in cost."""
        line = self._lines.get(client)
        return line.cost if line else 0
