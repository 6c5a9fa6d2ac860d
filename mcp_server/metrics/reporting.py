"""What a server tells of itself: in its note, at its port, in its status. It decides when; others write and format."""

from __future__ import annotations

import errno
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic, time
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import anyio.to_thread

from mcp_server.errors import EXPECTED
from mcp_server.metrics.meter import Meter

if TYPE_CHECKING:  # imported after the first answer: a client's first request waits for none of it
    from embedding.shared.state import ServiceState
    from mcp_server.metrics.figures import RootFigures, ServerFigures, ServerProcess
    from mcp_server.metrics.notes import Notes
    from mcp_server.metrics.overview import Overview
    from mcp_server.settings import Settings

NOTE_S = 2.0  # between two notes, at least; 4 KB each, and none while nothing happens
TRY_S = 4.0  # between two tries to have a port that another one has: a window that was closed, say
# A look at an embedding service is a guest's, and keeps it from going for as long as it lingers after its last one. So
# looks are further apart than that, however often this server is scraped.
BEYOND_LINGERING_S = 5.0

log = logging.getLogger(__name__)


class Reported(Protocol):
    """What there is to be told of an engine."""

    def figures(self) -> tuple[RootFigures, ...]:
        """Of each root, without a look at its directory."""
        ...

    def own_service(self) -> ServiceState | None:
        """The embedding service that runs in this process for it alone; None where there is none."""
        ...

    @property
    def changes(self) -> object:
        """Something else whenever there is something new in ``figures``."""
        ...


class Reporting:
    """One server's. Thread-safe."""

    def __init__(
        self, roots: Sequence[Path], settings: Settings, version: str, engine: Callable[[], Reported | None]
    ) -> None:
        """``engine`` gives the engine once it is made, and makes none."""
        self.meter = Meter()
        self._roots = roots
        self._settings = settings
        self._version = version
        self._engine = engine
        self._process: ServerProcess | None = None
        self._port: int | None = None
        self._tries, self._next_try = 0, 0.0
        self._noted: object = None  # the state that the last note tells of
        self._last: ServerFigures | None = None  # what it says
        self._looking = threading.Lock()
        self._looked: tuple[float, list[ServiceState]] = (0.0, [])

    # Figures

    def own(self) -> ServerFigures:
        """The server that this is, now."""
        from mcp_server.metrics.figures import ServerFigures, ServerProcess

        engine = self._engine()
        if self._process is None:
            self._process = ServerProcess.this()
        return ServerFigures(
            self._process,
            self._version,
            self._port,
            time(),
            engine.figures() if engine else tuple(self._unread()),
            self.meter.counts(),
            engine.own_service() if engine else None,
        )

    def _unread(self) -> list[RootFigures]:
        from mcp_server.home import index_directory, index_id
        from mcp_server.metrics.figures import RootFigures

        return [RootFigures(root.name, index_id(index_directory(self._settings, root))) for root in self._roots]

    def overview(self) -> Overview:
        """The user's servers, this one as it is now, and their services."""
        from mcp_server.metrics.overview import overview

        return overview(self._notes().read(), self._services(), self.own())

    def as_json(self) -> dict[str, Any]:
        """The server that this is, for a program."""
        from mcp_server.metrics.notes import Noted
        from mcp_server.metrics.overview import overview

        seen = overview(Noted(), (), self.own())
        return seen.servers[0].as_json(seen.at)

    def sentence(self) -> str:
        """One line for a reader."""
        from mcp_server.metrics.table import line

        return line(self.meter.counts())

    def _services(self) -> list[ServiceState]:
        from mcp_server.home import data_directory
        from mcp_server.metrics.overview import running_services

        with self._looking:
            at, states = self._looked
            if not at or monotonic() - at > self._settings.model.linger_s + BEYOND_LINGERING_S:
                self._looked = at, states = monotonic(), running_services(data_directory())
            return states

    # Notes

    def _notes(self) -> Notes:
        from mcp_server.home import data_directory
        from mcp_server.metrics.notes import Notes, notes_directory

        return Notes(notes_directory(data_directory()))

    @property
    def is_due(self) -> bool:
        """Whether there may be anything that the last note does not say."""
        passing = self._last is not None and any(root.state == "indexing" for root in self._last.roots)
        return passing or self._noted != self._state()

    def _state(self) -> object:
        engine = self._engine()
        return self.meter.changes, self._port, engine.changes if engine else None

    def note(self) -> None:
        """Write it down; before the first time, put away what servers that have ended left."""
        if self._last is None:
            self._notes().read()
        self._noted = self._state()
        self._last = self.own()
        self._notes().write(self._last)

    def _note_or_say(self) -> None:
        try:
            self.note()
        except EXPECTED as error:  # an index that cannot be read just now: the next note is another try
            log.info("this server could not say how it is: %s", error)

    def close(self) -> None:
        """The last note: what was counted since the one before is not lost. Asks the engine nothing."""
        counts = self.meter.counts()
        if self._last is not None and counts != self._last.counts:
            self._notes().write(replace(self._last, counts=counts, at=time()))

    async def go_on(self) -> None:
        """Note what is new, and try for the port, until cancelled; does not return."""
        while True:
            if self.is_due:
                await anyio.to_thread.run_sync(self._note_or_say, abandon_on_cancel=True)
            if self._wants_port:
                await anyio.to_thread.run_sync(self.listen, abandon_on_cancel=True)
            await anyio.sleep(NOTE_S)

    # Port

    @property
    def _wants_port(self) -> bool:
        """Whether it is time to try for a port."""
        wanted = self._settings.serve.metrics_port >= 0 and self._port is None
        return wanted and monotonic() >= self._next_try

    def listen(self) -> None:
        """Have the port that is wanted, if any; ``go_on`` tries again where another one has it.

        That is said once, at the second try: ten windows that are opened at once have noted by then who is who.
        """
        if not self._wants_port:
            return
        from mcp_server.metrics import port

        wanted = self._settings.serve.metrics_port
        self._tries += 1
        self._next_try = monotonic() + (NOTE_S if self._tries == 1 else TRY_S)
        try:
            sockets = port.listening(wanted)
        except OSError as error:
            if self._tries == 2:
                log.warning("%s", self._refusal(wanted, error))
            return
        self._port = sockets[0].getsockname()[1]
        port.answer(sockets, self.overview)
        if wanted == 0 or self._tries > 1:
            sys.stderr.write(f"codeloupe: metrics are at http://127.0.0.1:{self._port}{port.PATH}\n")

    def _refusal(self, wanted: int, error: OSError) -> str:
        if error.errno != errno.EADDRINUSE:
            return (
                f"The metrics port {wanted} cannot be had ({error.strerror or error}); this server goes on without it."
            )
        if any(one.metrics_port == wanted for one in self._notes().read().servers):
            return (
                f"The metrics port {wanted} is another codeloupe server's of yours, which shows this one as well; "
                "this one takes it over when that ends."
            )
        return (
            f"The metrics port {wanted} is taken by another program; this server goes on without it and tries again "
            "now and then. Choose another one by --metrics-port, or serve.metrics_port."
        )
