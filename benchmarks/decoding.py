"""What the size of a call costs a decoder: memory of one child, tokens for a second of processor, how soon it holds.

    python -m benchmarks.decoding FILE.gguf [BATCH ...]

FILE is a decoder with last-token pooling: nomic-embed-code, or its shape (`python -m benchmarks.shapes nomic`). Each
batch has a child of its own, one thread, which reads one text as long as its window. Vectors are compared with those
of the first batch named, the largest by default. Linux only: others do not tell private memory.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from embedding.files.footprint import estimate
from embedding.gguf import complete_spec, read_header
from embedding.model import ModelSpec, spec_for
from embedding.process import Child
from embedding.wire import Load, texts_frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BATCHES = (512, 256, 128, 64, 32)
WAIT_S = 600.0
HOLDS = 10
QUIET_S = 0.3  # a child that took no processor time for so long stands still


@dataclass(frozen=True, slots=True)
class Measured:
    """One child."""

    private: int  # bytes, while it works
    rate: float  # tokens for a second of processor
    hold_ms: float  # processor time between the order to stand still and standing still, the longest of HOLDS
    vector: NDArray[np.float32]


def processor_ms(pid: int) -> float:
    """Milliseconds of processor time of all threads of a process, finer than psutil's ticks."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


def measure(load: Load, text: str) -> Measured:
    """What a child with ``load`` takes for ``text``, and how soon it stands still in the middle of it."""
    import numpy as np

    child = Child(load)
    try:
        child.ask(texts_frame("document", ["warm"]), WAIT_S)
        before = processor_ms(child.pid)
        answer = child.ask(texts_frame("document", [text]), WAIT_S)
        rate = 1000 * answer.header["tokens"] / (processor_ms(child.pid) - before)
        usage = psutil.Process(child.pid).memory_info()
        vector = np.frombuffer(answer.body, "<f4")
        return Measured(usage.rss - usage.shared, rate, slowest_hold(child, text), vector)
    finally:
        child.kill()


def slowest_hold(child: Child, text: str) -> float:
    """Milliseconds of processor time that a held child still took, the most of HOLDS."""
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(child.ask, texts_frame("document", [text]), WAIT_S)
        taken = []
        for turn in range(HOLDS):
            threading.Event().wait(0.1 + 0.03 * turn)
            if answer.done():
                answer = threads.submit(child.ask, texts_frame("document", [text]), WAIT_S)
            taken.append(hold(child))
        child.kill()
    return max(taken)


def hold(child: Child) -> float:
    ordered = processor_ms(child.pid)
    child.hold()
    last, since = processor_ms(child.pid), time.monotonic()
    while time.monotonic() - since < QUIET_S:
        threading.Event().wait(0.005)
        if (now := processor_ms(child.pid)) > last:
            last, since = now, time.monotonic()
    child.release()
    return last - ordered


def load_for(spec: ModelSpec, path: Path, batch: int) -> Load:
    return Load(
        str(path), spec.dim, str(spec.pooling), spec.window, spec.add_eos, spec.repack, 1, 0, "", "", batch
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("batches", nargs="*", type=int, default=BATCHES)
    chosen = parser.parse_args()
    header = read_header(chosen.file)
    spec = complete_spec(spec_for(str(chosen.file)), header, chosen.file)
    text = Path(argparse.__file__).read_text(encoding="utf-8")[: 2 * spec.window]
    print("batch   private MB (estimated)   tokens a second of processor   stands still within   cosine")
    first = None
    for batch in chosen.batches:
        found = measure(load_for(spec, chosen.file, batch), text)
        first = found.vector if first is None else first
        said = estimate(header, spec.window, batch).private_bytes
        memory = f"{found.private / 1e6:10.0f} ({said / 1e6:.0f})"
        pace = f"{found.rate:28.1f}   {found.hold_ms:16.0f} ms"
        print(f"{batch:5}   {memory}   {pace}   {float(found.vector @ first):.6f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
