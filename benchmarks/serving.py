"""What a client feels: start-up, first answer, warm queries, stalls and memory, over real stdio with the real model.

    python -m benchmarks.serving [CHUNKS]

Every figure stands beside its limit and beside a bare server of the same SDK that only echoes: what the protocol costs
by itself, measured in the same run. The cost of a query without its embedding is that of the search less that of
embedding the same words and one more alone, asked next to each other, and so contains no protocol: the echo's cost is
added again.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
import psutil

PATIENCE_S = 900.0  # embedding 10,000 chunks on a loaded laptop ends within it
PING_EVERY_S = 0.02
STARTS = 10
FRESH_FILES, FRESH_STARTS = 300, 3
CHUNKS, QUERIES = 10_000, 200
MIB = 2**20

SERVER = [sys.executable, "-P", "-m", "mcp_server.cli", "serve", "--root"]
ECHO = [
    sys.executable,
    "-P",
    "-c",
    """
from mcp.server import MCPServer

server = MCPServer("echo")

@server.tool(structured_output=False)
async def echo(query: str) -> str:
    return query

server.run("stdio")
""",
]
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "1"}}


class Peer:
    """A server process and a client on its pipes that notes when each answer came."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.began = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=environment["HOME"],
        )
        self._ids = itertools.count(1)
        self._sending = threading.Lock()
        self._waiting: dict[int, queue.SimpleQueue[tuple[float, dict[str, Any]]]] = {}
        threading.Thread(target=self._read, daemon=True).start()
        self.ask("initialize", HELLO)
        self.ready_s = time.perf_counter() - self.began
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def ask(self, method: str, params: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        """Send a request and wait for its answer; the seconds it took, and its result."""
        number = next(self._ids)
        answer = self._waiting[number] = queue.SimpleQueue()
        began = time.perf_counter()
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        arrived, message = answer.get(timeout=PATIENCE_S)
        assert "result" in message, message
        return arrived - began, message["result"]

    def call(self, tool: str, **arguments: Any) -> tuple[float, dict[str, Any]]:
        """Call a tool that must succeed; the seconds it took, and its result."""
        took, result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        assert not result.get("isError"), result
        return took, result

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def memory(self) -> dict[str, float]:
        """Resident MiB of the server, and of its children by what they run."""
        server = psutil.Process(self._process.pid)
        sizes = {"server": server.memory_info().rss / MIB}
        for child in server.children(recursive=True):
            name = next((part for part in child.cmdline() if part.startswith(("mcp_server.", "embedding."))), "other")
            sizes[name] = sizes.get(name, 0.0) + child.memory_info().rss / MIB
        return sizes

    def close(self) -> None:
        """End of input; the server ends itself."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(PATIENCE_S)

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with self._sending:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            arrived = time.perf_counter()
            message = json.loads(line)
            if "id" in message:
                self._waiting.pop(message["id"]).put((arrived, message))


@dataclass
class Table:
    """Prints the report, and knows whether every limit was kept."""

    kept: bool = True

    def add(self, what: str, value: float, unit: str, limit: float | None = None, floor: float | None = None) -> None:
        """Print one figure beside its limit and the echo server's."""
        self.kept = self.kept and (limit is None or value <= limit)
        beside = [f"limit {limit:g}" if limit is not None else "", f"echo {floor:.1f}" if floor is not None else ""]
        late = "  OVER" if limit is not None and value > limit else ""
        print(f"{what:58} {value:9.1f} {unit:4} {beside[0]:12} {beside[1]:12}{late}", flush=True)


@contextmanager
def served(command: list[str], environment: dict[str, str]) -> Iterator[Peer]:
    """A peer until the end of the block."""
    peer = Peer(command, environment)
    try:
        yield peer
    finally:
        peer.close()


def environment(home: Path) -> dict[str, str]:
    """A user who has the model and nothing else."""
    home.mkdir(parents=True, exist_ok=True)
    own = {name: str(home / name.lower()) for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
    models = Path(platformdirs.user_data_dir("codeloupe", appauthor=False)) / "models"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("CODELOUPE_")}
    storage = {"CODELOUPE_STORAGE_DIRECTORY": str(home / "indexes"), "CODELOUPE_MODEL_DIRECTORY": str(models)}
    return inherited | own | storage | {"HOME": str(home)}


VERBS = ("load", "store", "merge", "split", "parse", "render", "check", "sort", "send", "drop", "count", "join")
NOUNS = (
    "order",
    "invoice",
    "vessel",
    "token",
    "packet",
    "matrix",
    "session",
    "label",
    "sample",
    "route",
    "key",
    "page",
)
PLACES = ("disk", "queue", "socket", "cache", "table", "window", "buffer", "archive", "stream", "tree", "ring", "pool")


def phrase(number: int) -> tuple[str, str, str]:
    """A verb, a noun and a place; all different for the first 1,728 numbers."""
    return VERBS[number % 12], NOUNS[number // 12 % 12], PLACES[number // 144 % 12]


def plant(root: Path, files: int, functions: int) -> Path:
    """So many modules of so many functions, each a chunk of its own."""
    for index in range(files):
        path = root / f"package{index % 25}" / f"module_{index}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n\n".join(function(index * functions + step) for step in range(functions)), encoding="utf-8")
    return root


def function(number: int) -> str:
    """Eight lines of which no two functions share all words."""
    verb, noun, place = phrase(number)
    return f'''\
def {verb}_{noun}_{number}(items, {place}, limit={number % 97}):
    """{verb.title()} each {noun} of the {place}, at most {number} at once."""
    done = []
    for item in items[:limit]:
        if {place}.accepts(item, {number}):
            done.append({place}.{verb}(item))
    {place}.finish("{noun}", len(done))
    return done
'''


def milliseconds(times: list[float]) -> tuple[float, float]:
    """p50 and p95."""
    ordered = sorted(times)
    return 1000 * statistics.median(ordered), 1000 * ordered[int(0.95 * (len(ordered) - 1))]


def longest_stalls(peers: list[Peer], work: Callable[[], None]) -> list[float]:
    """The longest time each peer left a ping unanswered, in ms, while ``work`` ran; asked every 20 ms."""
    over = threading.Event()
    longest = [0.0] * len(peers)

    def watch(index: int) -> None:
        while not over.wait(PING_EVERY_S):
            longest[index] = max(longest[index], peers[index].ask("ping", {})[0])

    watchers = [threading.Thread(target=watch, args=(index,)) for index in range(len(peers))]
    for watcher in watchers:
        watcher.start()
    try:
        work()
    finally:
        over.set()
        for watcher in watchers:
            watcher.join(PATIENCE_S)
    return [1000 * one for one in longest]


def starting(scratch: Path, table: Table) -> None:
    """Spawn to the answer of initialize."""
    root = plant(scratch / "start", 5, 2)
    ours, floor = [], []
    for _ in range(STARTS):
        with served([*SERVER, str(root)], environment(scratch / "home")) as peer:
            ours.append(peer.ready_s)
        with served(ECHO, environment(scratch / "home")) as peer:
            floor.append(peer.ready_s)
    table.add("spawn to initialize, median", milliseconds(ours)[0], "ms", 600, milliseconds(floor)[0])


def first_answer(scratch: Path, table: Table) -> None:
    """A search as the first thing that ever happens to a repository, and pings meanwhile until its index is whole."""
    root = plant(scratch / "fresh", FRESH_FILES, 8)
    waited, total, stalls, noise = [], [], [], []
    for number in range(FRESH_STARTS):
        user = environment(scratch / f"fresh-home-{number}")
        with served(ECHO, user) as echo, served([*SERVER, str(root)], user) as peer:

            def work(peer: Peer = peer) -> None:
                took, result = peer.call("search", query="load_order_1728", format="json")
                waited.append(took)
                total.append(time.perf_counter() - peer.began)
                assert result["structuredContent"]["hits"], "the first answer is empty"
                peer.call("search", query="put every invoice into the archive")
                peer.call("index", wait=True)

            ours, floor = longest_stalls([peer, echo], work)
            stalls.append(ours)
            noise.append(floor)
    table.add(f"first answer, fresh repository of {FRESH_FILES} files, median", milliseconds(waited)[0], "ms", 5000)
    table.add("the same from spawn, median", milliseconds(total)[0], "ms")
    table.add(f"longest stall while it indexes and loads, worst of {FRESH_STARTS}", max(stalls), "ms", 50, max(noise))


def warm(scratch: Path, table: Table, chunks: int) -> None:
    """Queries against a complete index."""
    root = plant(scratch / "large", chunks // 10, 10)
    user = environment(scratch / "large-home")
    queries = [" ".join(phrase(number * 37)) + f" number {number}" for number in range(QUERIES)]
    with served(ECHO, user) as echo, served([*SERVER, str(root)], user) as peer:
        took, result = peer.call("index", wait=True)
        print(f"{result['content'][0]['text']}  ({took:.0f} s)")
        for query in ("load an order", "parse the token", "sort samples"):
            peer.call("search", query=query)
            echo.call("echo", query=query)
        embedded, alone = [], []
        for query in queries:
            embedded.append(peer.call("search", query=query)[0])
            unlike = f"{query} again"  # the embedding service remembers the very words for a while
            alone.append(peer.call("embed", texts=[unlike], kind="query", cache=False)[0])
        text = [peer.call("search", query=query, mode="text")[0] for query in queries]
        echoed = [echo.call("echo", query=query)[0] for query in queries]
        memory, echo_memory = peer.memory(), echo.memory()["server"]
    floor = milliseconds(echoed)
    without = [whole - one + least for whole, one, least in zip(embedded, alone, echoed, strict=True)]
    at = f"warm query at {chunks:,} chunks"
    for name, times, limits in (
        ("its embedding included", embedded, (None, None)),
        ("its embedding not counted", without, (10, 25)),
        ("words alone", text, (None, None)),
    ):
        for point, value, limit, least in zip(("p50", "p95"), milliseconds(times), limits, floor, strict=True):
            table.add(f"{at}, {name}, {point}", value, "ms", limit, least)
    table.add("resident memory of the server", memory.pop("server"), "MiB", 300, echo_memory)
    for name, size in sorted(memory.items()):
        table.add(f"resident memory of its {name}", size, "MiB")


def main() -> int:
    chunks = int(sys.argv[1]) if len(sys.argv) > 1 else CHUNKS
    table = Table()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        scratch = Path(directory)
        starting(scratch, table)
        first_answer(scratch, table)
        warm(scratch, table, chunks)
    return 0 if table.kept else 1


if __name__ == "__main__":
    sys.exit(main())
