"""Files into rows, in several processes where there are so many that starting them pays.

Answers come in the order of the files, whichever process cut them. What a process does not answer, because a parser
crashed in it or the system ended it, is cut here.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import subprocess
import sys
import threading
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING

from embedding.process import child_environment
from indexer.cutting import Cutting, load
from indexer.source import SourceFile
from storage.chunk import FileRecord, FileRows

if TYPE_CHECKING:
    from collections.abc import Callable

    Stop = Callable[[], bool]

_log = logging.getLogger(__name__)

# A process is ready after a third of a second of processor time, what cutting and sketching 0.6 MB takes: as much is
# cut here meanwhile, and published. Of less than five times that two processes save nothing that a user would notice.
START_BYTES = 600_000
WORTH_BYTES = 5 * START_BYTES
MOST_PROCESSES = 4  # 100 to 200 MB each; one process writes what four cut
GROUP_FILES = 8
GROUPS_AHEAD = 48  # asked of a process beyond what was taken from it: 8,000 chunks, 20 MB, some two seconds

Rows = FileRows | FileRecord | None
Group = Sequence[tuple[SourceFile, FileRecord | None]]


def cut_files(
    files: Sequence[SourceFile], known: Mapping[str, FileRecord], cutting: Cutting, stop: Stop
) -> Iterator[FileRows | FileRecord]:
    """Rows of each file, or its record alone; files that are gone are left out. ``stop`` is asked between files."""
    count = min(MOST_PROCESSES, os.cpu_count() or 1)
    new = [0 if _seems_known(file, known) else file.size for file in files]
    if sum(new) < WORTH_BYTES or count < 2:
        yield from _cut_here(files, known, cutting, stop)
        return
    first = bisect_left(list(accumulate(new)), START_BYTES)
    with contextlib.ExitStack() as until_the_end:
        cutters = [until_the_end.enter_context(_Cutter(cutting)) for _ in range(count)]
        yield from _cut_here(files[:first], known, cutting, stop)
        yield from _cut_there(cutters, files[first:], known, stop)


def _seems_known(file: SourceFile, known: Mapping[str, FileRecord]) -> bool:
    """Whether a file was only touched, as far as its size tells: such files are read and not cut."""
    record = known.get(file.path)
    return record is not None and record.size == file.size


def _cut_here(
    files: Sequence[SourceFile], known: Mapping[str, FileRecord], cutting: Cutting, stop: Stop
) -> Iterator[FileRows | FileRecord]:
    for file in files:
        if stop():
            return
        rows = load(file, cutting, known.get(file.path))
        if rows is not None:
            yield rows


def _cut_there(
    cutters: Sequence[_Cutter], files: Sequence[SourceFile], known: Mapping[str, FileRecord], stop: Stop
) -> Iterator[FileRows | FileRecord]:
    """Group after group goes to the processes in turn, and comes back in turn."""
    parts = (files[at : at + GROUP_FILES] for at in range(0, len(files), GROUP_FILES))
    groups = [[(file, known.get(file.path)) for file in part] for part in parts]
    ahead = len(cutters) * GROUPS_AHEAD
    for number, group in enumerate(groups[:ahead]):
        cutters[number % len(cutters)].ask(group)
    for number in range(len(groups)):
        if stop():
            return
        answered = cutters[number % len(cutters)].answer()
        if number + ahead < len(groups):
            cutters[number % len(cutters)].ask(groups[number + ahead])
        yield from (rows for rows in answered if rows is not None)


class _Cutter:
    """One process that cuts, and a thread that takes what it answers, so that neither waits for the other."""

    def __init__(self, cutting: Cutting) -> None:
        self._cutting = cutting
        self._asked: SimpleQueue[Group] = SimpleQueue()
        self._answers: SimpleQueue[list[Rows] | None] = SimpleQueue()
        command = [sys.executable, "-P", "-m", "indexer.cutter"]
        environment = child_environment(dict(os.environ), threads=1)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self._ended = False
        self._send((cutting.settings, cutting.table.path if cutting.table else None))
        threading.Thread(target=self._take, args=(self._process.stdout,), daemon=True, name="cutter").start()

    def __enter__(self) -> _Cutter:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, whatever it is doing."""
        assert self._process.stdin is not None
        self._process.kill()
        self._process.wait()
        with contextlib.suppress(OSError):  # what was not sent any more
            self._process.stdin.close()

    def ask(self, group: Group) -> None:
        """Have ``group`` cut."""
        self._asked.put(group)
        self._send(group)

    def answer(self) -> list[Rows]:
        """Rows of the group that was asked first, as soon as they are there."""
        group = self._asked.get()
        rows = None if self._ended else self._answers.get()
        if rows is not None:
            return rows
        if not self._ended:
            self._ended = True
            _log.warning("A process that cuts files ended (%s); its files are cut here.", self._process.poll())
        return [load(file, self._cutting, known) for file, known in group]

    def _send(self, message: object) -> None:
        """Small enough for the pipe with all that was asked before it: the process reads while it is being written."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it has ended: ``answer`` finds out
            pickle.dump(message, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()

    def _take(self, stream: IO[bytes]) -> None:
        try:
            with stream:
                while True:
                    self._answers.put(pickle.load(stream))  # noqa: S301 - from our own child, through a pipe of our own
        except (EOFError, OSError, pickle.UnpicklingError):
            self._answers.put(None)
