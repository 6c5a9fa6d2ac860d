"""What it costs to read lines by address, and to complete a path while it is typed.

    python -m benchmarks.resources [FILES] [--root DIR]

Reading: Python files of ``--root`` (this repository without it), by processor, git's included. Completing: FILES
invented paths (60,000) in a real index on disk, typed in ways that find much, little and nothing; processor for each,
and the longest that the event loop of a server would have waited meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from indexer.settings import IndexSettings
from indexer.source import SourceFile
from indexer.walker import walk
from mcp_server.offers.code_uri import CodeUri
from mcp_server.offers.path_list import PathList, fitting
from mcp_server.offers.source_lines import read_lines
from storage.backends import open_store
from storage.chunk import FileRecord, FileRows
from storage.fingerprint import Fingerprint
from storage.settings import StorageSettings

FILES = 60_000
READS = 20
BATCH = 10_000
TYPED = ("", "a", "store", "core/", "net/server", "walkpars", "zzzz", "q" * 30)
WORDS = ("core", "net", "store", "index", "engine", "server", "client", "walker", "parser", "token", "chunk", "vector",
         "query", "cache", "lock", "table", "model", "service", "memory", "rank", "path", "file", "line", "tree",
         "event", "loop", "http", "auth", "user", "admin", "report", "billing", "invoice", "order", "cart")  # fmt: skip
ENDINGS = (".py", ".ts", ".go", ".rs", ".java")
TICK_S = 0.001


def processor_s() -> float:
    """Of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def cost_ms(work: Callable[[], object]) -> float:
    began = processor_s()
    work()
    return 1000 * (processor_s() - began)


def invented(count: int) -> list[str]:
    """So many paths, one to six directories deep."""
    chance = random.Random(3)
    paths: set[str] = set()
    while len(paths) < count:
        depth = chance.choices(range(1, 7), [1, 6, 20, 35, 25, 13])[0]
        names = [
            chance.choice(WORDS) + chance.choice(["", "s", "_impl", str(chance.randint(1, 40))]) for _ in range(depth)
        ]
        name = f"{chance.choice(WORDS)}_{chance.choice(WORDS)}{chance.randint(1, 99)}{chance.choice(ENDINGS)}"
        paths.add("/".join([*names, name]))
    return sorted(paths)


def listed(directory: Path, paths: list[str]) -> PathList:
    """A list over an index that knows these files."""
    store = open_store(StorageSettings(), directory)
    store.reset(Fingerprint("benchmark", "benchmark"))
    for start in range(0, len(paths), BATCH):
        records = [FileRecord(path, 1000, 1, "f" * 32, "python", 1) for path in paths[start : start + BATCH]]
        store.replace_files([FileRows(record, ()) for record in records])

    def read() -> Iterator[tuple[str, str]]:
        return ((path, record.language) for path, record in store.files().items())

    return PathList(read)


async def longest_wait_ms(work: Callable[[], object]) -> float:
    """How long an event loop could not turn while a thread did ``work``."""
    worst, done = 0.0, False

    async def tick() -> None:
        nonlocal worst
        while not done:
            began = time.perf_counter()
            await asyncio.sleep(TICK_S)
            worst = max(worst, time.perf_counter() - began - TICK_S)

    ticking = asyncio.create_task(tick())
    await asyncio.to_thread(work)
    done = True
    await ticking
    return 1000 * worst


def reading(root: Path) -> None:
    settings = IndexSettings()
    files = [found.path for found in walk(root, settings) if isinstance(found, SourceFile)]
    ours = [path for path in files if path.endswith(".py")]
    some = random.Random(3).sample(ours, min(READS, len(ours)))
    spent = cost_ms(lambda: [read_lines(CodeUri(path, 1, 1), [root], settings) for path in some])
    print(f"a read among {len(files):,} files: {spent / len(some):.1f} ms of processor")


def completing(count: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        paths = listed(Path(directory), invented(count))
        print(f"the list of {count:,} is made in {cost_ms(paths.current):.0f} ms of processor", end=", ")
        blocks = paths.current().blocks
        print(f"kept in {sum(map(len, blocks)) / 1e6:.1f} MB")
        for typed in TYPED:
            found = fitting(blocks, typed, 100)
            spent = cost_ms(lambda typed=typed: fitting(blocks, typed, 100))  # type: ignore[misc]
            print(f"  {typed[:12]!r:14} {len(found.values):4} of {found.total:7,}  {spent:6.1f} ms of processor")
        waits = [asyncio.run(longest_wait_ms(lambda one=one: fitting(blocks, one, 100))) for one in TYPED]  # type: ignore[misc]
        paths.forget()
        making = asyncio.run(longest_wait_ms(paths.current))
        print(f"the event loop waits {max(waits):.1f} ms at most, {making:.1f} for the list")


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("files", nargs="?", type=int, default=FILES)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    chosen = parser.parse_args()
    print(f"{psutil.cpu_count()} cores, load {psutil.getloadavg()[0]:.1f}")
    reading(chosen.root.resolve())
    completing(chosen.files)


if __name__ == "__main__":
    main()
