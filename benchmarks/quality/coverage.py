"""How good answers are while vectors are being made: nDCG@10 of text, of text and sketch, and with a share of vectors.

    python -m benchmarks.quality coverage --questions DIR --repositories DIR --functions DIR [--every 10]
                                          [--figures docs/coverage.json] [--page docs/quality.md]
                                          [--cases FILE] [--weights sketch=0.2 ...]

Every directory is indexed anew in a scratch directory, in process; vectors come from the user's cache where it has
them. Chunks get their vectors in the order in which refining takes them where nobody asks for anything
(indexer/priorities.py), and once more in a random order. With ``--cases`` the candidates are kept in that file, or
taken from it if it is there: then other weights are tried in seconds.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.quality.compare import functions_of, questions_of
from benchmarks.quality.judging import Question, ranking_figures
from benchmarks.quality.peers import Found as Shown
from embedding.embedder import Embedder
from embedding.lookup import LookupTable
from indexer.cutting import Cutting
from indexer.pipeline import refresh_text
from indexer.priorities import Known, embedding_order
from mcp_server.meaning import Meaning, open_meaning, wanted_fingerprint
from mcp_server.settings import load
from storage.chunk import Candidate
from storage.lance_store import LanceStore
from storage.ranking.asking import Asked, understand
from storage.ranking.ranking import WEIGHTS, Gathered, Weights, rank
from storage.search import DEPTH_ALONE, DEPTH_TOGETHER, NEAR, Query, gather
from storage.store import ChunkStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

HITS = 10
SHARES = (0, 10, 25, 50, 100)  # per cent of the chunks that have a vector
ORDERS = ("refining", "random")
TEXT, SKETCH, AGAIN = "text", "text + sketch", "asked again"
EMBEDDED_AT_ONCE = 2_048
Stage = tuple[str, str]  # what is asked or how many have vectors, and in which order they got them, "" where none has
Lines = Mapping[str, tuple[int, int]]  # of each candidate, by id


@dataclass(frozen=True, slots=True)
class Case:
    """A question, and what the store said to it at each stage, before it is ranked."""

    question: Question
    asked: Asked
    found: Mapping[Stage, Gathered]
    lines: Lines


def main(argv: Sequence[str] | None = None) -> None:
    """Gather candidates at every stage, rank them, print the table and where it falls; keep the figures where asked."""
    arguments = _arguments(argv)
    cases = _kept(arguments.cases) or _gathered(arguments)
    if arguments.cases:
        arguments.cases.write_bytes(pickle.dumps(cases))
    measured = figures(cases, replace(WEIGHTS, **arguments.weights))
    print(table(measured))
    for fall in falls(measured):
        print(f"FALLS  {fall}")
    if arguments.page:
        page = in_page(arguments.page.read_text(encoding="utf-8"), table(measured))
        arguments.page.write_text(page, encoding="utf-8")
    if arguments.figures:
        arguments.figures.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--repositories", type=Path)
    parser.add_argument("--functions", type=Path, help="where the function-level set is built")
    parser.add_argument("--only", nargs="*", default=(), help="repositories and languages; all by default")
    parser.add_argument("--every", type=int, default=10, help="of the function-level set, every Nth question")
    parser.add_argument("--figures", type=Path, help="where to keep the figures, as JSON")
    parser.add_argument("--page", type=Path, help="a page whose table is to be replaced by this one")
    parser.add_argument("--cases", type=Path, help="where to keep the candidates, or to take them from")
    parser.add_argument("--weights", nargs="*", default=(), metavar="NAME=NUMBER", help="other numbers of the ranking")
    arguments = parser.parse_args(argv)
    named = (one.partition("=") for one in arguments.weights)
    arguments.weights = {name: float(number) for name, _, number in named}
    return arguments


def _kept(file: Path | None) -> dict[str, list[Case]]:
    kept: dict[str, list[Case]] = pickle.loads(file.read_bytes()) if file and file.exists() else {}
    return kept


def _gathered(arguments: argparse.Namespace) -> dict[str, list[Case]]:
    sets = {}
    if arguments.questions:
        sets["repositories"] = questions_of(arguments.questions, arguments.repositories, arguments.only)
    if arguments.functions:
        every = functions_of(arguments.functions, arguments.only)
        sets["functions"] = [(root, questions[:: arguments.every]) for root, questions in every]
    meaning = open_meaning(load(None).settings)
    if meaning.embedder is None:
        raise SystemExit(f"There is no embedding model: {meaning.off}")
    try:
        return {
            name: [case for root, some in one for case in cases_of(root, some, meaning)] for name, one in sets.items()
        }
    finally:
        meaning.embedder.close()


def cases_of(root: Path, questions: Sequence[Question], meaning: Meaning) -> list[Case]:
    """The candidates of each question at each stage, from an index of ``root`` made for the purpose."""
    embedder, settings = meaning.embedder, load(None).settings
    assert embedder is not None
    with tempfile.TemporaryDirectory() as scratch:
        store = LanceStore(Path(scratch), "exact")  # what an index over vectors loses is measured elsewhere
        fingerprint = wanted_fingerprint(settings, meaning)
        store.reset(fingerprint)
        refresh_text(root, store, Cutting(settings.index, meaning.table), lambda _: None, lambda: False)
        store.maintain()
        panel = Panel(store, questions, embedder, meaning.table)
        panel.ask((TEXT, ""), lambda query: replace(query, sketch=None, vector=None))
        panel.ask((SKETCH, ""), lambda query: replace(query, vector=None))
        vectors = _vectors(store, embedder)
        panel.ask_again(vectors)
        for order in ORDERS:
            store.reset_vectors(fingerprint)
            for share, ids in portions(_ordered(store, order)):
                store.add_vectors(ids, np.stack([vectors[chunk_id] for chunk_id in ids]))
                panel.ask((f"{share} %", order), partial(replace, covered=share / 100))
        print(f"{root}: {len(vectors):,} chunks, {len(questions)} questions", flush=True)
        cases = panel.cases()
        store.close()
        return cases


class Panel:
    """Questions that are put to a store at one stage after the other."""

    def __init__(
        self, store: ChunkStore, questions: Sequence[Question], embedder: Embedder, table: LookupTable | None
    ) -> None:
        self._store = store
        self._questions = questions
        self._queries = [_query(question.query, embedder, table) for question in questions]
        self._found: list[dict[Stage, Gathered]] = [{} for _ in questions]

    def ask(self, stage: Stage, edited: Callable[[Query], Query]) -> None:
        """Put all questions, ``edited``."""
        for query, found in zip(self._queries, self._found, strict=True):
            asked = edited(query)
            depth = DEPTH_TOGETHER if len(asked.legs) > 1 else DEPTH_ALONE
            found[stage] = gather(self._store, asked, understand(asked.text), depth)

    def ask_again(self, vectors: Mapping[str, Vector]) -> None:
        """Put all questions once more, when what each nearly found has its vectors, and nothing else has."""
        for query, found in zip(self._queries, self._found, strict=True):
            before = found[SKETCH, ""]
            outlines = [one.outline for one in rank(understand(query.text), before)[:NEAR]]
            assert query.vector is not None
            near = [Candidate(outline, float(vectors[outline.id] @ query.vector)) for outline in outlines]
            leg = sorted((one for one in near if one.score >= query.min_similarity), key=lambda one: -one.score)
            others = {one.outline.id for candidates in before.legs.values() for one in candidates}
            reach = len(others.intersection(outline.id for outline in outlines)) / max(1, len(others))
            found[AGAIN, ""] = replace(before, legs={**before.legs, "vector": leg[:DEPTH_TOGETHER]}, reach=reach)

    def cases(self) -> list[Case]:
        """Everything that was said."""
        ids = {chunk_id for found in self._found for gathered in found.values() for chunk_id in gathered.outlines}
        lines = {chunk.id: (chunk.start_line, chunk.end_line) for chunk in self._store.chunks(ids).values()}
        return [
            Case(question, understand(question.query), found, lines)
            for question, found in zip(self._questions, self._found, strict=True)
        ]


def _query(text: str, embedder: Embedder, table: LookupTable | None) -> Query:
    sketch = table.sketch([text]).vectors[0] if table else None
    vector = embedder.embed_query(text)
    return Query(
        text, vector, sketch if sketch is not None and sketch.any() else None, min_similarity=embedder.min_similarity
    )


def _vectors(store: ChunkStore, embedder: Embedder) -> dict[str, Vector]:
    """The vector of each chunk, by id."""
    chunks = store.missing_vectors(store.stats().chunks)
    found: dict[str, Vector] = {}
    for start in range(0, len(chunks), EMBEDDED_AT_ONCE):
        part = chunks[start : start + EMBEDDED_AT_ONCE]
        made = embedder.embed_documents([chunk.embedding_text() for chunk in part])
        found.update(zip((chunk.id for chunk in part), made, strict=True))
    return found


def _ordered(store: ChunkStore, order: str) -> list[str]:
    """Ids of all chunks, none of which has a vector, in the order in which they get one."""
    chunks = store.missing_vectors(store.stats().chunks)
    if order == "random":
        return random.Random(4).sample([chunk.id for chunk in chunks], len(chunks))
    paths = {chunk.file_path for chunk in chunks}
    # Times of a fresh checkout say nothing, as in a clone.
    place = {path: place for place, path in enumerate(embedding_order(paths, Known({}, store.links(paths), 0)))}
    return [chunk.id for chunk in sorted(chunks, key=lambda chunk: place[chunk.file_path])]


def portions(ids: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Each of SHARES above 0 with the ids that are added to reach it."""
    done = 0
    for share in SHARES[1:]:
        end = len(ids) * share // 100
        if end > done:
            yield share, ids[done:end]
            done = end


