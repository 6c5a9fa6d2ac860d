"""Thousands of damaged model files, each taken the way a user's is: read, held to what is possible, loaded, run.

    python -m benchmarks.mutations [--files 10000] [--seed 0] [--deaths]

Nothing may hang or end this process: a file is refused in a sentence, refused by llama.cpp, or gives a vector. A child
may die of one, and the embedder says so; such files are few, and each kind that a header shows is refused by
embedding/files/soundness.py. Linux and macOS: children are forked from a server that has llama.cpp loaded,
20 ms a file.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gguf_lies import Parts, damaged, parts_of
from benchmarks.one_embedding import embed_once
from benchmarks.shapes import TINY, write_model
from benchmarks.small_bert import write_small_bert
from embedding.errors import EmbeddingError
from embedding.gguf import complete_spec, read_header
from embedding.model import spec_for
from embedding.wire import Load

PATIENCE_S = 30.0
FORESEEN, DIED, HUNG, BUG = "refused before llama.cpp", "child died", "child hung", "BUG"
MOST_DEATHS = 0.002


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a file: one of the words above, and why."""

    outcome: str
    why: str


def load_of(path: Path) -> Load:
    """What a child is asked to load for the file. Raises EmbeddingError where it is refused."""
    spec = complete_spec(spec_for(str(path)), read_header(path), path)
    return Load(str(path), spec.dim, str(spec.pooling), spec.window, spec.add_eos, spec.repack, 1, 0, "", "")


def fate_of(path: Path, context: multiprocessing.context.BaseContext) -> Fate:
    """Read the file and, where it is accepted, embed a text in a process of its own."""
    try:
        load = load_of(path)
    except EmbeddingError as error:
        return Fate(FORESEEN, str(error))
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        return Fate(BUG, repr(error))
    return _in_a_child(load, path.with_suffix(".log"), context)


def _in_a_child(load: Load, log: Path, context: multiprocessing.context.BaseContext) -> Fate:
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=embed_once, args=(load, str(log), theirs))  # type: ignore[attr-defined]
    process.start()
    theirs.close()
    try:
        if not ours.poll(PATIENCE_S):
            process.kill()
            return Fate(HUNG, "")
        return Fate(*ours.recv())
    except EOFError:
        process.join(PATIENCE_S)
        return Fate(DIED, f"{process.exitcode}: {_last_words(log)}")
    finally:
        ours.close()
        process.join()


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() if log.exists() else []
    telling = [
        line for line in lines if "ASSERT" in line or "abort" in line.lower() or "terminate" in line or "what()" in line
    ]
    return " ".join(telling or lines[-1:])[-200:]


def _wholes(directory: Path) -> list[Parts]:
    """A Qwen2 and a BERT, and the first again as a Llama, which llama.cpp pools by itself."""
    qwen, bert, llama = (directory / f"{name}.gguf" for name in ("qwen", "bert", "llama"))
    write_model(TINY, qwen)
    write_small_bert(bert)
    architecture = b"architecture\x08\0\0\0\x05\0\0\0\0\0\0\0"
    renamed = qwen.read_bytes().replace(b"qwen2.", b"llama.")
    llama.write_bytes(renamed.replace(architecture + b"qwen2", architecture + b"llama"))
    return [parts_of(path) for path in (qwen, bert, llama)]


def run(count: int, seed: int, directory: Path, keep: bool) -> Counter[str]:
    """Damage and try ``count`` files, a third of each kind; ``keep`` leaves those that killed a child."""
    os.environ |= {"GGML_NO_BACKTRACE": "1", "OMP_NUM_THREADS": "1"}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["llama_cpp", "benchmarks.gguf_lies", "benchmarks.one_embedding", "benchmarks.small_bert"]
    )
    wholes = _wholes(directory)
    chance = random.Random(seed)
    fates: Counter[str] = Counter()
    deaths: Counter[str] = Counter()
    for number in range(count):
        told, content = damaged(chance, wholes[number % len(wholes)])
        path = directory / f"mutated{number}.gguf"
        path.write_bytes(content)
        fate = fate_of(path, context)
        fates[fate.outcome] += 1
        path.with_suffix(".log").unlink(missing_ok=True)
        if fate.outcome in (DIED, HUNG, BUG):
            deaths[fate.why] += 1
            if keep:
                print(f"{number}: {fate.outcome} of {told}: {fate.why}", flush=True)
                continue
        path.unlink()
    for why, times in deaths.most_common():
        print(f"{times:6} {why}")
    return fates


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--deaths", type=Path, help="a directory to keep the files in that killed a child")
    chosen = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        directory = chosen.deaths or Path(scratch)
        directory.mkdir(parents=True, exist_ok=True)
        fates = run(chosen.files, chosen.seed, directory, keep=chosen.deaths is not None)
    print(f"{chosen.files:,} files in {time.perf_counter() - started:.0f} s")
    for outcome, times in fates.most_common():
        print(f"{times:8,}  {times / chosen.files:7.2%}  {outcome}")
    return 0 if not fates[BUG] + fates[HUNG] and fates[DIED] <= MOST_DEATHS * chosen.files else 1


if __name__ == "__main__":
    sys.exit(main())
