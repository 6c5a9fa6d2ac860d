"""A server at rest: what it keeps for the next search is let go step by step while nothing is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, NamedTuple

import anyio
import anyio.to_thread

from storage.heap import give_back
from storage.held import let_go


class Step(NamedTuple):
    """What is done once nothing has been asked for ``after_s`` seconds."""

    after_s: float
    work: Callable[[], object]


LOOK_S = 2.0  # shorter than any step's pause, so that no call between two looks is missed
# Rows and vectors kept in memory are 26 MB at 10,000 chunks, in a larger index up to 124. The next two searches read
# them again, 50 to 60 ms each on a busy machine; an indexing child (indexes/job.py) rests as long, then ends.
REST_S = 120.0
# What the C library still has of the last answers: 2 MB after searches, 20 after expressions over 50,000 chunks.
STEPS = (Step(5.0, give_back), Step(REST_S, let_go))


# What makes it keep something. A ping does not, nor do lists and prompts.
WORK = frozenset({"tools/call", "resources/read", "completion/complete"})


class Calls:
    """Middleware that knows for how long nothing has been asked for that is work."""

    def __init__(self) -> None:
        self._running = 0
        self._since = monotonic()

    async def __call__(self, context: Any, call_next: Any) -> Any:
        """Pass the request on and take note."""
        if context.method not in WORK:
            return await call_next(context)
        self._running += 1
        try:
            return await call_next(context)
        finally:
            self._running -= 1
            self._since = monotonic()

    def idle_s(self) -> float:
        """Seconds since the last call ended; 0 while one runs."""
        return 0.0 if self._running else monotonic() - self._since


async def rest(calls: Calls, steps: Sequence[Step] = STEPS, look_s: float = LOOK_S) -> None:
    """Take each step once in each pause, on a thread, in the order of their ``after_s``; does not return."""
    done = 0
    while True:
        await anyio.sleep(look_s)
        idle_s = calls.idle_s()
        due = sum(idle_s >= step.after_s for step in steps)
        for step in steps[done:due]:
            await anyio.to_thread.run_sync(step.work, abandon_on_cancel=True)
        done = due
