"""Vector indexes against the exact answer: build time, query time, recall@10, disk.

    python -m benchmarks.ann [--rows 20000] [--kinds ivf_pq,ivf_rq] [--vectors documents.npy [--queries queries.npy]]

``--vectors`` and ``--queries`` take real embeddings, float32 of shape (rows, dim), norm 1. Without them, texts from the
standard library stand in: hashed character n-grams of every few lines, projected to 384 components. They cluster as
code does, though less finely than a model's vectors, so recall is to be believed from real embeddings only.
"""

from __future__ import annotations

import argparse
import os
import sysconfig
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from storage.ann import AnnPlan, AnnQuery, Choice, plan_ann_index, plan_ann_query
from storage.lance import Database, Table
from storage.schema import vector_schema

Floats = NDArray[np.float32]
QUERIES, K, LIMIT = 200, 10, 50


def text_features(rows: int, dim: int = 384) -> Floats:
    """Unit vectors of pieces of the standard library, neighbouring pieces overlapping by half."""
    pieces = list(_pieces(rows))
    counts = np.zeros((len(pieces), 4096), np.float32)
    for row, piece in enumerate(pieces):
        codes = [zlib.crc32(piece[at : at + 5].encode("utf-8", "replace")) for at in range(len(piece) - 4)]
        np.add.at(counts[row], np.array(codes, np.int64) % 4096, 1)
    counts = np.log1p(counts) - np.log1p(counts).mean(axis=0)
    projection = np.random.default_rng(1).standard_normal((4096, dim)).astype(np.float32)
    return unit(counts @ projection)


def _pieces(rows: int) -> list[str]:
    found: list[str] = []
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        lines = path.read_text("utf-8", errors="replace").split("\n")
        found += ["\n".join(lines[at : at + 12]) for at in range(0, len(lines), 6)]
        if len(found) >= rows:
            break
    return found[:rows]


def unit(vectors: Floats) -> Floats:
    """Rows of norm 1; a zero row stays."""
    return cast("Floats", vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12))


def load(path: Path) -> Floats:
    """Embeddings from a file, made unit vectors."""
    return unit(np.load(path).astype(np.float32))


def filled_table(directory: Path, vectors: Floats) -> Table:
    """A table as the store makes it, with only what an index looks at."""
    import pyarrow as pa

    schema = vector_schema(vectors.shape[1])
    table = Database(directory).create("vectors", schema, "id")
    for start in range(0, len(vectors), 2000):
        part = np.ascontiguousarray(vectors[start : start + 2000])
        columns: dict[str, Any] = dict.fromkeys(("file_path", "language", "kind"), [""] * len(part))
        columns["id"] = [str(start + at) for at in range(len(part))]
        columns["embedding"] = pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), part.shape[1])
        columns["checksum"] = np.zeros(len(part), np.uint64)
        table.add(pa.table([pa.array(columns[name], schema.field(name).type) for name in schema.names], schema=schema))
    return table


def measure(table: Table, queries: Floats, worst: list[float], ask: AnnQuery | None) -> tuple[float, float, float]:
    """Milliseconds at the median and at 95 %, and recall@10, of queries for LIMIT rows as a search makes them.

    A row counts as right when it is as near as the true tenth, so that equal texts are not held against anybody.
    """
    took, right = [], 0
    for query, tenth in zip(queries, worst, strict=True):
        begin = time.perf_counter()
        distances = table.near(query, ["id"], "", LIMIT, ask).column("_distance").to_pylist()
        took.append((time.perf_counter() - begin) * 1000)
        right += sum(1 - distance >= tenth - 1e-5 for distance in distances[:K])
    p50, p95 = np.percentile(took, [50, 95])
    return float(p50), float(p95), right / (K * len(worst))


def raw_numpy(vectors: Floats, queries: Floats) -> tuple[list[float], float]:
    """Each query's tenth best similarity, and the median milliseconds with all vectors in memory: the limit."""
    worst, took = [], []
    for query in queries:
        begin = time.perf_counter()
        scores = np.vecdot(vectors, query)
        worst.append(float(np.partition(scores, -K)[-K]))
        took.append((time.perf_counter() - begin) * 1000)
    return worst, float(np.median(took))


def disk_mb(directory: Path) -> float:
    """Size of everything below, in MB."""
    return sum(Path(at, name).stat().st_size for at, _, names in os.walk(directory) for name in names) / 1e6


def report(name: str, table: Table, queries: Floats, worst: list[float], ask: AnnQuery | None) -> None:
    p50, p95, recall = measure(table, queries, worst, ask)
    print(f"{name:34} p50 {p50:7.2f} ms  p95 {p95:7.2f} ms  recall@10 {recall:.4f}", flush=True)


def near_some(vectors: Floats) -> Floats:
    """Queries that resemble some of the rows without being any."""
    rng = np.random.default_rng(0)
    picked = rng.choice(len(vectors), QUERIES, replace=False)
    noise = rng.standard_normal((QUERIES, vectors.shape[1])).astype(np.float32)
    return unit(vectors[picked] + 0.5 * unit(noise))


def run(vectors: Floats, queries: Floats, kinds: list[str]) -> None:
    worst, limit_ms = raw_numpy(vectors, queries)
    print(f"{len(vectors)} x {vectors.shape[1]}; numpy in memory: {limit_ms:.2f} ms")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        table = filled_table(directory, vectors)
        report("exact", table, queries, worst, None)
        for kind in kinds:
            plan = plan_ann_index(len(vectors), vectors.shape[1], cast("Choice", kind), exact_up_to=0)
            assert plan is not None
            _run_kind(directory, table, queries, worst, plan)


def _run_kind(directory: Path, table: Table, queries: Floats, worst: list[float], plan: AnnPlan) -> None:
    before, begin, busy = disk_mb(directory), time.perf_counter(), time.process_time()
    table.index_vectors(plan)
    took, worked = time.perf_counter() - begin, time.process_time() - busy
    print(f"{plan}: built in {took:.1f} s ({worked:.1f} s of processor), {disk_mb(directory) - before:.1f} MB")
    chosen = plan_ann_query(table.count(), LIMIT)
    sweep = [AnnQuery(probes, refine) for probes in (20, 50) for refine in (1, 5, 10)]
    for ask in [chosen, *sweep]:
        mark = " <- plan" if ask == chosen else ""
        report(f"{plan.kind} probes {ask.nprobes} refine {ask.refine_factor}{mark}", table, queries, worst, ask)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--kinds", default="ivf_pq,ivf_rq,ivf_hnsw_sq")
    parser.add_argument("--vectors", type=Path)
    parser.add_argument("--queries", type=Path)
    arguments = parser.parse_args()
    rows = arguments.rows
    vectors = load(arguments.vectors)[:rows] if arguments.vectors else text_features(rows)
    queries = load(arguments.queries)[:QUERIES] if arguments.queries else near_some(vectors)
    run(vectors, queries, arguments.kinds.split(","))


if __name__ == "__main__":
    main()
