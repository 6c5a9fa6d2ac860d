"""Waiting with a bound, for what another thread or process does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LIMIT_S = 30.0


def until(holds: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    """Return once ``holds``; fail after ``limit_s``."""
    tick = threading.Event()
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, "it did not come to pass in time"
        tick.wait(0.005)
