"""What answers are worth against questions that have several right places, most of them whole files. Pure.

A right place counts once, at the first hit that touches it. Means are means of repositories: each counts the same.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from benchmarks.quality.peers import Found
from mcp_server.answers.tokens import estimated_tokens

DEPTH = 10  # hits that count for nDCG
BUDGETS = (500, 1000, 2000, 4000)  # tokens of an answer


@dataclass(frozen=True, slots=True)
class Place:
    """A right answer: a file, or lines of it (1-based, inclusive)."""

    path: str
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a repository, its kind (architecture, semantic, symbol), and the right places."""

    repository: str
    kind: str
    query: str
    places: tuple[Place, ...]


def question(repository: str, row: Mapping[str, Any]) -> Question:
    """A question of a row of the set's JSON."""
    places = tuple(_place(given) for given in [*row.get("relevant", []), *row.get("secondary", [])])
    return Question(repository, row["category"], row["query"], places)


def _place(given: str | Mapping[str, Any]) -> Place:
    return Place(given) if isinstance(given, str) else Place(given["path"], given["start_line"], given["end_line"])


def touches(hit: Found, place: Place) -> bool:
    """Whether a hit is of the place's file (one path may be given from further above) and shares a line with it."""
    if not _same(hit.file_path, place.path):
        return False
    if place.first is None or place.last is None or hit.start_line is None or hit.end_line is None:
        return True
    return hit.start_line <= place.last and hit.end_line >= place.first


def _same(path: str, other: str) -> bool:
    return f"/{path}".endswith(f"/{other}") or f"/{other}".endswith(f"/{path}")


def ranks(hits: Sequence[Found], places: Iterable[Place]) -> list[int]:
    """The rank, from 1, at which each place is first touched; places that are not touched are left out."""
    firsts = (next((rank for rank, hit in enumerate(hits, 1) if touches(hit, place)), None) for place in places)
    return [rank for rank in firsts if rank is not None]


def ndcg(found: Iterable[int], places: int) -> float:
    """nDCG@10 with equal gains; several places first touched at one rank earn its gain once."""
    earned = sum(1 / math.log2(rank + 1) for rank in {rank for rank in found if rank <= DEPTH})
    return earned / sum(1 / math.log2(rank + 1) for rank in range(1, min(DEPTH, places) + 1))


def tokens(hit: Found) -> int:
    """What a hit costs its reader: a line with its place and the text shown of it, counted as codeloupe counts."""
    place = hit.file_path if hit.start_line is None else f"{hit.file_path}:{hit.start_line}-{hit.end_line}"
    return estimated_tokens(f"{place}\n{hit.shown}\n")


def within(hits: Sequence[Found], budget: int) -> list[Found]:
    """The hits, from the best, that fit into an answer of so many tokens as wholes."""
    spent, fitting = 0, []
    for hit in hits:
        spent += tokens(hit)
        if spent > budget:
            break
        fitting.append(hit)
    return fitting


def by_repository(questions: Sequence[Question], values: Sequence[float]) -> float:
    """The mean of the repositories' means."""
    rows: dict[str, list[float]] = defaultdict(list)
    for one, value in zip(questions, values, strict=True):
        rows[one.repository].append(value)
    return fmean(map(fmean, rows.values()))


def ranking_figures(questions: Sequence[Question], answers: Sequence[Sequence[Found]]) -> dict[str, float]:
    """nDCG@10, of each kind too, recall@10, and the share of questions whose first hit is right."""
    found = [ranks(hits[:DEPTH], one.places) for one, hits in zip(questions, answers, strict=True)]
    gains = [ndcg(row, len(one.places)) for one, row in zip(questions, found, strict=True)]
    figures = {"ndcg": by_repository(questions, gains)}
    for kind in sorted({one.kind for one in questions}):
        chosen = [index for index, one in enumerate(questions) if one.kind == kind]
        figures[kind] = by_repository([questions[index] for index in chosen], [gains[index] for index in chosen])
    recalls = [len(row) / len(one.places) for one, row in zip(questions, found, strict=True)]
    figures["recall"] = by_repository(questions, recalls)
    figures["first"] = by_repository(questions, [float(1 in row) for row in found])
    return {name: round(value, 4) for name, value in figures.items()}


def token_figures(questions: Sequence[Question], answers: Sequence[Sequence[Sequence[Found]]]) -> list[float]:
    """Recall of the right places within each of BUDGETS; one sequence of answers for each, or one to be cut for all."""
    found = []
    for budget, given in zip(BUDGETS, answers if len(answers) > 1 else [answers[0]] * len(BUDGETS), strict=True):
        shares = [
            len(ranks(within(hits, budget), one.places)) / len(one.places)
            for one, hits in zip(questions, given, strict=True)
        ]
        found.append(round(by_repository(questions, shares), 4))
    return found
