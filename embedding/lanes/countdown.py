"""A deadline that does not run on while the work it is for stands still."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from embedding.lanes.alarms import Alarm, Alarms

_alarms = Alarms()


class Countdown:
    """Calls ``action`` once, on a thread of its own, after ``seconds`` that were not held. Thread-safe.

    It starts at once. Whoever stops it knows afterwards that the action has been called and is over, or never will be.
    """

    def __init__(self, seconds: float, action: Callable[[], object], *, held: bool = False) -> None:
        self._left = seconds
        self._action = action
        self._lock = threading.Lock()
        self._alarm: Alarm | None = None
        self._turn = 0  # which alarm counts; one that was cancelled too late is of an earlier turn
        self._since = 0.0
        self._over = False
        if not held:
            self.go_on()

    def hold(self) -> None:
        """Let no time pass until ``go_on``; held twice is held once."""
        with self._lock:
            if self._alarm is not None:
                _alarms.cancel(self._alarm)
                self._alarm = None
                self._turn += 1
                self._left -= time.monotonic() - self._since

    def go_on(self) -> None:
        """Let time pass again: what was left."""
        with self._lock:
            if self._alarm is None and not self._over:
                self._since = time.monotonic()
                self._alarm = _alarms.set(self._left, partial(self._ring, self._turn))

    def _ring(self, turn: int) -> None:
        with self._lock:
            if turn == self._turn and not self._over:
                self._over = True
                self._action()

    def stop(self) -> None:
        """Never call the action from now on."""
        with self._lock:
            self._over = True
            if self._alarm is not None:
                _alarms.cancel(self._alarm)
