"""codeloupe's tiers and its peers on the same questions: how good, how soon, for how many tokens.

    python -m benchmarks.quality compare (--questions DIR --repositories DIR | --functions DIR) --out DIR
        --program NAME[=HOME] ... [--figures docs/quality.json] [--only NAME ...] [--times [--rounds 3]]
    python -m benchmarks.quality compare [--figures docs/quality.json] [--page docs/quality.md]

Without a program it prints the tables of the file of figures, and puts them into a page in the place of older ones.

QUESTIONS holds repos.json and annotations/NAME.json, REPOSITORIES a checkout a name; FUNCTIONS is where the
function-level set is built (benchmarks/quality/functions.py). HOME is where a peer is installed: a program's path or
a virtual environment (benchmarks/quality/peers.py). Each program's hits go to OUT/NAME.jsonl, its figures into the
file of figures, where those of other programs stay. --times takes times and nothing else, to be asked for when the
machine has nothing else to do: seconds from nothing to the first answer, milliseconds of a warm one.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.quality import functions
from benchmarks.quality.judging import BUDGETS, Place, Question, question, ranking_figures, token_figures
from benchmarks.quality.own import MODES, answers, first_answer_s
from benchmarks.quality.peers import PEERS, Ask, Found, Peer

HITS = 10
HITS_FOR_TOKENS = 40  # enough to fill the largest budget
TITLES = {
    "ndcg": "nDCG@10",
    "architecture": "architecture",
    "semantic": "semantic",
    "symbol": "symbol",
    "shown": "name shown",
    "hidden": "name hidden",
    "recall": "recall@10",
    "first": "first right",
}
BUDGET_TITLES = tuple(f"in {budget:,} tokens" for budget in BUDGETS)
TIME_TITLES = ("first answer", "warm p50 / p95")
Sets = list[tuple[Path, list[Question]]]  # directories, and what is asked of each


def questions_of(directory: Path, repositories: Path, only: Sequence[str]) -> Sets:
    """The questions of each repository, of the directory below its checkout that they are about."""
    found = []
    for row in json.loads((directory / "repos.json").read_text(encoding="utf-8")):
        name = row["name"]
        if not only or name in only:
            asked = json.loads((directory / "annotations" / f"{name}.json").read_text(encoding="utf-8"))
            root = repositories / name / (row.get("benchmark_root") or "")
            found.append((root, [question(name, one) for one in asked]))
    return found


def functions_of(directory: Path, only: Sequence[str]) -> Sets:
    """The function-level set: a directory for each language, names shown and hidden; the variant is the kind."""
    found: dict[Path, list[Question]] = {}
    for one in functions.built(directory):
        if not only or one.language in only:
            place = Place(one.file_path, one.start_line, one.end_line)
            asked = Question(f"{one.language}/{one.variant}", one.variant, one.query, (place,))
            found.setdefault(directory / one.language / one.variant, []).append(asked)
    return list(found.items())


def peer_of(name: str) -> Peer:
    """How a program of that name is asked; codeloupe's tiers need no home."""
    if name in MODES:
        return lambda _, root, asked: answers(MODES[name], root, asked)
    return PEERS[name]


def quality(name: str, home: Path, sets: Sets, out: Path, budgets: Sequence[int]) -> dict[str, Any]:
    """Figures of a program's ranking and, where there are budgets, of what its answers cost; its hits in OUT."""
    asked = [one for _, questions in sets for one in questions]
    rounds: list[list[Sequence[Found]]] = [[] for _ in range(1 + len(budgets))]
    for root, questions in sets:
        asks = [Ask(one.query, HITS) for one in questions]
        asks += [Ask(one.query, HITS_FOR_TOKENS, budget) for budget in budgets for one in questions]
        found = peer_of(name)(home, root, asks)
        for step, row in enumerate(rounds):
            row += [answer.hits for answer in found[step * len(questions) : (step + 1) * len(questions)]]
        print(f"  {root}: {len(questions)} questions", flush=True)
    _write(out / f"{name}.jsonl", asked, rounds[0])
    figures = {"questions": len(asked), **ranking_figures(asked, rounds[0])}
    if not budgets:
        return figures
    _write(out / f"{name}-{budgets[-1]}-tokens.jsonl", asked, rounds[-1])
    return {**figures, "recall_at_tokens": token_figures(asked, rounds[1:])}


def budgets_of(name: str) -> Sequence[int]:
    """codeloupe spends a budget by itself and is asked once for each; what others show is cut where it ends."""
    return BUDGETS if name in MODES else BUDGETS[-1:]


