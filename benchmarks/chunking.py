"""How many chunks a second one core reads and cuts, beside what parsing the same files alone would allow.

    python -m benchmarks.chunking DIRECTORY

Walks the directory, reads each file and cuts it, all in this process; then parses the same texts with tree-sitter and
does nothing else, which no cutting by syntax can beat. Seconds are this process's CPU seconds (what one core would need
without neighbours) and, beside them, those of the clock. The promise is 3,000 chunks a second for all together.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tree_sitter import Parser
from tree_sitter_language_pack import get_language

from indexer.chunker import chunk_file
from indexer.languages import detect_language
from indexer.reading import read_source
from indexer.settings import IndexSettings
from indexer.source import SourceFile, SourceText
from indexer.syntax import rules_of
from indexer.walker import walk

LIMIT = 3_000
SETTINGS = IndexSettings()


@dataclass(frozen=True)
class Spent:
    cpu: float
    wall: float

    def line(self, what: str, chunks: int, size: int) -> str:
        rate = f"{chunks / self.cpu:8,.0f} chunks/s {size / 1e6 / self.cpu:7.1f} MB/s"
        return f"{what:22} {self.cpu:7.2f} s CPU {self.wall:7.2f} s clock {rate}"


class Stopwatch:
    def __enter__(self) -> Stopwatch:
        self._started = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        self.spent = Spent(time.process_time() - self._started[0], time.perf_counter() - self._started[1])


def texts_below(root: Path) -> list[SourceText]:
    found = (read_source(entry, SETTINGS) for entry in walk(root, SETTINGS) if isinstance(entry, SourceFile))
    return [text for text in found if isinstance(text, SourceText)]


def cut_all(texts: list[SourceText]) -> Counter[str]:
    chunks: Counter[str] = Counter()
    for text in texts:
        for chunk in chunk_file(text.path, text.text, text.file_hash, SETTINGS):
            chunks[chunk.language] += 1
    return chunks


def parse_all(texts: list[SourceText]) -> None:
    for text in texts:
        rules = rules_of(detect_language(text.path, text.text))
        if rules is not None:
            Parser(get_language(rules.grammar)).parse(text.text.encode())  # type: ignore[arg-type]


def main(root: Path) -> None:
    with Stopwatch() as reading:
        texts = texts_below(root)
    size = sum(len(text.text) for text in texts)
    cut_all(texts[:50])  # grammars are loaded once per process
    with Stopwatch() as cutting:
        chunks = cut_all(texts)
    with Stopwatch() as parsing:
        parse_all(texts)
    total = chunks.total()
    both = Spent(reading.spent.cpu + cutting.spent.cpu, reading.spent.wall + cutting.spent.wall)
    print(f"{len(texts):,} files, {size / 1e6:.1f} MB, {total:,} chunks of {size / max(1, total):.0f} characters")
    print(reading.spent.line("walk and read", total, size))
    print(cutting.spent.line("cut", total, size))
    print(both.line("both", total, size))
    print(parsing.spent.line("limit: parse alone", total, size))
    kept = "kept" if total / both.cpu >= LIMIT else "MISSED"
    print(f"{len(texts) / both.cpu:,.0f} files/s; promised {LIMIT:,} chunks/s: {kept}")
    print(", ".join(f"{language} {count:,}" for language, count in chunks.most_common(12)))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
