"""The function-level set: the sentence that documents a function is asked, the function without it is to be found.

    python -m benchmarks.quality functions [--work DIR] [--languages python rust] [--out RUN.jsonl] [--build-only]

Packages pinned in packages.json are fetched with pip and npm, stripped of all functions' documentation and written to
DIR/LANGUAGE/shown, and once more with the asked functions' names replaced to DIR/LANGUAGE/hidden; DIR/queries.jsonl
holds the questions. Each is asked through the real MCP server in every mode, and a hit is right where its lines and the
function's overlap. Building is deterministic; what is built is used until packages.json changes or --rebuild is given.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anyio
import platformdirs

from benchmarks.quality.asking import answers
from benchmarks.quality.corpus import HIDDEN, SHOWN, Question, Stripped, choose, load, save, strip, write
from benchmarks.quality.measures import Figures, figures, mean
from benchmarks.quality.packages import PACKAGES, fetch, pinned, sources

MODES = ("text", "semantic", "auto")
Ranks = dict[tuple[str, str, str], list[int | None]]  # by variant, mode and language


def main(argv: Sequence[str] | None = None) -> None:
    """Build what is missing, ask, print the table."""
    arguments = _arguments(argv)
    asked = built(arguments.work, rebuild=arguments.rebuild)
    if arguments.build_only:
        return
    languages = [
        name
        for name in dict.fromkeys(row.language for row in asked)
        if not arguments.languages or name in arguments.languages
    ]
    ranks: Ranks = {}
    with (arguments.out or arguments.work / "ranks.jsonl").open("w", encoding="utf-8") as out:
        for language, variant in itertools.product(languages, arguments.variants):
            questions = [row for row in asked if (row.language, row.variant) == (language, variant)]
            for row in ask(arguments.work / language / variant, questions[:: arguments.every], arguments.modes):
                ranks.setdefault((variant, row["mode"], language), []).append(row["rank"])
                out.write(json.dumps(row) + "\n")
    print(table(ranks))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=platformdirs.user_cache_path("codeloupe") / "function-level-set")
    parser.add_argument("--languages", nargs="*", help="all by default")
    parser.add_argument("--modes", nargs="*", default=MODES)
    parser.add_argument("--variants", nargs="*", default=(SHOWN, HIDDEN))
    parser.add_argument("--every", type=int, default=1, help="ask every Nth question alone, for a quick look")
    parser.add_argument("--out", type=Path, help="where to write each question with its rank, a line of JSON each")
    parser.add_argument("--build-only", action="store_true")
    parser.add_argument("--rebuild", action="store_true")
    return parser.parse_args(argv)


def built(work: Path, *, rebuild: bool = False) -> list[Question]:
    """The questions of all languages, their corpora in place below ``work``."""
    queries, made_from = work / "queries.jsonl", work / "made-from"
    pins = hashlib.sha256(PACKAGES.read_bytes()).hexdigest()
    if not rebuild and queries.exists() and made_from.exists() and made_from.read_text(encoding="utf-8") == pins:
        return load(queries)
    questions: list[Question] = []
    for language in dict.fromkeys(package.language for package in pinned()):
        files = list(_stripped(language, work / "archives"))
        made = write(language, files, choose(files), work)
        print(f"{language}: {len(files)} files, {len(made) // 2} questions", flush=True)
        questions += made
    save(questions, queries)
    made_from.write_text(pins, encoding="utf-8")
    return questions


def ask(root: Path, questions: Sequence[Question], modes: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Each question in each mode, with the rank of the first right hit or None."""
    began = time.perf_counter()
    found = anyio.run(answers, root, [question.query for question in questions], modes)
    print(f"{root.parent.name} {root.name}: {time.perf_counter() - began:.0f} s", flush=True)
    for mode in modes:
        for question, hits in zip(questions, found[mode], strict=True):
            yield {**asdict(question), "mode": mode, "rank": rank_of(question, hits)}


def rank_of(question: Question, hits: Sequence[Mapping[str, Any]]) -> int | None:
    """The place, from 1, of the first hit that shares a line with the function; None where none does."""
    for rank, hit in enumerate(hits, 1):
        is_near = hit["start_line"] <= question.end_line and hit["end_line"] >= question.start_line
        if is_near and hit["file_path"] == question.file_path:
            return rank
    return None


def table(ranks: Ranks) -> str:
    """Markdown: a line for each language and their mean, MRR@10 / nDCG@10 / recall@10 for each way of asking."""
    ways = list(dict.fromkeys((variant, mode) for variant, mode, _ in ranks))
    languages = list(dict.fromkeys(language for _, _, language in ranks))
    lines = [
        "| language | questions | " + " | ".join(f"{variant}, {mode}" for variant, mode in ways) + " |",
        "|---" * (len(ways) + 2) + "|",
    ]
    for language in languages:
        cells = [_cell(figures(ranks[variant, mode, language])) for variant, mode in ways]
        lines.append(_line(language, max(len(ranks[way[0], way[1], language]) for way in ways), cells))
    means = [mean([figures(ranks[variant, mode, language]) for language in languages]) for variant, mode in ways]
    total = sum(len(ranks[ways[0][0], ways[0][1], language]) for language in languages)
    return "\n".join([*lines, _line("mean", total, [_cell(row) for row in means])])


def _stripped(language: str, archives: Path) -> Iterator[Stripped]:
    for package in pinned():
        if package.language == language:
            stripped = (strip(language, file) for file in sources(package, fetch(package, archives)))
            yield from (file for file in stripped if file is not None)


def _cell(row: Figures) -> str:
    return f"{row.mrr:.3f} / {row.ndcg:.3f} / {row.recall:.3f}"


def _line(first: str, count: int, cells: Sequence[str]) -> str:
    return f"| {first} | {count} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
