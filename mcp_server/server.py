"""Serving MCP over stdio: from the first byte to the last.

Nothing heavy is loaded before the first request is answered; every ending (end of input, SIGTERM, SIGINT, the client's
death) closes the children's pipes and leaves at once.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import anyio.to_thread

from mcp_server.logs import StdoutGuard
from mcp_server.metrics.reporting import Reporting
from mcp_server.resting import Calls, rest
from mcp_server.settings import Settings
from mcp_server.tools import build

if TYPE_CHECKING:
    from mcp_server.engine import Engine

LONGEST_CLOSE_S = 1.0  # it takes milliseconds; clients kill a server that has not left after two seconds
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


class LateEngine:
    """The engine, imported and made when a tool first needs it: a client's first request waits for neither."""

    def __init__(self, roots: Sequence[Path], settings: Settings, version: str) -> None:
        self.settings = settings
        self._roots = roots
        self.reporting = Reporting(roots, settings, version, self.made)
        self._making = threading.Lock()
        self._made: Engine | None = None

    def __call__(self) -> Engine:
        """The one engine; called from worker threads."""
        with self._making:
            if self._made is None:
                made = import_module("mcp_server.engine").Engine
                self._made = made(self._roots, self.settings, listening=True, meter=self.reporting.meter)
            return self._made

    def made(self) -> Engine | None:
        """It, where a tool has needed it."""
        return self._made

    def close(self) -> None:
        """Close what was made, without waiting."""
        if self._made is not None:
            self._made.close(wait=False)
        self.reporting.close()


def serve(roots: Sequence[Path], settings: Settings, version: str, guard: StdoutGuard) -> None:
    """Serve until the client goes; does not return."""
    engine = LateEngine(roots, settings, version)
    engine.reporting.listen()
    anyio.run(_serve, engine, version, guard)
    leave(engine)


def leave(engine: LateEngine) -> None:
    """End this process now: children see their pipes close, threads in native code must not delay it.

    Nor may whoever else holds what closing waits for: a thread that is calling an embedding service which hangs, or an
    indexing child that is suspended.
    """
    late = threading.Timer(LONGEST_CLOSE_S, os._exit, (0,))
    late.daemon = True
    late.start()
    engine.close()
    sys.stderr.flush()
    os._exit(0)


async def _serve(engine: LateEngine, version: str, guard: StdoutGuard) -> None:
    first_answer, calls = FirstAnswer(), Calls()
    server = build(engine, engine.settings, version, engine.reporting, [first_answer, calls])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_leave_on_signal, engine)
        tasks.start_soon(_leave_with_parent, engine)
        tasks.start_soon(_preload, engine, first_answer)
        tasks.start_soon(rest, calls)
        tasks.start_soon(_report, engine.reporting, first_answer)
        guard.hand_back()
        await server.run_stdio_async()
        tasks.cancel_scope.cancel()


async def _preload(engine: LateEngine, first_answer: FirstAnswer) -> None:
    """Load what a first search needs while the client thinks; a failure shows itself in that search."""
    await first_answer.wait()
    try:
        await anyio.to_thread.run_sync(lambda: engine().preload(), abandon_on_cancel=True)
    except Exception:
        log.warning("what a first search needs could not be loaded ahead of it", exc_info=True)


async def _report(reporting: Reporting, first_answer: FirstAnswer) -> None:
    """Note what is counted; a failure there is logged, and the server goes on."""
    await first_answer.wait()
    try:
        await reporting.go_on()
    except Exception:
        log.warning("metrics are noted no longer", exc_info=True)


async def _leave_on_signal(engine: LateEngine) -> None:
    if sys.platform == "win32":  # no asyncio signal support there; the console's own handler ends the process
        signal.signal(signal.SIGINT, lambda *_: leave(engine))
        return
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for number in signals:
            log.info("leaving on %s", signal.Signals(number).name)
            leave(engine)


async def _leave_with_parent(engine: LateEngine) -> None:
    """Leave when the client died without closing our input: something else may hold the pipe open."""
    parent = os.getppid()
    while os.getppid() == parent:  # noqa: ASYNC110 - nothing tells of a parent's death, so it is looked for
        await anyio.sleep(PARENT_LOOK_S)
    leave(engine)