def _write(out: Path, asked: Sequence[Question], answers: Sequence[Sequence[Found]]) -> None:
    """A line of JSON a question."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w", encoding="utf-8") as lines:
        for one, hits in zip(asked, answers, strict=True):
            row = {"repo": one.repository, "query": one.query, "results": [asdict(hit) for hit in hits]}
            lines.write(json.dumps(row) + "\n")


def times(name: str, peer: Peer, home: Path, sets: Sets, rounds: int) -> dict[str, Any]:
    """Seconds to the first answer, the median over repositories of the best round, and milliseconds of a warm one."""
    firsts = []
    warm: list[float] = []
    for root, questions in sets:
        query = questions[0].query
        firsts.append(min(_first_s(name, peer, home, (root, query)) for _ in range(rounds)))
        warm += [answer.milliseconds for answer in peer(home, root, [Ask(one.query, HITS) for one in questions])[1:]]
        print(f"  {root}: {firsts[-1]:.2f} s", flush=True)
    twentieths = statistics.quantiles(warm, n=20)
    return {
        "first_answer_s": round(statistics.median(firsts), 3),
        "first_answer_s_of": {root.name: round(first, 3) for (root, _), first in zip(sets, firsts, strict=True)},
        "warm_p50_ms": round(statistics.median(warm), 2),
        "warm_p95_ms": round(twentieths[-1], 2),
    }


def _first_s(name: str, peer: Peer, home: Path, asked: tuple[Path, str]) -> float:
    root, query = asked
    if name in MODES:
        return first_answer_s(MODES[name], root, query)
    began = time.perf_counter()
    peer(home, root, [Ask(query, HITS)])
    return time.perf_counter() - began


def table(programs: dict[str, dict[str, Any]]) -> str:
    """The figures as a table of Markdown, the best first, with the columns that anything was measured for."""
    rows = [_cells(row) for row in programs.values()]
    titles = [title for title in (*TITLES.values(), *BUDGET_TITLES, *TIME_TITLES) if any(title in row for row in rows)]
    lines = [["program", *titles], ["---"] * (1 + len(titles))]
    for name, row in sorted(programs.items(), key=lambda item: -item[1].get("ndcg", 0)):
        cells = _cells(row)
        lines.append([name, *(cells.get(title, "") for title in titles)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cells(row: dict[str, Any]) -> dict[str, str]:
    """What is shown of a program, by the column's title."""
    cells = {title: f"{row[key]:.3f}" for key, title in TITLES.items() if key in row}
    shares = [f"{share:.3f}" for share in row.get("recall_at_tokens", [])]
    cells |= dict(zip(BUDGET_TITLES, shares, strict=False))
    if "first_answer_s" in row:
        soon = f"{_short(row['first_answer_s'])} s", f"{_short(row['warm_p50_ms'])} / {_short(row['warm_p95_ms'])} ms"
        cells |= dict(zip(TIME_TITLES, soon, strict=True))
    return cells


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}"


def in_page(page: str, tables: Sequence[str]) -> str:
    """The page with its tables of programs, in order, replaced by these; ValueError if they are not as many."""
    parts = re.split(r"^\| program \| nDCG.*\n(?:\|.*\n)+", page, flags=re.MULTILINE)
    closed = [f"{lines}\n" for lines in tables]
    return "".join(text for pair in zip(parts, [*closed, ""], strict=True) for text in pair)


def main(argv: Sequence[str] | None = None) -> None:
    arguments = _arguments(argv)
    sets = _sets(arguments) if arguments.program else []
    for program in arguments.program:
        name, _, home = program.partition("=")
        print(name, flush=True)
        if arguments.times:
            row = times(name, peer_of(name), Path(home), sets, arguments.rounds)
        else:
            budgets = [] if arguments.functions else budgets_of(name)
            row = quality(name, Path(home), sets, arguments.out, budgets)
        if arguments.only and not arguments.times:
            print(f"{table({name: row})}\nnot kept: only {', '.join(arguments.only)}")
            continue
        _keep(arguments.figures, "functions" if arguments.functions else "questions", name, row)
    tables = {part: table(programs) for part, programs in _held(arguments.figures).items()}
    for part, lines in tables.items():
        print(f"{part}\n\n{lines}\n")
    if arguments.page:
        page = in_page(arguments.page.read_text(encoding="utf-8"), list(tables.values()))
        arguments.page.write_text(page, encoding="utf-8")


def _sets(arguments: argparse.Namespace) -> Sets:
    if arguments.functions:
        return functions_of(arguments.functions, arguments.only)
    return questions_of(arguments.questions, arguments.repositories, arguments.only)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--repositories", type=Path)
    parser.add_argument("--functions", type=Path)
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument("--program", action="append", default=[], metavar="NAME[=HOME]")
    parser.add_argument("--figures", type=Path, default=Path("docs/quality.json"))
    parser.add_argument("--page", type=Path, help="a page whose tables of programs are replaced")
    parser.add_argument("--only", nargs="*", default=[], help="these repositories, or languages; only times are kept")
    parser.add_argument("--times", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    if arguments.program and not arguments.functions and not (arguments.questions and arguments.repositories):
        parser.error("--questions and --repositories, or --functions, say what is asked")
    return arguments


def _held(figures: Path) -> dict[str, dict[str, Any]]:
    held: dict[str, dict[str, Any]] = json.loads(figures.read_text(encoding="utf-8")) if figures.is_file() else {}
    return held


def _keep(figures: Path, part: str, name: str, row: dict[str, Any]) -> None:
    """Write a program's row into a part of the file of figures; what else that row and the file say stays."""
    held = _held(figures)
    programs = held.setdefault(part, {})
    programs[name] = programs.get(name, {}) | row
    figures.write_text(json.dumps(held, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
