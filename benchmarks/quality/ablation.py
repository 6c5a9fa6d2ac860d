"""What each step of the ranking is worth: the same candidates ranked again, with one step taken away at a time.

    python -m benchmarks.quality ablation --questions DIR --repositories DIR --functions DIR [--every 10]

Prints the table of docs/ranking.md: nDCG@10 by text alone and by both tiers, on the questions about repositories and on
functions by their documentation (every Nth of them). Everything is indexed anew in a scratch directory, in process;
vectors come from the user's cache where it has them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.quality.compare import functions_of, questions_of
from benchmarks.quality.judging import Question, ranking_figures
from benchmarks.quality.peers import Found as Shown
from embedding.embedder import Embedder
from indexer.cutting import Cutting
from indexer.pipeline import refresh_text
from indexer.refine import Refiner
from indexer.settings import IndexSettings
from mcp_server.meaning import open_meaning
from mcp_server.settings import load
from storage.fingerprint import Fingerprint
from storage.lance_store import LanceStore
from storage.ranking.asking import Asked, understand
from storage.ranking.ranking import WEIGHTS, Gathered, Weights, rank
from storage.schema import SCHEMA
from storage.search import DEPTH_ALONE, DEPTH_TOGETHER, Query, gather

HITS = 10
Lines = Mapping[str, tuple[int, int]]  # of each candidate, by id


@dataclass(frozen=True, slots=True)
class Case:
    """A question and what the store said to it, by text alone and by both tiers, before it is ranked."""

    question: Question
    asked: Asked
    text: Gathered
    both: Gathered
    lines: Lines


@dataclass(frozen=True, slots=True)
class Variant:
    """The ranking with something taken away."""

    name: str
    weights: Weights = WEIGHTS
    named: bool = True  # whether definitions are looked for by name


def _without(*names: str) -> Weights:
    return replace(WEIGHTS, **dict.fromkeys(names, 0))


STEPS = ("stem", "exact", "folder", "links", "definition", "name", "phrase", "path", "place")
VARIANTS = (
    Variant("all of it"),
    *(Variant(f"without {step}", _without(step)) for step in STEPS),
    Variant("without the evidence of a file's other chunks", _without("others")),
    Variant("further chunks keep all of their file's standing", replace(WEIGHTS, shared=1.0)),
    Variant("without looking for definitions by name", named=False),
    Variant("none of it: the legs alone", _without("others", "line", *STEPS), named=False),
)


def main(argv: Sequence[str] | None = None) -> None:
    """Gather candidates once, rank them in every variant, print the table."""
    arguments = _arguments(argv)
    sets = {"repositories": questions_of(arguments.questions, arguments.repositories, ())}
    if arguments.functions:
        every = functions_of(arguments.functions, ())
        sets["functions"] = [(root, questions[:: arguments.every]) for root, questions in every]
    embedder = open_meaning(load(None).settings).embedder
    if embedder is None:
        raise SystemExit("There is no embedding model; obtain it with `codeloupe models pull`.")
    cases = {
        name: [case for root, questions in one for case in gathered(root, questions, embedder)]
        for name, one in sets.items()
    }
    embedder.close()
    print(heading(cases))
    for variant in VARIANTS:
        print(line(variant, cases), flush=True)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument("--functions", type=Path, help="where the function-level set is built")
    parser.add_argument("--every", type=int, default=10)
    return parser.parse_args(argv)


def gathered(root: Path, questions: Sequence[Question], embedder: Embedder) -> Iterator[Case]:
    """The candidates of each question, from an index of ``root`` made for the purpose."""
    with tempfile.TemporaryDirectory() as scratch:
        store = LanceStore(Path(scratch))
        store.reset(Fingerprint(SCHEMA, "ablation", embedder.fingerprint, embedder.dim))
        refresh_text(root, store, Cutting(IndexSettings()), lambda _: None, lambda: False)
        store.maintain()
        Refiner().run(store, embedder, lambda _: None, lambda: False)
        store.maintain()
        for question in questions:
            asked = understand(question.query)
            query = Query(question.query, embedder.embed_query(question.query), min_similarity=embedder.min_similarity)
            text = gather(store, replace(query, mode="text"), asked, DEPTH_ALONE)
            both = gather(store, query, asked, DEPTH_TOGETHER)
            chunks = store.chunks(text.outlines.keys() | both.outlines.keys()).values()
            yield Case(question, asked, text, both, {chunk.id: (chunk.start_line, chunk.end_line) for chunk in chunks})
        store.close()


def heading(cases: Mapping[str, Sequence[Case]]) -> str:
    """The first two lines of the table."""
    kinds = [f"{name}, {way}" for name in cases for way in ("text", "both")]
    return f"| | {' | '.join(kinds)} |\n|---{'|---' * len(kinds)}|"


def line(variant: Variant, cases: Mapping[str, Sequence[Case]]) -> str:
    """One variant's nDCG@10: of all questions, then of each kind."""
    cells = []
    for some in cases.values():
        questions = [case.question for case in some]
        for way in ("text", "both"):
            figures = ranking_figures(questions, [shown(variant, case, getattr(case, way)) for case in some])
            kinds = sorted(figures.keys() - {"ndcg", "recall", "first"})
            cells.append(f"{figures['ndcg']:.3f} ({', '.join(f'{kind} {figures[kind]:.3f}' for kind in kinds)})")
    return f"| {variant.name} | {' | '.join(cells)} |"


def shown(variant: Variant, case: Case, found: Gathered) -> list[Shown]:
    """The best hits of a case, ranked as the variant does."""
    found = found if variant.named else replace(found, named=())
    best = rank(case.asked, found, variant.weights)[:HITS]
    return [Shown(one.outline.file_path, *case.lines[one.outline.id], "") for one in best]


if __name__ == "__main__":
    main()
