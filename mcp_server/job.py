"""A server's indexing child: ``python -P -m mcp_server.job``.

It is told root and settings in one line of JSON on its standard input, sends events as lines of JSON on its standard
output, refreshes again at each further line, and ends when its input ends. A line ``{"asked": [ids]}`` names chunks
that a search returned or nearly returned: they get their vectors next, and a run goes on. So a server is never slowed
by parsing, a crash of a native library costs one run, and no child outlives its server.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import psutil

from indexer.refine import Refiner
from mcp_server.errors import EXPECTED
from mcp_server.indexing import Meaning, Scope, Task, open_meaning, run, writing
from mcp_server.logs import claim_stdout, configure
from mcp_server.settings import Settings
from storage.errors import IndexBusyError

IDLE_S = 120.0  # a child that was asked nothing for so long gives its memory back; the next change starts another
BUSY_RETRY_S = 2.0  # how often a child looks again whether another process still writes the index
LONGEST_END_S = 10.0  # after the server has gone; a commit and a slice take less, a hung library must not stay

log = logging.getLogger(__name__)


class Commands:
    """Lines from the server: each one asks for a refresh, or says what was asked; the end of input asks to stop."""

    def __init__(self, lines: TextIO, ask: Callable[[list[str]], None]) -> None:
        self._ask = ask
        self._waiting: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._ended = threading.Event()
        threading.Thread(target=self._read, args=(lines,), daemon=True, name="commands").start()

    def _read(self, lines: TextIO) -> None:
        for line in lines:
            command = json.loads(line)
            if "asked" in command:
                self._ask(command["asked"])
            else:
                self._waiting.put(command)
        self._ended.set()
        self._waiting.put({})
        time.sleep(LONGEST_END_S)
        os._exit(1)

    def pending(self) -> bool:
        """Whether the current run should end: something newer was asked, or nothing more is wanted."""
        return self._ended.is_set() or not self._waiting.empty()

    @property
    def ended(self) -> bool:
        """Whether the server closed the pipe."""
        return self._ended.is_set()

    def next(self, timeout_s: float) -> dict[str, Any] | None:
        """The next command, all older ones folded into it; None at the end of input or after ``timeout_s``."""
        with contextlib.suppress(queue.Empty):
            command = self._waiting.get(timeout=timeout_s)
            while not self._waiting.empty():
                later = self._waiting.get()
                command = later | {"force": command.get("force", False) or later.get("force", False)}
            return None if self._ended.is_set() else command
        return None


def main() -> None:
    """Serve one root until the input ends or nothing was asked for a while."""
    wire = claim_stdout()
    configure()
    be_polite()
    first = json.loads(sys.stdin.readline())
    refiner = Refiner()
    commands = Commands(sys.stdin, refiner.ask)
    work = Work(Path(first["root"]), Settings.model_validate(first["settings"]), refiner)
    try:
        serve(work, commands, wire, first)
    except BrokenPipeError:
        log.info("the server is gone")
    sys.stderr.flush()
    os._exit(0)  # native threads must not delay the end


@dataclass(frozen=True, slots=True)
class Work:
    """What a child is for, and what it keeps in mind from run to run."""

    root: Path
    settings: Settings
    refiner: Refiner


def serve(work: Work, commands: Commands, wire: TextIO, command: dict[str, Any] | None) -> None:
    """Run, rest, and run again when asked."""
    meaning = open_meaning(work.settings)
    while command is not None:
        busy = _run_once(work, meaning, commands, wire, force=bool(command.get("force")))
        command = commands.next(BUSY_RETRY_S if busy else IDLE_S)
        if busy and command is None and not commands.ended:
            command = {}


def _run_once(work: Work, meaning: Meaning, commands: Commands, wire: TextIO, *, force: bool) -> bool:
    """One run and its last event; returns whether another process was writing."""
    try:
        with writing(work.settings, work.root) as store:
            task = Task(work.root, store, work.settings, meaning, work.refiner)
            summary = run(task, lambda progress: _emit(wire, asdict(progress)), commands.pending, Scope(force=force))
    except IndexBusyError as error:
        _emit(wire, {"busy": str(error)})
        return True
    except EXPECTED as error:
        _emit(wire, {"error": str(error)})
        return False
    _emit(wire, {"summary": asdict(summary)})
    return False


def be_polite() -> None:
    """Let everything the user does go first."""
    with contextlib.suppress(psutil.Error, OSError):
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else 10)


def _emit(wire: TextIO, event: dict[str, Any]) -> None:
    wire.write(json.dumps(event) + "\n")
    wire.flush()


if __name__ == "__main__":
    main()
