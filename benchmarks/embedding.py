"""What the processes around llama.cpp cost: texts and tokens a second, a query's time, memory.

    python -m benchmarks.embedding

The limit is llama.cpp itself, called in this process with tokens made and batches planned beforehand, one thread, in
the same rounds. Wall times show what the machine had to spare; what is held against the limit is processor time, which
other work on the machine disturbs least: a child should do 85 % as much with a second of it.
"""

from __future__ import annotations

import statistics
import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import platformdirs
import psutil

from embedding.child.batches import plan_batches
from embedding.child.holding import Hold
from embedding.gguf import complete_spec, read_header
from embedding.local import LocalEmbedder
from embedding.model import DEFAULT_MODEL, ModelSpec, spec_for
from embedding.settings import ModelSettings
from embedding.sources import locate
from embedding.wire import Load
from embedding.worker import Model

MODULES = ("argparse", "ast", "datetime", "inspect", "logging/__init__", "pathlib", "subprocess", "tarfile", "typing")
LINES = 24  # a chunk of code of about 200 tokens
TEXTS = 80
QUERIES = 100
ROUNDS = 3
LEAST_SHARE = 0.85


def chunks() -> list[str]:
    """Pieces of the standard library."""
    library = Path(sysconfig.get_path("stdlib"))
    lines = [
        line
        for name in MODULES
        for line in (library / f"{name}.py").read_text(encoding="utf-8").splitlines(keepends=True)
    ]
    pieces = ["".join(lines[start : start + LINES]) for start in range(0, len(lines), LINES)]
    return pieces[:: len(pieces) // TEXTS][:TEXTS]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call took: seconds on the clock, and of processors, children's included."""

    wall: float
    processor: float


def cost(action: Callable[[], object]) -> Cost:
    """What ``action`` takes; children must not start or end meanwhile."""
    wall, processor = time.perf_counter(), processor_seconds()
    action()
    return Cost(time.perf_counter() - wall, processor_seconds() - processor)


def processor_seconds() -> float:
    here = psutil.Process()
    return sum(sum(process.cpu_times()[:2]) for process in (here, *here.children()))


class Bare:
    """llama.cpp in this process, everything but the computation done beforehand."""

    def __init__(self, spec: ModelSpec, path: Path, texts: list[str]) -> None:
        load = Load(str(path), spec.dim, str(spec.pooling), spec.window, spec.add_eos, spec.repack, 1, 0, "", "")
        self.model = Model(load, Hold())
        windows = [window for text in texts for window in self.model.reader.windows("document", text)]
        lengths = [len(window) for window in windows]
        self.tokens = sum(lengths)
        self.batches = [[windows[place] for place in batch] for batch in plan_batches(lengths, 256, 64)]

    def run(self) -> None:
        for batch in self.batches:
            for _ in self.model.context.decode(batch):
                pass

    def query(self, text: str) -> None:
        self.model.embed("query", [text])


def throughput(ways: dict[str, Callable[[], object]]) -> dict[str, Cost]:
    """The cheapest of the rounds for each way; every way has its turn in each."""
    for way in ways.values():
        way()  # children start, pages come in
    rounds = [{name: cost(way) for name, way in ways.items()} for _ in range(ROUNDS)]
    return {name: min((costs[name] for costs in rounds), key=lambda cost: cost.processor) for name in ways}


def query_times(ask: Callable[[str], object]) -> tuple[float, float]:
    """p50 and p95 in milliseconds."""
    questions = [f"where is request number {place} parsed and checked" for place in range(QUERIES)]
    times = [1000 * cost(partial(ask, question)).wall for question in questions]
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def memory_line(pid: int) -> str:
    usage = psutil.Process(pid).memory_full_info()
    shared = f", {(usage.rss - usage.uss) / 1e6:.0f} MB of it shared" if hasattr(usage, "uss") else ""
    return f"{usage.rss / 1e6:.0f} MB resident{shared}"


def report(texts: list[str], bare: Bare, one: LocalEmbedder, two: LocalEmbedder) -> float:
    """Print all figures; returns what one child does with a second of processor, as a share of llama.cpp's."""
    ways: dict[str, Callable[[], object]] = {
        "llama.cpp alone": bare.run,
        "1 child": partial(one.embed_documents, texts),
        "2 children": partial(two.embed_documents, texts),
    }
    best = throughput(ways)
    print(f"{len(texts)} texts, {bare.tokens:,} tokens; best of {ROUNDS}    wall clock        a second of processor")
    for name, took in best.items():
        rates = f"{len(texts) / took.wall:6.0f} texts/s {bare.tokens / took.wall:8,.0f} tokens/s"
        share = best["llama.cpp alone"].processor / took.processor
        print(f"{name:18} {rates} {bare.tokens / took.processor:10,.0f} tokens {share:6.0%} of llama.cpp")
    one.embed_query("warm")
    asks: dict[str, Callable[[str], object]] = {"query, llama.cpp": bare.query, "query, child": one.embed_query}
    for name, ask in asks.items():
        p50, p95 = query_times(ask)
        print(f"{name:18} p50 {p50:6.2f} ms   p95 {p95:6.2f} ms")
    print(f"child, documents   {memory_line(two.pids()[0])}")
    print(f"child, queries     {memory_line(one.pids()[-1])}")
    return best["llama.cpp alone"].processor / best["1 child"].processor


def main() -> int:
    directory = Path(platformdirs.user_data_dir("codeloupe", appauthor=False)) / "models"
    path = locate(spec_for(DEFAULT_MODEL), directory)
    if path is None:
        print("The default model is not here; run 'codeloupe models pull' first.")
        return 2
    spec = complete_spec(spec_for(DEFAULT_MODEL), read_header(path), path)
    texts = chunks()
    one, two = (LocalEmbedder(spec, path, ModelSettings(processes=count)) for count in (1, 2))
    try:
        share = report(texts, Bare(spec, path, texts), one, two)
    finally:
        one.close()
        two.close()
    return 0 if share >= LEAST_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
