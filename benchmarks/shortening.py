"""What is lost where only the first components of a vector are kept (model.dimensions).

    python -m benchmarks.shortening [--model NAME] [--functions 1500] [--dimensions 192 96 ...]

The first paragraph of a documented function of Python's standard library asks for that function, which is shown to the
model without its documentation, among all the others. Every row is cut from the same vectors, and the whole ones stand
first. "Best of as many dice" are random directions in place of the first components: what any cut of that length keeps.
"""

from __future__ import annotations

import argparse
import ast
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.quality.measures import figures
from embedding.open import open_embedder
from mcp_server.home import cache_directory, data_directory
from mcp_server.settings import load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

LEAST_LINES = 4  # shorter ones are hardly more than their signature
LEAST_WORDS = 4
SHARES = (3 / 4, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 8)
HITS = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """A documented function: what its documentation says first, and its text without that."""

    question: str
    text: str


def functions(library: Path) -> Iterator[Asked]:
    """Every documented function and method of the modules in ``library``, tests left out."""
    for path in sorted(library.rglob("*.py")):
        inner = path.relative_to(library).parts
        if {"site-packages", "test", "tests", "idlelib", "lib2to3"} & set(inner):
            continue
        try:
            source = path.read_text(encoding="utf-8")
            tree = ast.parse(source)
        except (ValueError, SyntaxError):
            continue
        yield from _documented(tree, source.splitlines())


def _documented(tree: ast.Module, lines: list[str]) -> Iterator[Asked]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or not (said := ast.get_docstring(node)):
            continue
        question, documentation = " ".join(said.split("\n\n")[0].split()), node.body[0]
        kept = lines[node.lineno - 1 : documentation.lineno - 1] + lines[documentation.end_lineno : node.end_lineno]
        if len(kept) >= LEAST_LINES and len(question.split()) >= LEAST_WORDS:
            yield Asked(question, "\n".join(kept))


def cut(vectors: Vectors, dim: int) -> Vectors:
    first = vectors[:, :dim]
    short: Vectors = first / np.linalg.norm(first, axis=1, keepdims=True)
    return short


def row(name: str, questions: Vectors, texts: Vectors, whole_hits: NDArray[np.intp]) -> str:
    """How well the right function is found, how like the whole vectors' hits these are, and where noise ends."""
    similar = questions @ texts.T
    right = np.diagonal(similar)
    ranks = [int(rank) for rank in 1 + (similar > right[:, None]).sum(1)]
    found = figures(ranks)
    first = sum(rank == 1 for rank in ranks) / len(ranks)
    hits = np.argsort(-similar, axis=1)[:, :HITS]
    same = np.mean([len(set(mine) & set(theirs)) / HITS for mine, theirs in zip(hits, whole_hits, strict=True)])
    others = similar[~np.eye(len(similar), dtype=bool)]
    noise, least = np.percentile(others, 95), np.percentile(right, 5)
    return f"| {name} | {found.mrr:.3f} | {first:.3f} | {found.recall:.3f} | {same:.3f} | {least:.2f} | {noise:.2f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="")
    parser.add_argument("--functions", type=int, default=1500)
    parser.add_argument("--dimensions", type=int, nargs="*")
    wanted = parser.parse_args()
    chosen = load(None, [f"model.name={wanted.model}"] if wanted.model else []).settings
    whole = chosen.model.model_copy(update={"dimensions": 0})
    asked = list(functions(Path(sysconfig.get_path("stdlib"))))
    asked = asked[:: max(1, len(asked) // wanted.functions)][: wanted.functions]
    embedder = open_embedder(whole, chosen.memory, data_directory(), cache_directory())
    try:
        questions = np.stack([embedder.embed_query(one.question) for one in asked])
        texts = embedder.embed_documents([one.text for one in asked])
    finally:
        embedder.close()
    print(f"{len(asked)} functions, {embedder.fingerprint}")
    print("| components | MRR@10 | recall@1 | recall@10 | same top 10 | right, 5th percentile | others, 95th |")
    print("|---" * 7 + "|")
    hits = np.argsort(-(questions @ texts.T), axis=1)[:, :HITS]
    print(row(f"{embedder.dim}, all", questions, texts, hits))
    directions = np.linalg.qr(np.random.default_rng(1).normal(size=(embedder.dim, embedder.dim)))[0].astype(np.float32)
    for dim in wanted.dimensions or [int(embedder.dim * share) for share in SHARES]:
        print(row(f"{dim}, the first", cut(questions, dim), cut(texts, dim), hits))
        print(row(f"{dim}, of dice", cut(questions @ directions, dim), cut(texts @ directions, dim), hits), flush=True)


if __name__ == "__main__":
    main()
