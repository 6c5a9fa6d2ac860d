"""Notes: one small file a running server, in which others of the same user read what it counted.

They lie in a directory of the user's alone and hold names of roots, states and numbers: no paths, no queries. A server
writes its note when something has changed, every two seconds at most. Whoever reads the notes adds those of servers
that have ended, killed ones included, to ``ended.1.json`` and deletes them: so nothing grows, and what is summed over
all never falls because a window was closed.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import time
from typing import Any

from embedding.shared.state import state_of
from mcp_server.home import make_private
from mcp_server.metrics.counts import FORMAT, Counts, counts_of
from mcp_server.metrics.figures import ServerFigures, ServerProcess, root_figures_of

PATIENCE_S = 2.0  # for another one that reads the notes; it takes milliseconds

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, IndexError)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Noted:
    """What the notes say: servers that run, and the sum of those that have ended."""

    servers: tuple[ServerFigures, ...] = ()
    ended: Counts = field(default_factory=Counts)


class Notes:
    """The notes in one directory. Thread-safe, and safe with many processes; raises nothing: metrics stop nobody."""

    def __init__(self, directory: Path, lives: Callable[[ServerProcess], bool] = ServerProcess.is_alive) -> None:
        self._directory = directory
        self._lives = lives

    def write(self, figures: ServerFigures) -> None:
        """Put a server's note in place of its last one."""
        try:
            make_private(self._directory)
            _replace(self._note(figures.process), as_note(figures))
        except OSError as error:
            log.info("the note of this server was not written (%s)", error)

    def read(self) -> Noted:
        """The notes of servers that run, and the sum of those that have ended, these notes put away."""
        if not os.path.isdir(self._directory):  # noqa: PTH112 - Path's raises where its parent may not be looked into
            return Noted()
        try:
            with self._alone():
                return self._sorted()
        except OSError as error:
            log.info("notes of servers were not put away (%s)", error)
            return Noted(tuple(figures for _, figures in self._all() if self._lives(figures.process)))

    def _sorted(self) -> Noted:
        ended, put_away = self._ended()
        for cut_short in self._directory.glob(".*.json.*"):  # whoever wrote it was killed
            _delete_old(cut_short)
        running, over = [], []
        for path, figures in self._all():
            if path.name in put_away:  # it was added, and somebody was killed before it was deleted
                path.unlink(missing_ok=True)
            elif self._lives(figures.process):
                running.append(figures)
            else:
                over.append(path)
                ended = ended.plus(figures.counts)
        if over:
            _replace(self._ended_file, {"counts": ended.as_json(), "put_away": [path.name for path in over]})
            for path in over:
                path.unlink(missing_ok=True)
        return Noted(tuple(running), ended)

    def _all(self) -> Iterator[tuple[Path, ServerFigures]]:
        """Every note that can be read, the longest running server first; one that cannot goes once it is a day old."""
        found = []
        for path in self._directory.glob("server-*.json"):
            try:
                found.append((path, of_note(json.loads(path.read_text(encoding="utf-8")))))
            except _UNREADABLE:
                _delete_old(path)
        yield from sorted(found, key=lambda one: one[1].process.started)

    def _ended(self) -> tuple[Counts, frozenset[str]]:
        """The sum of what ended, and the notes that were added to it last."""
        try:
            told = json.loads(self._ended_file.read_text(encoding="utf-8"))
            return counts_of(told["counts"]), frozenset(told["put_away"])
        except _UNREADABLE:
            return Counts(), frozenset()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else puts notes away meanwhile. Raises OSError where somebody does for long."""
        from filelock import FileLock

        with FileLock(self._directory / "notes.lock", timeout=PATIENCE_S, mode=0o600):  # its Timeout is an OSError
            yield

    @property
    def _ended_file(self) -> Path:
        return self._directory / f"ended.{FORMAT}.json"

    def _note(self, process: ServerProcess) -> Path:
        return self._directory / f"server-{process.pid}-{int(process.started)}.json"


def notes_directory(data: Path) -> Path:
    """Where the servers of the user whose data directory is ``data`` leave their notes."""
    return data / "metrics"


def as_note(figures: ServerFigures) -> dict[str, Any]:
    """What a note holds."""
    return {
        "process": asdict(figures.process),
        "version": figures.version,
        "metrics_port": figures.metrics_port,
        "at": figures.at,
        "roots": [asdict(root) for root in figures.roots],
        "counts": figures.counts.as_json(),
        "service": figures.service.as_json() if figures.service else None,
    }


def of_note(told: Mapping[str, Any]) -> ServerFigures:
    """What ``as_note`` wrote, by another build perhaps. Raises KeyError, TypeError, ValueError where it is none."""
    service, process = told["service"], told["process"]
    return ServerFigures(
        ServerProcess(int(process["pid"]), float(process["started"]), float(process["since_boot"])),
        str(told["version"]),
        told["metrics_port"],
        float(told["at"]),
        tuple(root_figures_of(root) for root in told["roots"]),
        counts_of(told["counts"]),
        state_of(service) if service else None,
    )


def _replace(path: Path, content: Mapping[str, Any]) -> None:
    # The last note of a server that ends may meet the one before on its way, on another thread.
    aside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        aside.touch(mode=0o600)
        aside.write_text(json.dumps(content), encoding="utf-8")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _delete_old(path: Path) -> None:
    with suppress(OSError):
        if time() - path.stat().st_mtime > 86_400:
            path.unlink()
