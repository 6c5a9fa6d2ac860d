"""A server's indexing child: ``python -P -m mcp_server.indexes.job``.

It is told root and settings in one line of JSON on its standard input, sends events as lines of JSON on its standard
output, refreshes again at each further line, and ends when its input ends. A line ``{"paths": [...]}`` says that
nothing else has changed, so nothing else is looked at. A line ``{"asked": [ids]}`` names chunks
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
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import Any, TextIO

import psutil

from embedding.shared.starter import STARTER
from indexer.pipeline import Progress
from indexer.refine import Refiner
from indexer.rules import KeptRules
from mcp_server.errors import EXPECTED
from mcp_server.home import index_directory
from mcp_server.indexes.indexing import Scope, Work, inspect, write
from mcp_server.logs import claim_stdout, configure
from mcp_server.meaning import open_meaning
from mcp_server.metrics import families
from mcp_server.metrics.meter import Meter, error_name
from mcp_server.metrics.wrappers import measured_meaning
from mcp_server.patience import retry_after_s
from mcp_server.settings import Settings
from storage.errors import IndexBusyError
from storage.heap import keep_little
from storage.lock import WriterLock

IDLE_S = 120.0  # a child that was asked nothing for so long gives its memory back; the next change starts another
# While another process writes, a child looks again after .1 s, then half as long again each time, up to a second: a
# look takes .7 ms of processor time, and the death of the other is noticed within that second.
BUSY_FIRST_S, BUSY_LONGEST_S = 0.1, 1.0
COUNTS_S = 1.0  # how often a run tells what it counted; what a child that is killed has not told is lost
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
                command = folded(command, later)
            return None if self._ended.is_set() else command
        return None


def main() -> None:
    """Serve one root until the input ends or nothing was asked for a while."""
    wire = claim_stdout()
    configure()
    keep_little()
    be_polite()
    first = json.loads(sys.stdin.readline())
    refiner = Refiner()
    commands = Commands(sys.stdin, refiner.ask)
    settings = Settings.model_validate(first["settings"])
    try:
        root = Path(first["root"])
        meter = Meter()
        meaning = measured_meaning(open_meaning(settings), meter)
        work = Work(root, settings, meaning, refiner, KeptRules(root, settings.index), meter)
        serve(work, commands, wire, first)
    except BrokenPipeError:
        log.info("the server is gone")
    sys.stderr.flush()
    os._exit(0)  # native threads must not delay the end


def serve(work: Work, commands: Commands, wire: TextIO, command: dict[str, Any] | None) -> None:
    """Run, rest, and run again when asked: by the server, or by another one that may not write now."""
    runs = Runs(work, commands, wire)
    wait_s = BUSY_FIRST_S
    while command is not None:
        outcome = runs.once(command)
        if outcome is Outcome.DONE:
            command, wait_s = commands.next(runs.rest_s) or runs.by_itself(), BUSY_FIRST_S
            continue
        force = outcome is Outcome.BUSY and command.get("force", False)
        told = commands.next(wait_s if outcome is Outcome.BUSY else 0.0)
        command = None if commands.ended else after(told, force=force)
        wait_s = BUSY_FIRST_S if told else min(1.5 * wait_s, BUSY_LONGEST_S)


def folded(first: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """Two commands as one: what either wants; all paths where both name some, else everything."""
    paths = [*first["paths"], *later["paths"]] if first.get("paths") and later.get("paths") else None
    return later | {"force": first.get("force", False) or later.get("force", False), "paths": paths}


def after(told: dict[str, Any] | None, *, force: bool) -> dict[str, Any]:
    """The command that follows one which is still to be done: what was ``told`` meanwhile, or the same ``again``."""
    if told is None:
        return {"again": True, "force": force}
    return told | {"force": force or told.get("force", False), "paths": None}  # the other command's are not done


class Outcome(Enum):
    """How a run ended."""

    DONE = "done"
    BUSY = "busy"  # another process writes the index: try again soon
    ASKED = "asked"  # another process knows of changes: look again at once


class Runs:
    """Runs of one child over its root."""

    def __init__(self, work: Work, commands: Commands, wire: TextIO) -> None:
        self._work = work
        self._commands, self._wire = commands, wire
        self._said = ""  # of the other process that writes
        self._told_at = time.monotonic()  # what was counted
        self._retry_s = 0.0  # after which another run may find the model well again; 0: nothing is wrong with it

    def once(self, command: dict[str, Any]) -> Outcome:
        """One run and its last event. The lock is held for as long as it lasts: an idle child is in nobody's way."""
        paths = command.get("paths")
        scope = Scope(force=command.get("force", False), paths=frozenset(paths) if paths else None)
        try:
            summary, asked = write(self._work, self._report, self._commands.pending, scope)
        except IndexBusyError as error:
            return self._wait_for_another(str(error), again=command.get("again", False))
        except EXPECTED as error:
            self._retry_s = 0.0
            self._work.meter.count(families.ERRORS, "indexing", error_name(error))
            self._tell_counts()
            _emit(self._wire, {"error": str(error)})
            return Outcome.DONE
        self._said = ""
        self._retry_s = retry_after_s(passing=summary.passing, embedded=summary.embedded, waited_s=self._retry_s)
        self._tell_counts()
        _emit(self._wire, {"summary": asdict(summary) | {"retry_after_s": self._retry_s}})
        return Outcome.ASKED if asked else Outcome.DONE

    @property
    def rest_s(self) -> float:
        """How long to wait for a command."""
        return self._retry_s or IDLE_S

    def by_itself(self) -> dict[str, Any] | None:
        """What to do when nothing was asked for so long; None to end."""
        if self._retry_s and not self._commands.ended:
            return after(None, force=False)
        return self.before_the_end()

    def before_the_end(self) -> dict[str, Any] | None:
        """Use the leisure for reading the whole index, once a day; what is still to be done after that, if anything."""
        damaged = False
        if not self._commands.ended:
            with contextlib.suppress(OSError, *EXPECTED):  # it is read another time
                damaged = inspect(self._work, self._commands.pending)
        return self._commands.next(0.0) or (after(None, force=False) if damaged else None)

    def _wait_for_another(self, said: str, *, again: bool) -> Outcome:
        lock = WriterLock(index_directory(self._work.settings, self._work.root))
        if not again:
            lock.ask()
        if ids := self._work.refiner.taken():
            lock.want(ids)
        if said != self._said:
            _emit(self._wire, {"busy": said})
        self._said = said
        return Outcome.BUSY

    def _report(self, progress: Progress) -> None:
        _emit(self._wire, asdict(progress))
        if time.monotonic() - self._told_at >= COUNTS_S:
            self._tell_counts()

    def _tell_counts(self) -> None:
        """What was counted since it was last told; the server adds it to its own."""
        self._told_at = time.monotonic()
        _emit(self._wire, {"counts": self._work.meter.taken().as_json()})


def be_polite() -> None:
    """Let everything the user does go first; an embedding service started from here is nobody's background work."""
    STARTER.keep()
    with contextlib.suppress(psutil.Error, OSError):
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else 10)


def _emit(wire: TextIO, event: dict[str, Any]) -> None:
    wire.write(json.dumps(event) + "\n")
    wire.flush()


if __name__ == "__main__":
    main()
