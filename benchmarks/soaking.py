"""What a soak is made of: a user of its own, files that change, and editors on Node that are at work meanwhile."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import IO, Any

from benchmarks.census import MARK, Found, members, new_mark
from benchmarks.serving import ECHO, environment, function, plant
from tests.e2e.node_clients import SOURCES, Node

FLAVOURS = ("v1", "v2-auto")  # SDK 1 with the old protocol, SDK 2 with the new one
DEADLINE_S = 120.0  # no request of these takes longer on any machine: one without a word by then is lost
PAUSE_MS = 150.0  # between two requests of one lane, on average
LANES = 2
PATIENCE_S = 300.0
OUTCOMES = ("answered", "refused", "failed", "lost")

Line = dict[str, Any]


@dataclass
class Place:
    """One user on a scratch directory; every process of theirs carries the mark. The path should be short."""

    scratch: Path
    root: Path
    model: str = ""  # the default one
    settings: Mapping[str, str] = field(default_factory=dict)
    mark: str = field(default_factory=new_mark)

    @property
    def home(self) -> Path:
        return self.scratch / "home"

    @property
    def temporary(self) -> Path:
        return self.scratch / "tmp"

    @property
    def environment(self) -> dict[str, str]:
        """Nothing outside the scratch directory is written, and nothing but models is read."""
        runtime = self.home / "run"
        for directory in (runtime, self.temporary):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        own = {"XDG_RUNTIME_DIR": str(runtime), "TMPDIR": str(self.temporary), MARK: self.mark}
        named = {"CODELOUPE_MODEL_NAME": self.model} if self.model else {}
        return environment(self.home) | own | named | dict(self.settings)

    @property
    def line(self) -> list[str]:
        """The command line of a server."""
        return [sys.executable, "-P", "-m", "mcp_server.cli", "serve", "--root", str(self.root)]

    def members(self) -> list[Found]:
        """Every process of this user."""
        return members(self.mark)

    def files(self) -> set[str]:
        """What lies about of this user, without indexes, whose number of files is LanceDB's affair."""
        places = (self.home, self.temporary)
        found = (path for place in places for path in place.rglob("*") if "indexes" not in path.parts)
        return {str(path.relative_to(self.scratch)) for path in found if not path.is_dir()}

    def left(self, patience_s: float) -> list[Found]:
        """Who is still there after at most so long."""
        end = time.monotonic() + patience_s
        while (found := self.members()) and time.monotonic() < end:
            time.sleep(0.1)
        return found


class Editor:
    """Rewrites files with functions nobody has seen; they stay as many and as large."""

    def __init__(self, root: Path, files: int, functions: int, seed: int) -> None:
        self._functions, self._next = functions, files * functions
        self._random = Random(seed)
        self._root = plant(root, files, functions)
        self.paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))

    def edit(self, files: int) -> None:
        """Change so many files."""
        for path in self._random.sample(self.paths, min(files, len(self.paths))):
            numbers = range(self._next, self._next + self._functions)
            self._next += self._functions
            (self._root / path).write_text("\n\n".join(map(function, numbers)), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Tally:
    """How requests of a client ended, up to one moment."""

    sent: int
    ends: Counter[str]  # of OUTCOMES

    @property
    def errors(self) -> int:
        return self.ends["refused"] + self.ends["failed"]

    @property
    def open(self) -> int:
        """Not ended yet."""
        return self.sent - self.ends.total()

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.sent + other.sent, self.ends + other.ends)

    def since(self, before: Tally) -> Tally:
        """What came after."""
        return Tally(self.sent - before.sent, self.ends - before.ends)


NOTHING = Tally(0, Counter())


class NodeClient:
    """One editor: tests/e2e/node/soak.mjs in a process, and what it says every second."""

    def __init__(self, node: Node, place: Place, flavour: str, seed: int, files: list[str]) -> None:
        self.flavour = flavour
        self.lines: list[tuple[float, Line]] = []
        given = place.environment
        command, *arguments = place.line
        home = str(place.home)
        asked = {
            "flavour": flavour,
            "server": {"command": command, "args": arguments, "env": given, "cwd": home},
            "echo": {"command": ECHO[0], "args": ECHO[1:], "env": given, "cwd": home},
            "lanes": LANES,
            "pause_ms": PAUSE_MS,
            "deadline_ms": 1000 * DEADLINE_S,
            "seed": seed,
            "files": files[:50],
        }
        self._log = (place.scratch / f"node-{flavour}-{seed}.log").open("w", encoding="utf-8")
        self._process = subprocess.Popen(
            [str(node.executable), "--expose-gc", str(SOURCES / "soak.mjs"), json.dumps(asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=os.environ | {"HARNESS_MODULES": str(node.directory), MARK: place.mark},
            text=True,
            encoding="utf-8",
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    @property
    def last(self) -> Line:
        """What it said last; empty before that."""
        return self.lines[-1][1] if self.lines else {}

    @property
    def server(self) -> int:
        """Its server's process id, 0 while it has none."""
        return int(self.last.get("pid", 0))

    def tally(self) -> Tally:
        """How its requests ended, as it said last."""
        ends = Counter(dict.fromkeys(OUTCOMES, 0))
        for counts in self.last.get("outcomes", {}).values():
            ends.update(counts)
        connects = Counter(self.last.get("outcomes", {}).get("connect", {}))  # no request
        pings = Counter(self.last.get("outcomes", {}).get("ping", {}))  # counted as sent by nobody
        return Tally(int(self.last.get("sent", 0)) + pings.total(), ends - connects)

    def close(self) -> None:
        """Let it finish what it has asked, and end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(DEADLINE_S + PATIENCE_S)
        finally:
            self._process.kill()
            self._reader.join(PATIENCE_S)
            self._log.close()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.lines.append((time.monotonic(), json.loads(line)))


@contextmanager
def clients(
    node: Node, place: Place, files: list[str], flavours: tuple[str, ...] = FLAVOURS
) -> Iterator[list[NodeClient]]:
    """Editors at work until the end of the block, where each has had an answer by its beginning."""
    with ExitStack() as stack:
        started = [NodeClient(node, place, flavour, seed, files) for seed, flavour in enumerate(flavours)]
        for client in started:
            stack.callback(client.close)
        end = time.monotonic() + PATIENCE_S
        while not all(client.tally().ends["answered"] for client in started):
            assert time.monotonic() < end, "an editor got no answer"
            time.sleep(0.1)
        yield started


def together(some: list[NodeClient]) -> Tally:
    """All their requests."""
    return sum((client.tally() for client in some), start=NOTHING)


def sentences(some: list[NodeClient]) -> Counter[str]:
    """What was refused or failed, in words, digits aside."""
    said = Counter[str]()
    for client in some:
        said.update(client.last.get("sentences", {}))
    return said
