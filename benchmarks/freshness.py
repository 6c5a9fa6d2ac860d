"""How soon an answer knows what was saved, through the real server; and what it costs where nothing was.

    python -m benchmarks.freshness [--files 5000] [--saves 30] [--at-once 10000]

Without a model: what is measured is text. Every figure stands beside its limit. A save is a file with a new function in
it; it is searchable when an answer has that function. An answer that calls itself current and lacks it is a lie.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import walking
from benchmarks.serving import PATIENCE_S, SERVER, Peer, Table, environment, milliseconds, served
from mcp_server.engine import Engine
from mcp_server.home import index_directory
from mcp_server.settings import Settings, load
from storage.backends import open_store
from storage.store import ChunkStore, Pattern

ROUNDS = 15
REST_S = 0.3  # between two saves
LOOK_S = 0.005
LIMIT_LOOK_MS, LIMIT_SAVE_MS, LIMIT_UNASKED_MS = 110.0, 300.0, 1000.0


def plant(root: Path, files: int) -> Path:
    """So many modules of one function, in a repository with ignore files and build directories."""
    (root / ".gitignore").parent.mkdir(parents=True)
    (root / ".gitignore").write_text(walking.IGNORE, encoding="utf-8")
    for number in range(files):
        write(root, number, f"function_{number}")
        if number % 20 == 0:
            build = place(root, number).parent / "build"
            build.mkdir(exist_ok=True)
            (build / f"{number}.o").touch()
    subprocess.run(["git", "init", "-q", "--template="], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)
    return root


def place(root: Path, number: int) -> Path:
    return root / f"package{number % 20}" / f"module_{number % 400}" / f"source_{number}.py"


def write(root: Path, number: int, function: str) -> None:
    path = place(root, number)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"def {function}(items):\n    return sorted(items, key={number})\n", encoding="utf-8")


def looking(root: Path, settings: Settings, table: Table, files: int) -> None:
    """What a look costs a running server, in its process: all of it, one path, and none."""
    with engine(root, settings) as own:
        watch = own.roots[root].watch
        for what, look, limit in (
            (f"nothing changed, all {files:,} files looked at", lambda: watch.look(None), LIMIT_LOOK_MS),
            ("one path looked at", lambda: watch.look(frozenset({"package1/module_1/source_1.py"})), None),
            ("nothing was heard", lambda: watch.latest(0.15), None),
        ):
            times, cpu = zip(*(timed(look) for _ in range(ROUNDS)), strict=True)
            table.add(f"{what}, median", 1000 * statistics.median(times), "ms", limit)
            table.add(f"{what}, processor", 1000 * statistics.median(cpu), "ms")


def timed(action: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - wall, time.process_time() - cpu


@contextmanager
def engine(root: Path, settings: Settings) -> Iterator[Engine]:
    """An engine that listens to ``root``, whose index is current."""
    own = Engine([root], settings, listening=True)
    try:
        job = own.start_index(str(root))
        view = job.view()
        while not view.resting:
            view = job.wait_for_change(view, PATIENCE_S)
        index = own.roots[root]
        until(lambda: index.watch.listening and not index.watch.pending(), "it listens")
        until(lambda: index.freshness().state == "current", "the index is current")
        yield own
    finally:
        own.close()


def until(holds: Callable[[], object], what: str) -> float:
    """The seconds until it holds."""
    began = time.perf_counter()
    while not holds():
        assert time.perf_counter() - began < PATIENCE_S, f"waited in vain until {what}"
        time.sleep(LOOK_S)
    return time.perf_counter() - began


def saving(root: Path, peer: Peer, table: Table, saves: int) -> None:
    """Saves that are asked for at once."""
    times, asked, lies = [], 0, 0
    for number in range(saves):
        name = f"saved_{number}_and_asked"
        time.sleep(REST_S)
        write(root, 37 * number, name)
        began = time.perf_counter()
        found = False
        while not found:
            answer = peer.call("search", query=name, mode="exact", format="json")[1]["structuredContent"]
            found, asked = bool(answer["hits"]), asked + 1
            if not found and answer["freshness"]["state"] == "current":
                lies += 1
                print(f"  {name}: {answer['freshness']}, watching {watching(peer)}")
        times.append(time.perf_counter() - began)
    p50, p95 = milliseconds(times)
    table.add(f"a save and a search at once, until found, p50 of {saves}", p50, "ms", LIMIT_SAVE_MS)
    table.add("the same, p95", p95, "ms")
    table.add("searches that it took, on average", asked / saves, "")
    table.add("answers that called themselves current without it", lies, "", 0)


def watching(peer: Peer) -> str:
    """What the server says of its listening."""
    said: str = peer.call("status", format="json")[1]["structuredContent"]["roots"][0]["watching"]
    return said


def unasked(root: Path, store: ChunkStore, table: Table, saves: int) -> None:
    """Saves that nobody asks for: until the index has them, by another process that reads it."""
    times = []
    for number in range(saves):
        name = f"saved_{number}_unasked"
        time.sleep(REST_S)
        write(root, 41 * number, name)
        times.append(until(lambda name=name: has(store, name), f"{name} is in the index"))  # type: ignore[misc]
    p50, p95 = milliseconds(times)
    table.add(f"a save nobody asks for, until it is in the index, p50 of {saves}", p50, "ms", LIMIT_UNASKED_MS)
    table.add("the same, p95", p95, "ms", LIMIT_UNASKED_MS)


def has(store: ChunkStore, name: str) -> bool:
    from storage.chunk import Filters

    return bool(store.find_matches(Pattern(name, is_regex=False), 1, Filters()).found)


def quiet(peer: Peer, table: Table) -> None:
    """Searches where nothing changed: what listening costs them."""
    times = [peer.call("search", query=f"function_{number}", mode="text")[0] for number in range(100)]
    p50, p95 = milliseconds(times[20:])
    table.add("a search where nothing changed, p50", p50, "ms")
    table.add("the same, p95", p95, "ms")


def at_once(root: Path, settings: Settings, table: Table, files: int) -> None:
    """All files rewritten one after the other, as a formatter does."""
    with engine(root, settings) as own:
        index = own.roots[root]
        runs = index.refresh().view().runs
        until(lambda: index.freshness().state == "current", "it rests")
        job = index.refresh_or_current()
        runs = job.view().runs
        began = time.perf_counter()
        for number in range(files):
            write(root, number, f"formatted_{number}")
        wrote = time.perf_counter() - began
        took = until(lambda: has(index.open(), f"formatted_{files - 1}("), "the last is searchable")
        until(lambda: index.freshness().state == "current", "all is current")
        table.add(f"{files:,} files rewritten, in", wrote, "s")
        table.add("the last one searchable after", took, "s")
        table.add("current after", time.perf_counter() - began - wrote, "s")
        table.add("refreshes that it took", job.view().runs - runs, "", 1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--saves", type=int, default=30)
    parser.add_argument("--at-once", type=int, default=10_000)
    asked = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        scratch = Path(directory)
        user = environment(scratch / "home") | {"CODELOUPE_MODEL_NAME": "none"}
        settings = load(None, [], user).settings
        root = plant((scratch / "tree").resolve(), asked.files)
        with served([*SERVER, str(root)], user) as peer:
            print(peer.call("index", wait=True)[1]["content"][0]["text"])
            until(lambda: watching(peer).endswith("directories"), "the server listens")
            quiet(peer, table)
            saving(root, peer, table, asked.saves)
            store = open_store(settings.storage, index_directory(settings, root))
            unasked(root, store, table, asked.saves)
            store.close()
        looking(root, settings, table, asked.files)
        many = plant((scratch / "many").resolve(), asked.at_once)
        at_once(many, settings, table, asked.at_once)
    return 0 if table.kept else 1


if __name__ == "__main__":
    sys.exit(main())
