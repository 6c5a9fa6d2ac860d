"""Wrappers around the contracts, hung in where this package composes the parts: the leaves know nothing of metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, cast

from embedding.cached import CachedEmbedder
from embedding.embedder import Embedder
from embedding.shortened import Shortened
from mcp_server.metrics import families
from mcp_server.metrics.families import Family
from mcp_server.metrics.meter import Meter, error_name
from storage.chunk import FileRows
from storage.store import ChunkStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mcp_server.meaning import Meaning

    Vectors = NDArray[np.float32]

P = ParamSpec("P")
T = TypeVar("T")

LEGS = {"find_text": "text", "find_sketch": "sketch", "find_near": "vector", "find_matches": "pattern"}


class ErrorsCounted:
    """A block whose error is counted and passed on; a cancellation is none."""

    def __init__(self, meter: Meter, where: str) -> None:
        self._meter = meter
        self._where = where

    def __enter__(self) -> None:
        """Nothing yet."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Count it."""
        if isinstance(error, Exception):
            self._meter.count(families.ERRORS, self._where, error_name(error))


class _Wrapped:
    """An Embedder before another one: what both have in common."""

    def __init__(self, inner: Embedder, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    @property
    def inner(self) -> Embedder:
        """The one behind."""
        return self._inner

    @property
    def fingerprint(self) -> str:
        """The inner one's."""
        return self._inner.fingerprint

    @property
    def dim(self) -> int:
        """The inner one's."""
        return self._inner.dim

    @property
    def min_similarity(self) -> float:
        """The inner one's."""
        return self._inner.min_similarity

    @property
    def parallel(self) -> int:
        """The inner one's."""
        return self._inner.parallel

    def remembered(self, texts: Sequence[str]) -> dict[int, Vectors]:
        """See Embedder."""
        return self._inner.remembered(texts)

    def close(self) -> None:
        """Close the inner one."""
        self._inner.close()


class MeasuredEmbedder(_Wrapped):
    """An Embedder before the model: calls are timed, texts and errors counted. Its place is behind the cache."""

    def __init__(self, inner: Embedder, meter: Meter) -> None:
        super().__init__(inner, meter)
        self._here = threading.local()

    @property
    def asked_here(self) -> int:
        """How many documents this thread has asked for; the cache before it asks on the thread of its caller."""
        return getattr(self._here, "asked", 0)

    def embed_documents(self, texts: Sequence[str], timeout_s: float | None = None) -> Vectors:
        """See Embedder."""
        self._here.asked = self.asked_here + len(texts)
        with self._call("document", len(texts)):
            return self._inner.embed_documents(texts, timeout_s)

    def embed_query(self, text: str, timeout_s: float | None = None) -> Vectors:
        """See Embedder."""
        with self._call("query", 1):
            return self._inner.embed_query(text, timeout_s)

    @contextmanager
    def _call(self, kind: str, texts: int) -> Iterator[None]:
        with self._meter.timed(families.EMBEDDING, kind), ErrorsCounted(self._meter, "embedding"):
            yield
        self._meter.count(families.TEXTS, kind, by=texts)


class CountedCache(_Wrapped):
    """An Embedder before the vector cache: counts what the cache knew, and what went through to the model."""

    def __init__(self, inner: Embedder, model: MeasuredEmbedder, meter: Meter) -> None:
        super().__init__(inner, meter)
        self._model = model

    def remembered(self, texts: Sequence[str]) -> dict[int, Vectors]:
        """See Embedder. What is not known is no miss yet: it is asked for again, and then goes to the model."""
        known = self._inner.remembered(texts)
        self._found(len(known))
        return known

    def embed_documents(self, texts: Sequence[str], timeout_s: float | None = None) -> Vectors:
        """See Embedder. Texts asked for twice at once, here or elsewhere, and made once are hits."""
        before = self._model.asked_here
        try:
            vectors = self._inner.embed_documents(texts, timeout_s)
        finally:
            missed = self._model.asked_here - before
            if missed:
                self._meter.count(families.VECTOR_CACHE, "miss", by=missed)
        self._found(len(texts) - missed)
        return vectors

    def embed_query(self, text: str, timeout_s: float | None = None) -> Vectors:
        """See Embedder; the vector cache has no queries."""
        return self._inner.embed_query(text, timeout_s)

    def _found(self, hits: int) -> None:
        if hits:
            self._meter.count(families.VECTOR_CACHE, "hit", by=hits)


def measured(embedder: Embedder, meter: Meter) -> Embedder:
    """``embedder`` with its model timed and its cache counted."""
    if isinstance(embedder, Shortened):
        return embedder.over(measured(embedder.inner, meter))
    if isinstance(embedder, CachedEmbedder):
        model = MeasuredEmbedder(embedder.inner, meter)
        return CountedCache(embedder.over(model), model, meter)
    return MeasuredEmbedder(embedder, meter)


def measured_meaning(meaning: Meaning, meter: Meter) -> Meaning:
    """``meaning`` with a measured model, where it has one."""
    return replace(meaning, embedder=measured(meaning.embedder, meter)) if meaning.embedder else meaning


class MeasuredStore:
    """A ChunkStore whose answers are timed and whose growth is counted; all else of the contract passes through."""

    def __init__(self, inner: ChunkStore, meter: Meter) -> None:
        self._inner = inner
        self._meter = meter

    def __getattr__(self, name: str) -> Any:
        """The rest of the contract; what finds candidates is timed."""
        found = getattr(self._inner, name)
        return self._timed(found, LEGS[name]) if name in LEGS else found

    def replace_files(self, files: Sequence[FileRows]) -> None:
        """See ChunkStore; files that are skipped are not indexed."""
        self._inner.replace_files(files)
        self._count(families.FILES, sum(not rows.record.skipped for rows in files))
        self._count(families.CHUNKS, sum(len(rows.chunks) for rows in files))

    def delete_files(self, paths: Collection[str]) -> None:
        """See ChunkStore."""
        self._inner.delete_files(paths)
        self._count(families.REMOVED, len(paths))

    def add_vectors(self, ids: Sequence[str], vectors: Vectors) -> None:
        """See ChunkStore."""
        self._inner.add_vectors(ids, vectors)
        self._count(families.VECTORS, len(ids))

    def _timed(self, find: Callable[P, T], leg: str) -> Callable[P, T]:
        @wraps(find)
        def timed(*args: P.args, **kwargs: P.kwargs) -> T:
            with self._meter.timed(families.STORE, leg), ErrorsCounted(self._meter, "store"):
                return find(*args, **kwargs)

        return timed

    def _count(self, family: Family, number: int) -> None:
        if number:
            self._meter.count(family, by=number)


def measured_store(store: ChunkStore, meter: Meter) -> ChunkStore:
    """``store``, timed and counted."""
    return cast("ChunkStore", MeasuredStore(store, meter))


class Remembering:
    """``call``, whose last answers are remembered by its arguments; hits and misses are counted. Errors are misses."""

    def __init__(self, call: Callable[[str, str], Vectors], most: int, meter: Meter) -> None:
        self._call = call
        self._meter = meter
        self._here = threading.local()
        self._known = lru_cache(maxsize=most)(self._missed)

    def __call__(self, query: str, example: str) -> Vectors:
        """The answer, remembered or made."""
        self._here.missed = False
        try:
            return self._known(query, example)
        finally:
            self._meter.count(families.QUERY_CACHE, "miss" if self._here.missed else "hit")

    def _missed(self, query: str, example: str) -> Vectors:
        self._here.missed = True
        return self._call(query, example)


class IndexRun:
    """A block that is one run of the indexer, counted by how it ended; ``finished`` is set where all was done."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.finished = False

    def __enter__(self) -> Self:
        """It begins."""
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: object) -> None:
        """It has ended."""
        self._meter.count(families.RUNS, "failed" if kind else "finished" if self.finished else "interrupted")
