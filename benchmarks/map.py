"""How much of the neighbourhoods a map keeps, and what it costs: ours, plain components, and other programs.

    python -m benchmarks.map [ROOT ...] [--most N] [--peers PYTHON]

Each ROOT (this repository, unless named) is indexed first if it is not. PYTHON is the interpreter of an environment
with scikit-learn and umap-learn; it lays out the same vectors in a process of its own. Of a chunk's ten nearest others
by cosine, those are counted that are among its ten, or fifty, nearest on the map; in the mean over QUERIES chunks.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil

from mcp_server.command_line import terminal
from mcp_server.command_line.commands import engine_for
from mcp_server.map.layout import lay_out, principal
from mcp_server.map.survey import MOST_POINTS
from mcp_server.settings import load

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent
PEERS = ("tsne", "umap")
QUERIES = 2_000
NEAR, AROUND = 10, 50
WAIT_S = 3_600


@dataclass(frozen=True, slots=True)
class Result:
    """One layout of one set of vectors."""

    name: str
    kept: float  # of the ten nearest, among the ten nearest on the map
    around: float  # among the fifty nearest
    processor_s: float


def kept(vectors: NDArray[np.float32], places: NDArray[np.float32]) -> tuple[float, float]:
    """Shares of neighbours kept, among NEAR and among AROUND."""
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    flat = places.astype(np.float64)
    halves = 0.5 * np.vecdot(flat, flat)
    near = around = 0
    queries = np.random.default_rng(0).permutation(len(vectors))[:QUERIES]
    for query in queries:
        true = set(ranked(-(unit @ unit[query]), query, NEAR))
        drawn = ranked(halves - flat @ flat[query], query, AROUND)
        near += len(true.intersection(drawn[:NEAR]))
        around += len(true.intersection(drawn))
    return near / len(queries) / NEAR, around / len(queries) / NEAR


def ranked(distances: NDArray[np.floating], query: int, count: int) -> list[int]:
    """The ``count`` nearest others of a row at these distances, nearest first."""
    distances[query] = np.inf
    best = np.argpartition(distances, min(count, len(distances) - 1))[:count]
    return list(best[np.argsort(distances[best], kind="stable")].tolist())


def measured(name: str, vectors: NDArray[np.float32], make: Callable[[], NDArray[np.float32]]) -> Result:
    before = processor_s()
    places = make()
    spent = processor_s() - before
    return Result(name, *kept(vectors, places), spent)


def processor_s() -> float:
    """Processor time of this process and of its children that have ended."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def by_peer(python: str, which: str, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    with tempfile.TemporaryDirectory() as scratch:
        given, made = Path(scratch) / "vectors.npy", Path(scratch) / "places.npy"
        np.save(given, vectors)
        script = Path(__file__).with_name("map_peers.py")
        subprocess.run([python, "-P", str(script), which, str(given), str(made)], check=True, timeout=WAIT_S)
        places: NDArray[np.float32] = np.load(made)
        return places


def vectors_of(root: Path, most: int) -> tuple[str, NDArray[np.float32]]:
    """What is there of ``root``, and by what."""
    with engine_for([root], load(root).settings, most_vectors=0) as engine:
        terminal.follow(engine.roots[root].refresh())
        sample = engine.roots[root].open().sample(most)
    embedded = sample.vectors.any(axis=1) if sample.vectors.size else np.zeros(len(sample.chunks), bool)
    if embedded.mean() > 0.5:
        return "vectors", sample.vectors[embedded]
    return "sketches", sample.sketches


def compare(root: Path, most: int, peers: str) -> None:
    by, vectors = vectors_of(root, most)
    print(f"{root.name}: {len(vectors):,} {by} of {vectors.shape[1]} components")
    print("                    10 nearest among 10    among 50    processor s    ms a chunk")
    makers: dict[str, Callable[[], NDArray[np.float32]]] = {
        "components (PCA)": lambda: principal(vectors, 2),
        "codeloupe": lambda: lay_out(vectors, lambda _done, _total: None),
    }
    for which in PEERS if peers else ():
        makers[which] = lambda which=which: by_peer(peers, which, vectors)  # type: ignore[misc]
    for name, make in makers.items():
        one = measured(name, vectors, make)
        spent = f"{one.processor_s:11.1f}   {1000 * one.processor_s / len(vectors):11.2f}"
        print(f"{one.name:18}   {one.kept:18.3f}   {one.around:9.3f}   {spent}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("roots", nargs="*", type=Path, default=[ROOT])
    parser.add_argument("--most", type=int, default=MOST_POINTS)
    parser.add_argument("--peers", default="", metavar="PYTHON")
    chosen = parser.parse_args()
    for root in chosen.roots:
        compare(root.resolve(), chosen.most, chosen.peers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
