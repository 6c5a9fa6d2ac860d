"""Alarms: what is to be done later, by one thread for all of it.

A thread for each deadline, as threading.Timer has, cost .3 ms of processor a query, .6 while two children were held for
it: deadlines are set and taken back some thousand times before one is reached.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_MOST_STALE = 64  # cancelled ones kept beside as many as are due


@dataclass(slots=True, order=True)
class Alarm:
    """Something to be done at a time."""

    at: float  # of time.monotonic
    number: int
    action: Callable[[], object] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)


def _nothing() -> None:
    """Instead of what was cancelled."""


class Alarms:
    """Thread-safe. Its thread starts with the first alarm, and ends with the process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._alarms: list[Alarm] = []  # a heap
        self._stale = 0
        self._numbers = itertools.count()
        self._begun = False

    def __len__(self) -> int:
        return len(self._alarms)

    def set(self, seconds: float, action: Callable[[], object]) -> Alarm:
        """Have ``action`` called after ``seconds``, at most threading.TIMEOUT_MAX of them, on a thread of its own."""
        seconds = max(0.0, min(seconds, threading.TIMEOUT_MAX))
        alarm = Alarm(time.monotonic() + seconds, next(self._numbers), action)
        with self._changed:
            heapq.heappush(self._alarms, alarm)
            if not self._begun:
                self._begun = True
                threading.Thread(target=self._watch, name="alarms", daemon=True).start()
            elif self._alarms[0] is alarm:
                self._changed.notify()
        return alarm

    def cancel(self, alarm: Alarm) -> None:
        """Never begin the action from now on; one that rings just now may have begun."""
        with self._changed:
            if alarm.cancelled:
                return
            alarm.cancelled = True
            alarm.action = _nothing  # it may be kept for a while; what it would have ended is not
            self._stale += 1
            if self._stale > len(self._alarms) // 2 + _MOST_STALE:
                self._alarms = [one for one in self._alarms if not one.cancelled]
                heapq.heapify(self._alarms)
                self._stale = 0

    def _watch(self) -> None:
        while True:
            alarm = self._next()
            # Apart, so that an action that takes long, or fails, leaves the others their time.
            threading.Thread(target=alarm.action, name="alarm", daemon=True).start()

    def _next(self) -> Alarm:
        """The next to ring; waits for it."""
        with self._changed:
            while True:
                if not self._alarms:
                    self._changed.wait()
                elif self._alarms[0].cancelled:
                    heapq.heappop(self._alarms)
                    self._stale -= 1
                elif (left := self._alarms[0].at - time.monotonic()) > 0:
                    self._changed.wait(min(left, threading.TIMEOUT_MAX))
                else:
                    alarm = heapq.heappop(self._alarms)
                    alarm.cancelled = True  # it counts no more, whoever cancels it yet
                    return alarm
