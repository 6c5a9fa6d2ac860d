"""How far a directory has moved away from its index, looked at as often as it is cheap."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from time import monotonic

# A look may take a twentieth of the time between two looks: 5 % of one core for trees of any size.
REST_FACTOR = 20
LEAST_REST_S = 0.1


@dataclass(frozen=True, slots=True)
class Drift:
    """Files that differ from the index; ``new`` of them are not in it at all."""

    changed: int
    new: int
    at: float  # monotonic seconds when the look began
    took_s: float

    def due(self, now: float) -> bool:
        """Whether it is time for the next look."""
        return now - self.at - self.took_s >= max(LEAST_REST_S, REST_FACTOR * self.took_s)


class DriftCheck:
    """Looks in a thread; a caller waits a little for the outcome and takes the last one otherwise."""

    def __init__(self, look: Callable[[], tuple[int, int]], failures: tuple[type[Exception], ...]) -> None:
        self._look = look
        self._failures = failures
        self._lock = threading.Lock()
        self._running: Future[Drift] | None = None
        self._last: Drift | None = None
        self.error = ""  # why the last look failed, in a sentence

    def latest(self, wait_s: float) -> Drift | None:
        """The newest outcome, after at most ``wait_s`` seconds; None where no look has ended yet."""
        with self._lock:
            if self._running is None and (self._last is None or self._last.due(monotonic())):
                self._running = self._start()
            running = self._running
        if running is not None:
            try:
                running.result(wait_s)
            except FutureTimeoutError:
                pass
            except self._failures as error:
                self.error = str(error)
        return self._last

    def _start(self) -> Future[Drift]:
        outcome: Future[Drift] = Future()
        threading.Thread(target=self._run, args=(outcome,), daemon=True, name="drift").start()
        return outcome

    def _run(self, outcome: Future[Drift]) -> None:
        began = monotonic()
        try:
            changed, new = self._look()
        except self._failures as error:
            with self._lock:
                self._running = None
            outcome.set_exception(error)
            return
        drift = Drift(changed, new, began, monotonic() - began)
        with self._lock:
            self._last, self._running, self.error = drift, None, ""
        outcome.set_result(drift)
