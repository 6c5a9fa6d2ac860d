"""How near the estimate of tokens is to the truth: on source files by language, line by line and as wholes.

    python -m benchmarks.tokens --vocabularies node_modules/js-tiktoken/dist/ranks DIR ...

Of each DIR (a checkout) pieces of about 1,500 characters are drawn for each language. Prints true tokens over estimated
ones: the mean, the first and the 99th percentile, and the share of pieces with more tokens than told.
benchmarks/quality/budget.py asks the same of answers.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.vocabularies import Vocabulary, vocabularies
from indexer.languages import detect_language
from mcp_server.answers.tokens import token_cost

PIECE_CHARS = 1_500
PIECES = 300  # of a language
LARGEST = 200_000  # bytes of a file that is read


def pieces(directories: Sequence[Path]) -> dict[str, list[str]]:
    """By language, a sample of pieces that end at line ends."""
    chosen = random.Random(7)
    found: dict[str, list[str]] = defaultdict(list)
    for path in (path for directory in directories for path in sorted(directory.rglob("*"))):
        if path.is_file() and path.stat().st_size < LARGEST and ".git" not in path.parts and (text := _text(path)):
            found[detect_language(path.name, text)] += _cut(text)
    return {
        language: chosen.sample(cuts, min(PIECES, len(cuts)))
        for language, cuts in sorted(found.items())
        if len(cuts) >= PIECES // 10
    }


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def _cut(text: str) -> Iterator[str]:
    piece = ""
    for line in text.splitlines(keepends=True):
        piece += line
        if len(piece) >= PIECE_CHARS:
            yield piece
            piece = ""


def row(name: str, ratios: Sequence[float]) -> str:
    """One line of the table: true over estimated."""
    ordered = sorted(ratios)
    first, last = ordered[len(ordered) // 100], ordered[-1 - len(ordered) // 100]
    over = sum(ratio > 1 for ratio in ordered) / len(ordered)
    return f"{name:14} {len(ordered):6,} {sum(ordered) / len(ordered):6.3f} {first:6.3f} {last:6.3f} {over:7.1%}"


def table(vocabulary: Vocabulary, found: dict[str, list[str]]) -> Iterator[str]:
    """All languages, then all together."""
    yield f"{vocabulary.name:14} {'pieces':>6} {'mean':>6} {'p1':>6} {'p99':>6} {'over':>7}"
    everything: list[float] = []
    for language, cuts in found.items():
        ratios = [vocabulary.count(cut) / sum(token_cost(f"{line}\n") for line in cut.splitlines()) for cut in cuts]
        everything += ratios
        yield row(language, ratios)
    yield row("all", everything)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocabularies", type=Path, required=True)
    parser.add_argument("directories", type=Path, nargs="+")
    arguments = parser.parse_args()
    found = pieces(arguments.directories)
    for vocabulary in vocabularies(arguments.vocabularies):
        print("\n".join(table(vocabulary, found)), flush=True)


if __name__ == "__main__":
    main()
