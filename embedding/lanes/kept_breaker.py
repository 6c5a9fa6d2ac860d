"""The circuit breaker of one model, kept in a file, so that a new service knows what an old one has learnt."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from embedding.lanes.breaker import Breaker

Clock = Callable[[], float]


class KeptBreaker:
    """A Breaker that is thread-safe and survives its process; in memory alone where it has no file."""

    def __init__(self, path: Path | None = None, clock: Clock = time.time) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._breaker = Breaker()
        self._written = self._breaker.as_json()  # where nothing ever failed there is nothing to write
        if path is not None:
            with suppress(OSError, ValueError):
                self._written = path.read_text(encoding="utf-8")
                self._breaker.load(self._written, clock())

    def may_try(self) -> bool:
        """Whether the model may be asked now; where it failed before, that is the one trial."""
        with self._lock:
            allowed = self._breaker.may_try(self._clock())
            self._keep()
            return allowed

    def is_resting(self) -> bool:
        """Whether the model is left alone just now, and no trial is due."""
        with self._lock:
            return self._breaker.is_open and self._breaker.rests(self._clock())

    def failed(self, why: str) -> None:
        """The model died, or answered nonsense."""
        with self._lock:
            self._breaker.failed(self._clock(), why)
            self._keep()

    def succeeded(self) -> None:
        """The model answered with sense."""
        with self._lock:
            self._breaker.succeeded(self._clock())
            self._keep()

    def withdrawn(self) -> None:
        """A trial ended without saying anything of the model."""
        with self._lock:
            self._breaker.withdrawn()
            self._keep()

    def reset(self) -> None:
        """Forget all failures."""
        with self._lock:
            self._breaker.reset()
            self._keep()

    def sentence(self) -> str:
        """Why the model is left alone, until when and how to end that; "" where it is not."""
        with self._lock:
            return self._breaker.sentence(self._clock())

    def _keep(self) -> None:
        """Write it down where it has changed; a disk that is full costs the next service its knowledge, no more."""
        text = self._breaker.as_json()
        if self._path is None or text == self._written:
            return
        self._written = text
        aside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            aside.write_text(text, encoding="utf-8")
            aside.chmod(0o600)
            aside.replace(self._path)
