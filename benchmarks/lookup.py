"""The lookup table: the parts of its file, its memory, its time for a text, its quality beside its teacher's.

    python -m benchmarks.lookup [--table FILE.embd] [--functions DIR] [--every N]

Quality is nDCG@10 of cosines alone, nothing else ranked in: over the questions of tests/ranking, and with --functions
over the function-level set that `python -m benchmarks.quality functions` has built in DIR. The teacher is the default
model, where it is on this machine; its vectors come through the user's cache. Exit code 1 where a limit is passed.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
import psutil
from numpy.typing import NDArray

from benchmarks.quality.corpus import Question, load
from benchmarks.quality.measures import figures
from embedding.embedder import Embedder
from embedding.errors import ModelMissingError
from embedding.lookup import LookupTable
from embedding.open import SHIPPED_TABLE, open_embedder
from embedding.settings import MemorySettings, ModelSettings
from embedding.tables.table_file import map_table
from indexer.cutting import Cutting
from indexer.cutting import load as load_file
from indexer.settings import IndexSettings
from indexer.source import SourceFile
from indexer.walker import walk
from storage.chunk import Chunk, FileRows
from tests.ranking.questions import CORPUS, questions

Floats = NDArray[np.float32]

LIMIT_MS, LIMIT_MIB, LIMIT_FILE_MIB, LIMIT_SHARE = 1.0, 50.0, 31.0, 0.85
ROUNDS = 5  # the best of so many counts: others only add


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and the places in the list of chunks that answer it."""

    text: str
    right: frozenset[int]


