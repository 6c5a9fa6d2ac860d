"""What the index costs: writing, searching, saving one file, importing; each beside its limit, in one run.

    python -m benchmarks.storage [--chunks 10000 100000] [--queries 100] [--index ivf_rq]

Chunks are the standard library's sources, cut every 14 lines, taken again under other paths until there are enough.
Vectors are random around a thousand centres: their time is a model's, their recall is not (benchmarks/ann.py).
Limits: a matrix product in memory for vectors; a scan of strings in memory for text and patterns.
"""

from __future__ import annotations

import argparse
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from storage.ann import Choice
from storage.chunk import Chunk, FileRecord, FileRows, Filters, chunk_id, content_hash
from storage.fingerprint import Fingerprint
from storage.lance import preload
from storage.lance_store import LanceStore
from storage.ranking.terms import query_terms
from storage.schema import SCHEMA
from storage.search import Query, search
from storage.store import Pattern

DIM, LINES, BATCH = 384, 14, 1000
ANY = Filters()
WORDS = ("parse config line", "thread pool executor", "how are sockets closed", "read_until", "HTTPServer handler")
Floats = NDArray[np.float32]


def sources(chunks: int) -> Iterator[FileRows]:
    """Files with at least ``chunks`` chunks in all."""
    root = Path(sysconfig.get_path("stdlib"))
    paths = [path for path in sorted(root.rglob("*.py")) if "site-packages" not in path.parts]
    count, again = 0, 0
    while count < chunks:
        for path in paths:
            rows = _rows(f"r{again}/{path.relative_to(root).as_posix()}", path.read_text("utf-8", errors="replace"))
            count += len(rows.chunks)
            yield rows
            if count >= chunks:
                return
        again += 1


def _rows(path: str, text: str) -> FileRows:
    lines, file_hash = text.split("\n"), content_hash(text)
    chunks: list[Chunk] = []
    for at in range(0, len(lines), LINES):
        piece = "\n".join(lines[at : at + LINES])
        end = min(at + LINES, len(lines))
        chunks.append(
            Chunk(
                chunk_id(path, piece, at), path, len(chunks), piece, at + 1, end, 0, len(piece), "python", "block", "",
                (), "", content_hash(piece), file_hash,
            )
        )  # fmt: skip
    return FileRows(FileRecord(path, len(text), 1, file_hash, "python", len(chunks)), tuple(chunks))


def timed(label: str, work: Callable[[], object], times: int = 1, unit: str = "") -> float:
    """Run ``work`` ``times`` times, say what it took, and return the median milliseconds."""
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        took.append((time.perf_counter() - begin) * 1000)
    p50, p95 = np.percentile(took, [50, 95])
    print(f"  {label:44} p50 {p50:9.2f} ms" + (f"  p95 {p95:9.2f} ms" if times > 1 else "") + unit, flush=True)
    return float(p50)


def batches(files: list[FileRows]) -> Iterator[list[FileRows]]:
    """Files in groups of about BATCH chunks."""
    group: list[FileRows] = []
    for rows in files:
        group.append(rows)
        if sum(len(one.chunks) for one in group) >= BATCH:
            yield group
            group = []
    if group:
        yield group


