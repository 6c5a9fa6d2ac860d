"""How indexing and searching grow with a tree: time, memory, disk and answers from 1,000 files to all of a large tree.

    python -m benchmarks.scale --tree DIRECTORY [--sizes 1000,5000,20000,0] [--table PATH | --table none]
                               [--figures docs/scale.json] [--picture docs/pictures/scale.png] [--scratch DIRECTORY]

0 stands for the whole tree. Smaller sizes are whole directories of it, in an order that depends on their names alone,
put together with hard links. Each size is indexed from nothing in a process of its own, at ordinary priority, and
searched in another one. The limits are for a tree of at least 60,000 files on two cores. A tree of that size is the
source package of Linux (Debian: linux-source-6.1); the ignore file at its top, which there hides everything, is left
out. Times of a busy machine are too long: seconds of the processor stand beside those of the clock.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.scale_picture import LIMITS, draw

ROUNDS = 3
QUERIES = (
    "schedule", "tcp_sendmsg", "mutex_lock_interruptible", "kmalloc", "struct inode", "ext4_writepages",
    "netdev_features", "usb_submit_urb", "page_cache_ra_unbounded", "bpf_prog_load", "irq_domain_create",
    "copy_from_user", "devm_clk_get", "parse mount options", "read superblock", "free page table",
    "wait queue wake up", "dma mapping error", "timer interrupt", "probe platform device",
    "firmware loader request", "socket receive buffer", "thermal zone trip", "crypto hash update",
    "battery charge status", "gpu fence signal", "tracepoint register", "regmap read write",
    "i2c transfer timeout", "how is a page written back to disk", "where are signals delivered to a process",
    "what happens when memory runs out", "how does the scheduler pick the next task",
    "which code handles a page fault", "how are network packets dropped",
    "where is the boot command line parsed", "how is a file descriptor closed",
    "when is an inode evicted from the cache", "kernel/sched/core.c:100", "undefined reference to cpu_hotplug",
)  # fmt: skip


def never() -> bool:
    return False


# Trees


def subset(tree: Path, size: int, into: Path) -> tuple[int, int]:
    """Link whole directories until there are ``size`` files, or all for 0; returns how many, and their bytes."""
    inside: dict[str, list[str]] = {}
    for folder, _, names in os.walk(tree):
        here = Path(folder)
        inside[here.relative_to(tree).as_posix()] = [n for n in names if _is_plain(here / n)]
    inside["."] = [name for name in inside["."] if name != ".gitignore"]
    files = total = 0
    for directory in sorted(inside, key=lambda name: hashlib.sha256(name.encode()).digest()):
        if size and files >= size:
            break
        (into / directory).mkdir(parents=True, exist_ok=True)
        for name in inside[directory]:
            _link(tree / directory / name, into / directory / name)
            files, total = files + 1, total + (tree / directory / name).stat().st_size
    return files, total


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _link(source: Path, target: Path) -> None:
    try:
        target.hardlink_to(source)
    except OSError:  # another disk
        shutil.copyfile(source, target)


# What the processes do


class Clock:
    """Seconds by phase, of the clock and of this process and its children."""

    def __init__(self) -> None:
        self.wall: dict[str, float] = {}
        self.cpu: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), _cpu()
        try:
            yield
        finally:
            self.wall[name] = self.wall.get(name, 0.0) + time.perf_counter() - wall
            self.cpu[name] = self.cpu.get(name, 0.0) + _cpu() - cpu

    def around(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any) -> Any:
            with self.phase(name):
                return work(*arguments)

        return timed


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def index(root: Path, directory: Path, table: str) -> dict[str, Any]:
    """Index ``root`` from nothing, and say what each phase took; runs in a process of its own."""
    from indexer.chunker import chunker_fingerprint
    from indexer.cutting import Cutting
    from indexer.pipeline import refresh_text
    from indexer.settings import IndexSettings
    from storage.fingerprint import Fingerprint
    from storage.lance_store import LanceStore
    from storage.schema import SCHEMA

    settings, clock, store, sketches = IndexSettings(), Clock(), LanceStore(directory), _table(table)
    named = (sketches.fingerprint, sketches.dim) if sketches else ("", 0)
    with clock.phase("all"), store.writing():
        store.reset(Fingerprint(SCHEMA, chunker_fingerprint(settings), "", 0, *named))
        first: list[float] = []
        began = time.perf_counter()
        store.replace_files = clock.around("commit", store.replace_files)  # type: ignore[method-assign]
        store.maintain = clock.around("indexes", store.maintain)  # type: ignore[method-assign]

        def heard(progress: Any) -> None:
            if progress.phase == "text":
                first.append(time.perf_counter() - began)

        text = refresh_text(root, store, Cutting(settings, sketches), heard, never)
        store.maintain()
    stats = store.stats()
    return {
        "wall": clock.wall, "cpu": clock.cpu, "first_s": first[0], "files": stats.files, "chunks": text.chunks,
        "sketches": stats.sketches, "disk": stats.disk_bytes, "skipped": dict(text.skipped),
        "read_bytes": sum(record.size for record in store.files().values() if not record.skipped),
    }  # fmt: skip


def _table(name: str) -> Any:
    if name == "none":
        return None
    import platformdirs

    from embedding.open import open_table
    from embedding.settings import ModelSettings

    home = Path(platformdirs.user_data_dir("codeloupe", appauthor=False))
    return open_table(ModelSettings(table=name) if name else ModelSettings(), home)


def ask(root: Path, directory: Path, table: str) -> dict[str, Any]:
    """Search a finished index, and say how long answers take; runs in a process of its own."""
    from indexer.pipeline import drift
    from indexer.settings import IndexSettings
    from storage.chunk import Filters
    from storage.lance_store import LanceStore
    from storage.search import Query, search
    from storage.store import Pattern

    store, sketches = LanceStore(directory), _table(table)

    def one(words: str) -> object:
        sketch = sketches.sketch_query(words).vectors[0] if sketches else None
        return search(store, Query(words, sketch=sketch))

    first = _milliseconds(lambda: one(QUERIES[0]))
    for words in QUERIES:
        one(words)
    took = [_milliseconds(lambda words=words: one(words)) for _ in range(ROUNDS) for words in QUERIES]  # type: ignore[misc]
    legs = {"words": [_milliseconds(lambda w=w: search(store, Query(w))) for w in QUERIES]}  # type: ignore[misc]
    if sketches:
        asked = [sketches.sketch_query(words).vectors[0] for words in QUERIES]
        legs["sketches"] = [_milliseconds(lambda v=v: store.find_sketch(v, 50, Filters())) for v in asked]  # type: ignore[misc]
    pattern = Pattern("mutex_lock_interruptible", is_regex=False)
    known = store.files()
    rest = {
        "exact text": _median(lambda: store.find_matches(pattern, 11, Filters())),
        "stats": _median(store.stats),
        "files": _median(store.files),
        "drift": _median(lambda: drift(root, known, IndexSettings())),
    }
    return {
        "first_ms": first, "p50_ms": _share(took, 0.5), "p95_ms": _share(took, 0.95),
        "legs": {name: (_share(leg, 0.5), _share(leg, 0.95)) for name, leg in legs.items()}, "rest_ms": rest,
    }  # fmt: skip


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _median(work: Callable[[], object]) -> float:
    return _share([_milliseconds(work) for _ in range(3)], 0.5)


def _share(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


# The processes, watched


def watched(what: str, *arguments: str) -> tuple[dict[str, Any], float]:
    """What a child says, and the most memory in MiB that it and its own children had together."""
    command = [sys.executable, "-P", "-m", "benchmarks.scale", what, *arguments]
    root = Path(__file__).resolve().parent.parent
    child = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(root)})
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(psutil.Process(child.pid), peak), daemon=True)
    watcher.start()
    said, _ = child.communicate()
    if child.returncode:
        raise SystemExit(f"the process that should {what} ended with {child.returncode}")
    return json.loads(said), peak[0] / (1 << 20)


def _watch(process: psutil.Process, peak: list[int]) -> None:
    try:
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            peak[0] = max(peak[0], sum(_resident(one) for one in (process, *process.children(recursive=True))))
            time.sleep(0.05)
    except psutil.NoSuchProcess:
        return


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def measure(tree: Path, size: int, table: str, scratch: Path | None) -> dict[str, Any]:
    """One size, from making its tree to asking its index."""
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        root, directory = Path(name, "tree"), Path(name, "index")
        root.mkdir()
        files, total = subset(tree, size, root)
        indexed, index_mib = watched("index", str(root), str(directory), table)
        answers, ask_mib = watched("ask", str(root), str(directory), table)
    return {
        **indexed, **answers, "tree_files": files, "tree_bytes": total, "index_mib": index_mib, "ask_mib": ask_mib,
        "index_s": indexed["wall"]["all"], "disk_ratio": indexed["disk"] / total,
    }  # fmt: skip


def show(row: dict[str, Any]) -> None:
    """One size's figures, those that have a limit beside it."""
    print(
        f"== {row['tree_files']:,} files of {row['tree_bytes'] / 1e6:,.0f} MB; "
        f"indexed {row['read_bytes'] / 1e6:,.0f} MB in "
        f"{row['chunks']:,} chunks, {row['sketches']:,} sketches; skipped {row['skipped']}"
    )
    for name in ("index_s", "index_mib", "disk_ratio", "p95_ms", "ask_mib"):
        kept = "kept" if row[name] <= LIMITS[name] else "MISSED"
        print(f"  {name:12} {row[name]:10,.1f}   limit {LIMITS[name]:8,.0f}  {kept}")
    wall, cpu = row["wall"], row["cpu"]
    cut = {"cut": 2 * wall["all"] - sum(wall.values())}, {"cut": 2 * cpu["all"] - sum(cpu.values())}
    for name in ("commit", "indexes", "cut", "all"):
        print(f"  {name:12} {(wall | cut[0])[name]:10,.1f} s  processor {(cpu | cut[1])[name]:8,.1f} s")
    print(f"  first results after {row['first_s']:.2f} s; disk {row['disk'] / 1e6:,.0f} MB", end=", ")
    print(f"{row['disk'] / row['read_bytes']:.2f} of what was indexed")
    print(f"  a query: first {row['first_ms']:.0f} ms, then p50 {row['p50_ms']:.1f}, p95 {row['p95_ms']:.1f}; ", end="")
    print("; ".join(f"{name} alone {p50:.1f}, {p95:.1f}" for name, (p50, p95) in row["legs"].items()))
    print("  " + "; ".join(f"{name} {value:.1f} ms" for name, value in row["rest_ms"].items()), flush=True)


def main() -> int:
    if sys.argv[1:2] in (["index"], ["ask"]):
        work = index if sys.argv[1] == "index" else ask
        print(json.dumps(work(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])))
        sys.stdout.flush()
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument("--sizes", default="1000,5000,20000,0")
    parser.add_argument("--table", default="", help="a lookup table's path; none for text alone")
    parser.add_argument("--scratch", type=Path, help="a directory on the tree's disk, for trees and indexes")
    parser.add_argument("--figures", type=Path)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    rows = []
    for size in map(int, arguments.sizes.split(",")):
        rows.append(measure(arguments.tree.resolve(), size, arguments.table, arguments.scratch))
        show(rows[-1])
    if arguments.figures:
        arguments.figures.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if arguments.picture:
        draw(rows, arguments.picture)
    largest = rows[-1]
    return int(largest["tree_files"] >= 60_000 and any(largest[name] > limit for name, limit in LIMITS.items()))


if __name__ == "__main__":
    sys.exit(main())
