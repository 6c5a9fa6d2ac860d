"""What the wrappers count, and that whoever is wrapped is none the wiser."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

from embedding.cache import VectorCache
from embedding.cached import CachedEmbedder
from embedding.errors import ModelFailedError
from embedding.shortened import Shortened, note_of
from indexer.refine import Refiner
from mcp_server.metrics import families
from mcp_server.metrics.counts import Counts
from mcp_server.metrics.meter import Meter
from mcp_server.metrics.wrappers import LEGS, IndexRun, Remembering, measured, measured_store
from mcp_server.served import uncached
from storage.chunk import Filters
from storage.errors import InvalidPatternError
from storage.memory import MemoryStore
from storage.store import ChunkStore, Pattern
from tests.indexer.embedders import Noting
from tests.storage.samples import DIM, FINGERPRINT, python_sources, vector_of


def cached(model: Noting, tmp_path: Path) -> CachedEmbedder:
    return CachedEmbedder(model, VectorCache(tmp_path / "vectors.sqlite3", 1 << 20))


def lookups(counts: Counts) -> tuple[int, int]:
    return counts.number(families.VECTOR_CACHE, "hit"), counts.number(families.VECTOR_CACHE, "miss")


def test_hits_and_misses_of_the_vector_cache_are_told_apart(tmp_path: Path) -> None:
    meter, model = Meter(), Noting()
    embedder = measured(cached(model, tmp_path), meter)
    embedder.embed_documents(["moor", "sail", "sail"])  # asked for twice at once, and made once
    assert lookups(meter.counts()) == (1, 2)
    embedder.embed_documents(["moor", "anchor"])
    assert lookups(meter.counts()) == (2, 3)
    assert sorted(model.asked) == ["anchor", "moor", "sail"]
    assert meter.counts().number(families.TEXTS, "document") == 3


def test_what_refining_looks_up_ahead_is_counted_once_known_or_not(tmp_path: Path) -> None:
    meter = Meter()
    embedder = measured(cached(Noting(), tmp_path), meter)
    embedder.embed_documents(["moor"])
    before = lookups(meter.counts())
    assert set(embedder.remembered(["moor", "sail"])) == {0}
    embedder.embed_documents(["sail"])
    assert lookups(meter.counts()) == (before[0] + 1, before[1] + 1)


def test_a_model_that_fails_is_timed_and_its_error_counted_by_its_name(tmp_path: Path) -> None:
    meter, model = Meter(), Noting()
    model.fails_at = "sail"
    with pytest.raises(ModelFailedError):
        measured(cached(model, tmp_path), meter).embed_documents(["moor", "sail"])
    counts = meter.counts()
    assert counts.numbers_of(families.ERRORS) == {("embedding", "ModelFailedError"): 1}
    assert counts.time(families.EMBEDDING, "document").count == 1
    assert counts.number(families.TEXTS, "document") == 0
    assert lookups(counts) == (0, 2)


def test_past_the_cache_the_model_is_measured_all_the_same(tmp_path: Path) -> None:
    meter, model = Meter(), Noting()
    embedder = uncached(measured(cached(model, tmp_path), meter))
    for _ in range(2):
        embedder.embed_documents(["moor"])
    assert model.asked == ["moor", "moor"]
    assert meter.counts().number(families.TEXTS, "document") == 2
    assert lookups(meter.counts()) == (0, 0)


def test_vectors_and_words_of_a_measured_embedder_are_those_of_the_bare_one(tmp_path: Path) -> None:
    bare = Shortened(cached(Noting(), tmp_path), DIM // 2)
    wrapped = measured(bare, Meter())
    assert np.allclose(wrapped.embed_documents(["moor", "sail"]), bare.embed_documents(["moor", "sail"]), atol=1e-3)
    assert np.allclose(wrapped.embed_query("moor"), bare.embed_query("moor"))
    said = [(one.fingerprint, one.dim, one.min_similarity, one.parallel, note_of(one)) for one in (wrapped, bare)]
    assert said[0] == said[1]


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.reset(FINGERPRINT)
    return store


def test_what_is_written_is_counted_and_what_is_found_is_timed_by_its_leg(store: MemoryStore) -> None:
    meter = Meter()
    wrapped = measured_store(store, meter)
    files = python_sources(12)
    with wrapped.writing():
        wrapped.replace_files(files)
        Refiner().run(wrapped, Noting(), lambda _: None, lambda: False)
        wrapped.delete_files([files[0].record.path])
    wrapped.find_text(["value"], 5, Filters())
    wrapped.find_near(vector_of("value"), 5, Filters())
    wrapped.find_matches(Pattern("def", is_regex=False), 5, Filters())
    counts, chunks = meter.counts(), sum(len(rows.chunks) for rows in files)
    assert (counts.number(families.FILES), counts.number(families.CHUNKS)) == (len(files), chunks)
    assert (counts.number(families.VECTORS), counts.number(families.REMOVED)) == (chunks, 1)
    found = {leg: counts.time(families.STORE, leg).count for leg in families.LEG.values}
    assert found == {"text": 1, "sketch": 0, "vector": 1, "pattern": 1}
    assert wrapped.stats() == store.stats()


def test_an_error_of_the_store_is_counted_and_passed_on(store: MemoryStore) -> None:
    meter = Meter()
    with pytest.raises(InvalidPatternError):
        measured_store(store, meter).find_matches(Pattern("(", is_regex=True), 5, Filters())
    assert meter.counts().numbers_of(families.ERRORS) == {("store", "InvalidPatternError"): 1}


def test_what_is_timed_of_the_store_is_in_its_contract_and_each_leg_is_a_known_one() -> None:
    contract = {name for name, _ in inspect.getmembers(ChunkStore, inspect.isfunction)}
    assert set(LEGS) <= contract
    assert set(LEGS.values()) == set(families.LEG.values)


def test_a_remembered_query_is_a_hit_and_one_that_failed_is_asked_again() -> None:
    meter, asked = Meter(), []

    def embed(query: str, example: str) -> object:
        asked.append((query, example))
        if query == "sail":
            raise ModelFailedError("The model failed twice.")
        return vector_of(query)

    remembering = Remembering(embed, 8, meter)  # type: ignore[arg-type] - an object is enough
    for query in ("moor", "moor", "sail", "sail"):
        try:
            remembering(query, "")
        except ModelFailedError:
            assert query == "sail"
    assert asked == [("moor", ""), ("sail", ""), ("sail", "")]
    assert meter.counts().number(families.QUERY_CACHE, "hit") == 1
    assert meter.counts().number(families.QUERY_CACHE, "miss") == 3


def test_a_run_of_the_indexer_is_counted_by_how_it_ended() -> None:
    meter = Meter()
    with IndexRun(meter) as run:
        run.finished = True
    with IndexRun(meter):
        pass
    with pytest.raises(OSError, match="no room"), IndexRun(meter):
        raise OSError("no room")
    assert meter.counts().numbers_of(families.RUNS) == {("finished",): 1, ("interrupted",): 1, ("failed",): 1}