def figures(cases: Mapping[str, Sequence[Case]], weights: Weights) -> dict[str, Any]:
    """nDCG@10 by set, kind of question and stage: ``{set: {kind: {order: {stage: figure}}}}``, text under ""."""
    found: dict[str, Any] = {}
    for name, some in cases.items():
        stages = list(dict.fromkeys(stage for case in some for stage in case.found))
        for stage, order in stages:
            answered = [case for case in some if (stage, order) in case.found]
            shown = [_shown(case, case.found[stage, order], weights) for case in answered]
            row = ranking_figures([case.question for case in answered], shown)
            for kind in row.keys() - {"recall", "first"}:
                found.setdefault(name, {}).setdefault(kind, {}).setdefault(order, {})[stage] = row[kind]
    return found


def _shown(case: Case, found: Gathered, weights: Weights) -> list[Shown]:
    best = rank(case.asked, found, weights)[:HITS]
    return [Shown(one.outline.file_path, *case.lines[one.outline.id], "") for one in best]


def table(measured: Mapping[str, Any]) -> str:
    """Markdown: a line for each set and kind, and each order; a column for each stage."""
    stages = [TEXT, SKETCH, AGAIN, *(f"{share} %" for share in SHARES[1:])]
    lines = [f"| questions | order | {' | '.join(stages)} |", "|---" * (len(stages) + 2) + "|"]
    for name, kinds in measured.items():
        for kind in sorted(kinds, key=lambda kind: (kind != "ndcg", kind)):
            title = name if kind == "ndcg" else f"{name}, {kind}"
            lines += [f"| {title} | {order} | {' | '.join(_row(kinds[kind], order, stages))} |" for order in ORDERS]
    return "\n".join(lines)


def in_page(page: str, lines: str) -> str:
    """The page with this table in place of its own; ValueError where it has none, or several."""
    before, after = re.split(r"^\| questions \| order.*\n(?:\|.*\n)+", page, flags=re.MULTILINE)
    return f"{before}{lines}\n{after}"


def _row(orders: Mapping[str, Mapping[str, float]], order: str, stages: Sequence[str]) -> list[str]:
    known = {**orders[""], **orders.get(order, {})}
    return [f"{known[stage]:.3f}" if stage in known else "" for stage in stages]


def falls(measured: Mapping[str, Any], least: float = 0.002) -> list[str]:
    """Where answers got worse with more vectors, in words; less than ``least`` is noise."""
    found = []
    for name, kinds in measured.items():
        for order in ORDERS:
            known = {**kinds["ndcg"][""], **kinds["ndcg"].get(order, {})}
            known.pop(AGAIN, None)  # not on the way: of each question alone
            for (before, first), (stage, second) in pairwise(known.items()):
                if second < first - least:
                    found.append(f"{name}, {order}: {first:.3f} with {before}, {second:.3f} with {stage}")
    return found


if __name__ == "__main__":
    main()
