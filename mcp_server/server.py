"""Serving MCP over stdio: from the first byte to the last.

Nothing heavy is loaded before the first request is answered; every ending (end of input, SIGTERM, SIGINT, the client's
death) closes the children's pipes and leaves at once.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from mcp_server.engine import Engine
from mcp_server.errors import EXPECTED
from mcp_server.logs import StdoutGuard
from mcp_server.settings import Settings
from mcp_server.tools import build

PARENT_LOOK_S = 2.0  # how often a server looks whether its client is still there

log = logging.getLogger(__name__)


class FirstAnswer:
    """Middleware that knows when the first request has been answered."""

    def __init__(self) -> None:
        self._given = anyio.Event()

    async def __call__(self, context: Any, call_next: Any) -> Any:
        """Pass the request on and take note."""
        try:
            return await call_next(context)
        finally:
            self._given.set()

    async def wait(self) -> None:
        """Until it has."""
        await self._given.wait()


def serve(roots: Sequence[Path], settings: Settings, version: str, guard: StdoutGuard) -> None:
    """Serve until the client goes; does not return."""
    engine = Engine(roots, settings)
    anyio.run(_serve, engine, version, guard)
    leave(engine)


def leave(engine: Engine) -> None:
    """End this process now: children see their pipes close, threads in native code must not delay it."""
    engine.close(wait=False)
    sys.stderr.flush()
    os._exit(0)


async def _serve(engine: Engine, version: str, guard: StdoutGuard) -> None:
    first_answer = FirstAnswer()
    server = build(engine, version, [first_answer])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_leave_on_signal, engine)
        tasks.start_soon(_leave_with_parent, engine)
        tasks.start_soon(_preload, engine, first_answer)
        guard.hand_back()
        await server.run_stdio_async()
        tasks.cancel_scope.cancel()


async def _preload(engine: Engine, first_answer: FirstAnswer) -> None:
    """Load what a first search needs while the client thinks; a failure shows itself in that search."""
    await first_answer.wait()
    try:
        await anyio.to_thread.run_sync(engine.preload, abandon_on_cancel=True)
    except EXPECTED as error:
        log.warning("%s", error)


async def _leave_on_signal(engine: Engine) -> None:
    if sys.platform == "win32":  # no asyncio signal support there; the console's own handler ends the process
        signal.signal(signal.SIGINT, lambda *_: leave(engine))
        return
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            log.info("leaving on %s", signal.Signals(number).name)
            leave(engine)


async def _leave_with_parent(engine: Engine) -> None:
    """Leave when the client died without closing our input: something else may hold the pipe open."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells of a parent's death, so it is looked for
        await anyio.sleep(PARENT_LOOK_S)
    leave(engine)