def main() -> int:
    """Print all figures beside their limits; 1 where one is passed."""
    arguments = _arguments()
    if arguments.only_memory:
        _print_memory(arguments.table)
        return 0
    texts = [chunk.sketch_text() for chunk in _chunks(CORPUS)]
    passed = [_parts(arguments.table), _memory(arguments.table), _time(arguments.table, texts), _rare(arguments.table)]
    passed.append(_quality(arguments))
    return 0 if all(passed) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=SHIPPED_TABLE)
    parser.add_argument("--functions", type=Path, help="the work folder of the function-level set")
    parser.add_argument("--every", type=int, default=4, help="ask every Nth of its questions")
    parser.add_argument("--only-memory", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _parts(path: Path) -> bool:
    table = map_table(path)
    sizes = {
        "header": 64,
        "hashes": table.hashes.nbytes,
        "scales": table.scales.nbytes,
        "frequencies": table.frequencies.nbytes,
        "codes": table.codes.nbytes,
        "bridge": table.bridge.nbytes,
    }
    whole = path.stat().st_size
    print(f"{path.name}: {len(table.hashes):,} tokens of {table.codes.shape[1]} components")
    for part, size in sizes.items():
        print(f"  {part:<12}{size:>12,} bytes {size / whole:>7.1%}")
    return _told("file", whole / 2**20, "MiB", LIMIT_FILE_MIB)


def _memory(path: Path) -> bool:
    """In a process of its own, so that nothing else has touched what it needs."""
    command = [sys.executable, "-m", "benchmarks.lookup", "--table", str(path), "--only-memory"]
    told = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout.split()
    resident, own = map(float, told)
    print(f"memory by opening it, sketching every chunk of the corpus and a question: {own:.1f} MiB of its own")
    return _told("resident, the mapped file included", resident, "MiB", LIMIT_MIB)


def _print_memory(path: Path) -> None:
    texts = [chunk.sketch_text() for chunk in _chunks(CORPUS)]
    LookupTable(path).sketch(["all that is imported and cached at a first use"])
    gc.collect()
    process = psutil.Process()
    before, own = process.memory_info().rss, _own(process)
    table = LookupTable(path)
    table.sketch(texts)
    table.sketch_query("where is a payment retried")
    np.abs(table._codes).max()  # noqa: SLF001 - every page of the file, which a large repository would touch
    print((process.memory_info().rss - before) / 2**20, (_own(process) - own) / 2**20)


def _own(process: psutil.Process) -> int:
    """Bytes that are this process's alone; 0 where the system does not tell."""
    try:
        return int(getattr(process.memory_full_info(), "uss", 0))
    except psutil.Error:
        return 0


def _time(path: Path, texts: Sequence[str]) -> bool:
    opened = min(_seconds(lambda: LookupTable(path)) for _ in range(ROUNDS))
    table = LookupTable(path)
    spent = min(_seconds(lambda: table.sketch(texts)) for _ in range(ROUNDS))
    mean_chars = sum(map(len, texts)) / len(texts)
    print(f"opening and checking: {1e3 * opened:.1f} ms of processor; known tokens: {table.sketch(texts).coverage:.1%}")
    return _told(f"a text of {mean_chars:.0f} characters", 1e3 * spent / len(texts), "ms of processor", LIMIT_MS)


def _rare(path: Path) -> bool:
    """A question whose words are in no table: its rows come out of the model's file."""
    table = LookupTable(path)
    spent = min(_seconds(lambda: table.sketch_query("zyxomma quokkaish lumbrifex")) for _ in range(ROUNDS))
    return _told("a question of rare words, without the model", 1e3 * spent, "ms of processor", LIMIT_MS)


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _quality(arguments: argparse.Namespace) -> bool:
    data, cache = (Path(find("codeloupe", appauthor=False)) for find in _USER_DIRECTORIES)
    directory = os.environ.get("CODELOUPE_MODEL_DIRECTORY", "")
    try:
        teacher = open_embedder(ModelSettings(directory=directory), MemorySettings(), data, cache)
    except ModelMissingError as error:
        print(f"quality: not measured, for there is no teacher: {error}")
        return True
    table = LookupTable(arguments.table)
    try:
        figures_of: dict[str, list[tuple[float, float]]] = {}
        for name, case in _cases(arguments):
            figures_of.setdefault(name, []).append(_beside(*case, table, teacher))
    finally:
        teacher.close()
    shares = [_share(name, rows) for name, rows in figures_of.items()]
    return all(shares)


def _share(name: str, rows: Sequence[tuple[float, float]]) -> bool:
    """Of the means over languages: 75 questions of one say little by themselves."""
    ours, theirs = (sum(column) / len(rows) for column in zip(*rows, strict=True))
    print(f"{name}: nDCG@10 {ours:.3f}, its teacher {theirs:.3f}")
    return _told("of its teacher", ours / theirs, "", LIMIT_SHARE, least=True)


_USER_DIRECTORIES = (platformdirs.user_data_dir, platformdirs.user_cache_dir)


def _cases(arguments: argparse.Namespace) -> Iterable[tuple[str, tuple[list[Chunk], list[Asked]]]]:
    yield "tests/ranking", _golden()
    if arguments.functions:
        asked = load(arguments.functions / "queries.jsonl")
        for language, variant in dict.fromkeys((question.language, question.variant) for question in asked):
            some = [question for question in asked if (question.language, question.variant) == (language, variant)]
            root = arguments.functions / language / variant
            yield f"functions, names {variant}", _functions(root, some[:: arguments.every])


def _golden() -> tuple[list[Chunk], list[Asked]]:
    chunks = _chunks(CORPUS)
    asked = [
        Asked(
            question.text,
            frozenset(
                place for place, chunk in enumerate(chunks) if any(target.is_in(chunk) for target in question.targets)
            ),
        )
        for question in questions()
    ]
    return chunks, asked


def _functions(root: Path, some: Sequence[Question]) -> tuple[list[Chunk], list[Asked]]:
    chunks = _chunks(root)
    places: dict[str, list[int]] = {}
    for place, chunk in enumerate(chunks):
        places.setdefault(chunk.file_path, []).append(place)

    def right(question: Question) -> frozenset[int]:
        return frozenset(
            place
            for place in places.get(question.file_path, ())
            if chunks[place].start_line <= question.end_line and chunks[place].end_line >= question.start_line
        )

    return chunks, [Asked(question.query, right(question)) for question in some]


def _beside(chunks: list[Chunk], asked: list[Asked], table: LookupTable, teacher: Embedder) -> tuple[float, float]:
    """nDCG@10 of the table and of its teacher."""
    sketches = table.sketch([chunk.sketch_text() for chunk in chunks]).vectors
    sketched = np.concatenate([table.sketch_query(question.text).vectors for question in asked])
    vectors = teacher.embed_documents([chunk.embedding_text() for chunk in chunks])
    taught = np.stack([teacher.embed_query(question.text) for question in asked])
    ours, theirs = _ndcg(sketches, sketched, asked), _ndcg(vectors, taught, asked)
    print(
        f"  {len(asked)} questions, {len(chunks)} chunks of {chunks[0].language}: {ours:.3f}, its teacher {theirs:.3f}"
    )
    return ours, theirs


def _ndcg(vectors: Floats, questions: Floats, asked: Sequence[Asked]) -> float:
    ranks = []
    for likeness, question in zip(questions @ vectors.T, asked, strict=True):
        best = np.argsort(-likeness, kind="stable")[:10]
        ranks.append(next((rank for rank, place in enumerate(best, 1) if int(place) in question.right), None))
    return figures(ranks).ndcg


def _chunks(root: Path) -> list[Chunk]:
    cutting = Cutting(IndexSettings())
    rows = (load_file(file, cutting) for file in walk(root, cutting.settings) if isinstance(file, SourceFile))
    return [chunk for row in rows if isinstance(row, FileRows) for chunk in row.chunks]


def _told(what: str, figure: float, unit: str, limit: float, *, least: bool = False) -> bool:
    is_met = figure >= limit if least else figure <= limit
    print(
        f"  {what}: {figure:.3g} {unit} ({'at least' if least else 'at most'} {limit:g}: {'yes' if is_met else 'NO'})"
    )
    return is_met


if __name__ == "__main__":
    sys.exit(main())
