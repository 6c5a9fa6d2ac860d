"""A server at rest: what it keeps for the next search is let go when no tool has been called for a while."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

import anyio
import anyio.to_thread

# Rows and vectors kept in memory are 26 MB at 10,000 chunks, in a larger index up to 124. The next two searches read
# them again, 50 to 60 ms each on a busy machine; an indexing child (mcp_server/job.py) rests as long, then ends.
REST_S = 120.0
LOOK_S = 5.0


class Calls:
    """Middleware that knows for how long no tool has been called; a ping is no call."""

    def __init__(self) -> None:
        self._running = 0
        self._since = monotonic()

    async def __call__(self, context: Any, call_next: Any) -> Any:
        """Pass the request on and take note."""
        if context.method != "tools/call":
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


async def rest(calls: Calls, let_go: Callable[[], object], *, after_s: float = REST_S, look_s: float = LOOK_S) -> None:
    """Call ``let_go`` on a thread, once in each pause of ``after_s`` seconds; does not return."""
    resting = False
    while True:
        await anyio.sleep(look_s)
        idle = calls.idle_s() >= after_s
        if idle and not resting:
            await anyio.to_thread.run_sync(let_go, abandon_on_cancel=True)
        resting = idle
