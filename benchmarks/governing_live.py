"""benchmarks/governing.py for real: a service, its children and a neighbour in a control group with a hard limit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from unittest import mock

import psutil

from benchmarks.governing_moments import CHILDREN, LENGTH_S, Moment, neighbours_at
from benchmarks.limited_group import LimitedGroup, limited_group
from embedding.errors import EmbeddingError, MemoryShortError
from embedding.local import LocalEmbedder
from embedding.model import DEFAULT_MODEL, KNOWN_MODELS, spec_for
from embedding.pressure import Gauge
from embedding.settings import MemorySettings, ModelSettings
from embedding.sources import locate, models_directory
from mcp_server.home import data_directory

ROOT = Path(__file__).parent.parent.absolute()
EVERY_S = 0.5
TEXT = (
    "def total(rows):\n    # adds what the rows hold, and nothing else that may be near them\n" + "    x += row\n" * 40
)
ASKERS = CHILDREN + 2  # so that something always waits
TEXTS = 24  # of one call, which makes one request; a large model works on a single one for seconds
LARGE_BYTES = 1_000_000_000
# Holds as many bytes as it is told, in blocks of 4 MiB that are touched; says so when it does.
NEIGHBOUR = """
import mmap, sys
held = []
for line in sys.stdin:
    wanted = int(line) >> 22
    while len(held) > wanted:
        held.pop().close()
    while len(held) < wanted:
        block = mmap.mmap(-1, 1 << 22, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        block.write(b"x" * (1 << 22))
        held.append(block)
    print(len(held), flush=True)
"""


def usual_model() -> Path:
    """The default model's file, where it would be."""
    directory = models_directory(ModelSettings(), data_directory())
    return locate(KNOWN_MODELS[DEFAULT_MODEL], directory) or directory / DEFAULT_MODEL


def live(model: Path, limit_bytes: int) -> list[Moment]:
    """What happened. Raises NoGroupError where no group can be made."""
    with limited_group(limit_bytes) as group:
        line = [sys.executable, "-P", "-m", "benchmarks.governing_live", str(model), str(group.directory)]
        process = group.start([*line, str(group.version)], os.environ | {"PYTHONPATH": str(ROOT)})
        assert process.stdout is not None
        moments = [Moment(**json.loads(said)) for said in process.stdout]
        code = process.wait()
        if code:
            print(f"The process in the group ended with {code} after {len(moments)} moments; its errors are above.")
        print(f"kernel's peak of the group, page cache included: {group.peak_bytes / limit_bytes:.0%} of its limit")
        return moments


@dataclass(slots=True)
class _Load:
    """Documents without end, and a query every second."""

    embedder: LocalEmbedder
    texts: int  # of a call
    over: threading.Event = field(default_factory=threading.Event)
    answered: int = 0
    refused: int = 0
    reasons: set[str] = field(default_factory=set)

    def begin(self) -> None:
        for work in (self._queries, *[self._documents] * ASKERS):
            threading.Thread(target=work, daemon=True).start()

    def _documents(self) -> None:
        for call in count():
            if self.over.is_set():
                return
            try:
                self.embedder.embed_documents([f"# {call} {number}\n{TEXT}" for number in range(self.texts)])
            except EmbeddingError as error:
                self.reasons.add(str(error))
                self.over.wait(1.0)

    def _queries(self) -> None:
        for call in count():
            try:
                self.embedder.embed_query(f"where is the sum of {call} made", timeout_s=60.0)
                self.answered += 1
            except MemoryShortError:
                self.refused += 1
            except EmbeddingError as error:
                self.reasons.add(str(error))
            if self.over.wait(1.0):
                return


class _Neighbour:
    """Another process, whose private memory follows the schedule as fast as it can touch it."""

    def __init__(self, limit_bytes: int) -> None:
        self.held = 0
        self._limit_bytes = limit_bytes
        self._process = subprocess.Popen(
            [sys.executable, "-c", NEIGHBOUR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        began = time.monotonic()
        while not self._over.wait(EVERY_S / 2):
            self._process.stdin.write(f"{neighbours_at(time.monotonic() - began, self._limit_bytes)}\n")
            self._process.stdin.flush()
            self.held = int(self._process.stdout.readline()) << 22

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._process.communicate()


def main() -> None:
    """In the group: run all of it and write a moment a line."""
    model, group = Path(sys.argv[1]), LimitedGroup(Path(sys.argv[2]), int(sys.argv[3]))
    settings = ModelSettings(processes=CHILDREN)
    memory = MemorySettings(budget="100%")
    with (  # memory is what is looked at
        mock.patch("embedding.pressure.allowed_cores", return_value=CHILDREN),
        mock.patch("embedding.pressure.Busyness.others", return_value=0.0),
    ):
        embedder = LocalEmbedder(spec_for(str(model)), model, settings, memory)
        texts = 1 if model.stat().st_size > LARGE_BYTES else TEXTS
        load, neighbour = _Load(embedder, texts), _Neighbour(Gauge().read([]).limit_bytes)
        try:
            load.begin()
            _watch(load, neighbour, group)
        finally:
            load.over.set()
            embedder.close()
            neighbour.close()
    for reason in load.reasons:
        print(reason, file=sys.stderr)


def _watch(load: _Load, neighbour: _Neighbour, group: LimitedGroup) -> None:
    gauge, began = Gauge(), time.monotonic()
    while (at_s := time.monotonic() - began) <= LENGTH_S:
        print(json.dumps(asdict(_moment(at_s, neighbour.held, load, gauge, group))), flush=True)
        time.sleep(max(0.0, EVERY_S - (time.monotonic() - began - at_s)))


def _moment(at_s: float, neighbours: int, load: _Load, gauge: Gauge, group: LimitedGroup) -> Moment:
    state = load.embedder.state()
    assert state is not None
    children = _children()
    reading = gauge.read([os.getpid(), *children])
    return Moment(
        at_s=round(at_s, 1),
        level=state.level,
        allowed=state.children_allowed,
        running=sum(nice > os.nice(0) for nice in children.values()),
        loaded=bool(children),
        unload=state.level == "critical" and not children,
        neighbours=neighbours,
        own=reading.own_bytes,
        used=reading.used_bytes,
        limit=reading.limit_bytes,
        limit_hits=group.limit_hits,
        texts=state.documents,
        queries=load.answered,
        failed_queries=load.refused,
        why=state.why,
    )


def _children() -> dict[int, int]:
    """Processes of the model, with how far each steps back: those for documents do."""
    found = {}
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if "embedding.worker" in child.cmdline():
                found[child.pid] = int(child.nice())
    return found


if __name__ == "__main__":
    main()
