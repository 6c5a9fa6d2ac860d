"""The rank of every question's answer, through the product's own pipeline: walked, cut, embedded, searched.

Ranks by text are the same on every machine. Vectors are not: processors add in different orders. So a rank with vectors
is a range: what it is here, and with the query's vector moved at random as far as the embedding's own tests allow it to
be from the published weights (a cosine of .999, tests/embedding/test_embedder.py). Another machine's rank lies in it.
It is a wide allowance: AVX-512 with half precision is at .999998 from NumPy with single precision, and a text embedded
alone at .9999996 from the same text in a batch.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from embedding.embedder import Embedder
from indexer.cutting import Cutting
from indexer.pipeline import refresh_text
from indexer.refine import Refiner
from indexer.settings import IndexSettings
from storage.fingerprint import Fingerprint
from storage.memory import MemoryStore
from storage.search import Query, search
from tests.ranking.questions import CORPUS, Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEEPEST = 20  # hits looked at; two pages of an answer
ABSENT = DEEPEST + 1
NEAREST_COSINE = 0.999
MOVES = 8  # 7 of 208 ranks have a range; twelve moves found the same


@dataclass(frozen=True, slots=True)
class Ranks:
    """Of one question's answer, 1 to ABSENT: by text; with vectors, as measured and as the range it may have."""

    text: int
    here: int
    best: int
    worst: int


def index_corpus(directory: Path, embedder: Embedder) -> MemoryStore:
    """The corpus, copied to ``directory`` so that no repository's ignore files bear on it, indexed to the end."""
    root = shutil.copytree(CORPUS, directory / "corpus", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    store = MemoryStore()
    store.reset(Fingerprint("golden", "golden", embedder.fingerprint, embedder.dim))
    refresh_text(root, store, Cutting(IndexSettings()), lambda _: None, lambda: False)
    Refiner().run(store, embedder, lambda _: None, lambda: False)
    return store


def measure(store: MemoryStore, embedder: Embedder, questions: Iterable[Question]) -> dict[Question, Ranks]:
    """The ranks of every question."""
    return {question: _ranks(store, embedder, question) for question in questions}


def _ranks(store: MemoryStore, embedder: Embedder, question: Question) -> Ranks:
    vector = embedder.embed_query(question.text)

    def with_vector(asked: NDArray[np.float32]) -> int:
        return rank(store, question, Query(question.text, asked, limit=DEEPEST, min_similarity=embedder.min_similarity))

    here = with_vector(vector)
    moved = [with_vector(other) for other in moves(vector, question.text)]
    by_text = rank(store, question, Query(question.text, mode="text", limit=DEEPEST))
    return Ranks(by_text, here, min(here, *moved), max(here, *moved))


def rank(store: MemoryStore, question: Question, query: Query) -> int:
    """The place of the first hit that answers, from 1; ABSENT where none of the first DEEPEST does."""
    for place, hit in enumerate(search(store, query).hits, 1):
        if any(target.is_in(hit.chunk) for target in question.targets):
            return place
    return ABSENT


def moves(vector: NDArray[np.float32], seed: str) -> list[NDArray[np.float32]]:
    """MOVES vectors of norm 1, each at a cosine of NEAREST_COSINE from ``vector``, in random directions."""
    random = np.random.default_rng(crc32(seed.encode()))
    sideways = random.standard_normal((MOVES, len(vector)))
    sideways -= np.outer(sideways @ vector, vector)
    sideways /= np.linalg.norm(sideways, axis=1, keepdims=True)
    moved = NEAREST_COSINE * vector + math.sqrt(1 - NEAREST_COSINE**2) * sideways
    return list(moved.astype(np.float32))