def unit_vectors(rows: int) -> Floats:
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((1000, DIM)).astype(np.float32)
    vectors = centres[rng.integers(0, 1000, rows)] + rng.standard_normal((rows, DIM)).astype(np.float32)
    return cast("Floats", vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def fill(store: LanceStore, files: list[FileRows], vectors: Floats) -> None:
    """Write everything, saying at which rate."""
    chunks = [chunk for rows in files for chunk in rows.chunks]
    store.reset(Fingerprint(SCHEMA, "benchmark", "random", DIM))
    with store.writing():
        took = timed("write all files", lambda: _fill_files(store, files))
        print(f"  {'':44} {len(chunks) / took * 1000:11,.0f} chunks/s")
        took = timed("write all vectors", lambda: _fill_vectors(store, chunks, vectors))
        print(f"  {'':44} {len(chunks) / took * 1000:11,.0f} vectors/s")
        timed("search words before any maintenance", lambda: store.find_text(query_terms("parse config"), 50, ANY), 5)
        timed("maintain: text and vector indexes", store.maintain)
        timed("maintain again: nothing to do", store.maintain)
    print(f"  {store.stats()}")


def _fill_files(store: LanceStore, files: list[FileRows]) -> None:
    for group in batches(files):
        store.replace_files(group)


def _fill_vectors(store: LanceStore, chunks: list[Chunk], vectors: Floats) -> None:
    for start in range(0, len(chunks), BATCH):
        store.add_vectors([chunk.id for chunk in chunks[start : start + BATCH]], vectors[start : start + BATCH])


def ask(store: LanceStore, files: list[FileRows], vectors: Floats, queries: int) -> None:
    """Time every kind of query beside its limit."""
    texts = [chunk.content for rows in files for chunk in rows.chunks]
    turn = iter(range(10**9))

    def words() -> str:
        return WORDS[next(turn) % len(WORDS)]

    def vector() -> Floats:
        return cast("Floats", vectors[next(turn) * 7919 % len(vectors)])

    below = Filters(paths=("r0/asyncio/",))
    timed("words", lambda: store.find_text(query_terms(words()), 50, ANY), queries)
    timed("words below a directory", lambda: store.find_text(query_terms(words()), 50, below), queries)
    timed("  limit: scan of strings in memory", lambda: [t for t in texts if "parse" in t and "config" in t], 5)
    timed("vector", lambda: store.find_near(vector(), 50, ANY), queries)
    timed("vector below a directory", lambda: store.find_near(vector(), 50, below), queries)
    timed("  limit: matrix product in memory", lambda: np.argpartition(-np.vecdot(vectors, vector()), 50)[:50], queries)
    timed("search, hybrid", lambda: search(store, Query(words(), vector())), queries)
    timed("exact, rare", lambda: store.find_matches(Pattern("ThreadPoolExecutor", is_regex=False), 20, ANY), 10)
    timed("exact, common", lambda: store.find_matches(Pattern("self", is_regex=False), 20, ANY), 10)
    timed("  limit: scan of strings in memory", lambda: [t for t in texts if "ThreadPoolExecutor" in t], 10)
    timed(
        "expression with a literal", lambda: store.find_matches(Pattern(r"def \w+_exec\(", is_regex=True), 20, ANY), 5
    )
    timed(
        "expression without",
        lambda: store.find_matches(Pattern(r"\d{4}-\d\d-", is_regex=True, timeout_s=60), 20, ANY),
        1,
    )
    timed("save one file", lambda: store.replace_files([files[next(turn) % len(files)]]), 20)
    timed("files()", store.files, 5)
    timed("check()", store.check)


def importing() -> None:
    """The longest time another thread could not run while the library was imported."""
    gaps, done = [0.0], threading.Event()

    def tick() -> None:
        last = time.perf_counter()
        while not done.wait(0.001):
            now = time.perf_counter()
            gaps.append((now - last) * 1000)
            last = now

    ticking = threading.Thread(target=tick)
    ticking.start()
    already = "lancedb" in sys.modules
    busy = time.thread_time()
    timed("import lancedb, preloaded", preload)
    done.set()
    ticking.join()
    print(
        f"  worst stall of another thread {max(gaps):.0f} ms; {time.thread_time() - busy:.2f} s of processor"
        + (" (was imported already)" if already else "")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--index", default="auto")
    arguments = parser.parse_args()
    importing()
    for chunks in arguments.chunks:
        files = list(sources(chunks))
        vectors = unit_vectors(sum(len(rows.chunks) for rows in files))
        print(f"{len(vectors)} chunks in {len(files)} files")
        with tempfile.TemporaryDirectory() as name:
            store = LanceStore(Path(name) / "index", vector_index=cast("Choice", arguments.index))
            fill(store, files, vectors)
            ask(store, files, vectors, arguments.queries)
            store.close()


if __name__ == "__main__":
    main()
