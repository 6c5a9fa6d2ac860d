from __future__ import annotations

import logging
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedding.cache import CLAIM_S, VectorCache, document_key
from embedding.cached import CachedEmbedder
from embedding.errors import EmbeddingTimeoutError, ModelFailedError
from embedding.local import LocalEmbedder
from embedding.open import open_embedder
from embedding.process import PACKAGE_ROOT
from embedding.settings import MemorySettings, ModelSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIM = 384
ROOM = 64 << 20


def unit_vectors(count: int, seed: int = 0) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(count, DIM)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def keys_of(count: int, start: int = 0) -> list[bytes]:
    return [document_key("model", f"text {place}") for place in range(start, start + count)]


def test_what_is_kept_is_found_again_also_by_another_process(tmp_path: Path) -> None:
    vectors = unit_vectors(1200)
    first = VectorCache(tmp_path / "v.sqlite3", ROOM)
    first.keep(keys_of(1200), vectors)
    first.close()
    found = VectorCache(tmp_path / "v.sqlite3", ROOM).find(keys_of(1300), DIM)
    assert len(found) == 1200
    assert all(float(found[key] @ vector) > 0.99999 for key, vector in zip(keys_of(1200), vectors, strict=True))
    assert np.isclose(np.linalg.norm(found[keys_of(1)[0]]), 1, atol=1e-6)


def test_the_file_is_the_users_alone(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "deep" / "v.sqlite3", ROOM)
    cache.keep(keys_of(1), unit_vectors(1))
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "deep" / "v.sqlite3").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o700


def test_the_key_tells_models_and_texts_apart() -> None:
    keys = {document_key(model, text) for model in ("a", "b") for text in ("", "x", "x\0", "\ud800")}
    assert len(keys) == 8
    assert all(len(key) == 16 for key in keys)


def test_the_bound_is_kept_and_the_longest_unused_go_first(tmp_path: Path) -> None:
    now = [1_000_000.0]
    cache = VectorCache(tmp_path / "v.sqlite3", 1 << 20, clock=lambda: now[0])
    for batch in range(20):
        now[0] += 10_000
        cache.find(keys_of(100), DIM)  # the first hundred stay in use
        cache.keep(keys_of(100, start=100 * batch), unit_vectors(100))
    assert cache.size_bytes() <= 1 << 20
    assert len(cache.find(keys_of(100), DIM)) == 100
    assert len(cache.find(keys_of(100, start=1900), DIM)) == 100
    assert not cache.find(keys_of(100, start=200), DIM)


def test_a_damaged_row_counts_as_unknown(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite3"
    cache = VectorCache(path, ROOM)
    cache.keep(keys_of(3), unit_vectors(3))
    with sqlite3.connect(path) as database:
        database.execute("UPDATE vector SET value = zeroblob(?) WHERE key = ?", (2 * DIM, keys_of(1)[0]))
    database.close()
    assert set(cache.find(keys_of(3), DIM)) == set(keys_of(3)[1:])


def test_a_vector_of_another_dimension_counts_as_unknown(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "v.sqlite3", ROOM)
    cache.keep(keys_of(1), unit_vectors(1))
    assert not cache.find(keys_of(1), 768)


def test_a_file_that_is_no_database_is_said_once_and_replaced_at_the_next_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "v.sqlite3"
    path.write_bytes(b"not a database, not at all" * 1000)
    cache = VectorCache(path, ROOM)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            cache.keep(keys_of(2), unit_vectors(2))
            assert cache.find(keys_of(2), DIM) == {}
    assert len(caplog.records) == 1
    assert "is damaged (file is not a database) and was deleted" in caplog.text
    anew = VectorCache(path, ROOM)
    anew.keep(keys_of(2), unit_vectors(2))
    assert len(anew.find(keys_of(2), DIM)) == 2


def test_a_directory_that_cannot_be_made_turns_the_cache_off(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = VectorCache(tmp_path / "file" / "v.sqlite3", ROOM)
    cache.keep(keys_of(1), unit_vectors(1))
    assert cache.find(keys_of(1), DIM) == {}


def test_a_locked_file_is_passed_by_and_used_again_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedding.cache.BUSY_TIMEOUT_S", 0.05)
    path = tmp_path / "v.sqlite3"
    cache = VectorCache(path, ROOM)
    cache.keep(keys_of(1), unit_vectors(1))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    cache.keep(keys_of(2), unit_vectors(2))
    assert set(cache.find(keys_of(2), DIM)) == set(keys_of(1))  # readers do not wait for a writer
    other.execute("ROLLBACK")
    other.close()
    cache.keep(keys_of(2), unit_vectors(2))
    assert len(cache.find(keys_of(2), DIM)) == 2


WRITER = """
import sys
from pathlib import Path
import numpy as np
from embedding.cache import VectorCache, document_key

cache = VectorCache(Path(sys.argv[1]), 64 << 20)
for batch in range(20):
    keys = [document_key("model", f"text {place}") for place in range(50 * batch, 50 * batch + 50)]
    cache.keep(keys, np.eye(50, 384, dtype=np.float32))
    assert len(cache.find(keys, 384)) == 50
"""


def test_many_processes_may_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite3"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=PACKAGE_ROOT, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    for writer in writers:
        _, complaints = writer.communicate(timeout=100)
        assert writer.returncode == 0, complaints.decode()
    assert len(VectorCache(path, ROOM).find(keys_of(1000), DIM)) == 1000


def test_a_file_that_was_held_when_it_was_opened_is_opened_by_the_next_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedding.cache.BUSY_TIMEOUT_S", 0.05)
    path = tmp_path / "v.sqlite3"
    cache = VectorCache(path, ROOM)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        cache.keep(keys_of(3), unit_vectors(3))
        assert cache.find(keys_of(3), DIM) == {}
        other.execute("ROLLBACK")
    cache.keep(keys_of(3), unit_vectors(3))
    assert len(cache.find(keys_of(3), DIM)) == 3


class Counting:
    """An embedder that remembers what it was asked."""

    fingerprint, dim, min_similarity, parallel = "counting", DIM, 0.2, 2

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.asked: list[str] = []
        self.closed = False
        self._meanwhile = meanwhile

    def remembered(self, texts: Sequence[str]) -> dict[int, NDArray[np.float32]]:
        return {}

    def embed_documents(self, texts: Sequence[str], timeout_s: float | None = None) -> NDArray[np.float32]:
        self.asked += texts
        self._meanwhile()
        return np.concatenate([unit_vectors(1, seed=len(text)) for text in texts])

    def embed_query(self, text: str, timeout_s: float | None = None) -> NDArray[np.float32]:
        return np.asarray(unit_vectors(1, seed=len(text))[0], np.float32)

    def close(self) -> None:
        self.closed = True


def test_a_text_is_embedded_once_in_all_roots(tmp_path: Path) -> None:
    inner = Counting()
    cached = CachedEmbedder(inner, VectorCache(tmp_path / "v.sqlite3", ROOM))
    cached.embed_documents(["a", "bb", "a"])
    vectors = cached.embed_documents(["ccc", "bb", "a"])
    assert inner.asked == ["a", "bb", "ccc"]
    expected = np.concatenate([unit_vectors(1, seed=length) for length in (3, 2, 1)])
    assert np.all((vectors * expected).sum(1) > 0.99999)
    cached.close()
    assert inner.closed


def test_what_is_known_is_given_by_place_without_asking_the_model(tmp_path: Path) -> None:
    inner = Counting()
    cached = CachedEmbedder(inner, VectorCache(tmp_path / "v.sqlite3", ROOM))
    assert cached.remembered(["a", "bb"]) == {}
    made = cached.embed_documents(["a", "bb"])
    known = cached.remembered(["bb", "new", "a", "bb"])
    assert sorted(known) == [0, 2, 3]
    assert float(known[3] @ made[1]) > 0.99999
    assert inner.asked == ["a", "bb"]
    assert cached.parallel == 2
    cached.close()


def test_a_text_that_two_want_at_once_is_embedded_once(tmp_path: Path) -> None:
    began, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        began.set()
        assert go_on.wait(10)

    made_its_own = threading.Event()
    slow, other = Counting(wait), Counting(made_its_own.set)
    # Two caches on one file: as two processes have it.
    first, second = (CachedEmbedder(one, VectorCache(tmp_path / "v.sqlite3", ROOM)) for one in (slow, other))
    with ThreadPoolExecutor(2) as both:
        one = both.submit(first.embed_documents, ["a", "bb"])
        assert began.wait(10)
        two = both.submit(second.embed_documents, ["ccc", "bb", "a"])
        assert made_its_own.wait(10)
        assert not two.done()
        go_on.set()
        assert np.all((two.result(10)[1:] * one.result(10)[::-1]).sum(1) > 0.99999)
    assert (slow.asked, other.asked) == (["a", "bb"], ["ccc"])


def test_a_claim_of_a_process_that_died_or_of_long_ago_holds_nobody_up(tmp_path: Path) -> None:
    now = [1_000_000.0]
    cache = VectorCache(tmp_path / "v.sqlite3", ROOM, clock=lambda: now[0])
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait(30)
    assert cache.claim(keys_of(2)) == {*keys_of(2)}
    with closing(sqlite3.connect(tmp_path / "v.sqlite3")) as other, other:
        other.execute("UPDATE claim SET owner = ? WHERE key = ?", (dead.pid, keys_of(2)[1]))
    assert cache.claim(keys_of(3)) == {*keys_of(3)[1:]}
    now[0] += CLAIM_S + 1
    assert cache.claim(keys_of(1)) == {*keys_of(1)}


def test_a_model_that_fails_gives_its_claims_up(tmp_path: Path) -> None:
    def fail() -> None:
        raise ModelFailedError("twice")

    path = tmp_path / "v.sqlite3"
    with pytest.raises(ModelFailedError):
        CachedEmbedder(Counting(fail), VectorCache(path, ROOM)).embed_documents(["a"])
    cached = CachedEmbedder(Counting(), VectorCache(path, ROOM))
    assert cached.embed_documents(["a"], timeout_s=10).shape == (1, DIM)


def test_waiting_for_what_another_makes_ends_at_the_deadline(tmp_path: Path) -> None:
    path = tmp_path / "v.sqlite3"
    assert VectorCache(path, ROOM).claim([document_key("counting", "a")])
    cached = CachedEmbedder(Counting(), VectorCache(path, ROOM))
    with pytest.raises(EmbeddingTimeoutError, match="another process"):
        cached.embed_documents(["a"], timeout_s=0.01)


def test_nothing_asked_is_nothing_answered(tmp_path: Path) -> None:
    cached = CachedEmbedder(Counting(), VectorCache(tmp_path / "v.sqlite3", ROOM))
    assert cached.embed_documents([]).shape == (0, DIM)
    assert cached.embed_query("x").shape == (DIM,)


def test_a_bound_of_zero_keeps_nothing(tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "v.sqlite3", 0)
    cache.keep(keys_of(1), unit_vectors(1))
    assert not list(tmp_path.iterdir())


def test_the_settings_put_the_cache_before_the_model(model_path: Path, tmp_path: Path) -> None:
    model = ModelSettings(directory=str(model_path.parent), processes=1, shared=False)
    opened = open_embedder(model, MemorySettings(), tmp_path / "data", tmp_path / "cache")
    assert isinstance(opened, CachedEmbedder)
    first = opened.embed_documents(["def f(): pass"], timeout_s=60)
    opened.close()
    again = open_embedder(model, MemorySettings(), tmp_path / "data", tmp_path / "cache")
    assert isinstance(again, CachedEmbedder)
    assert float(first[0] @ again.embed_documents(["def f(): pass"])[0]) > 0.99999
    assert isinstance(again._inner, LocalEmbedder)
    assert again._inner.pids() == []  # it came from the cache, no child was started
    again.close()


def test_without_a_cache_the_model_is_asked_itself(model_path: Path, tmp_path: Path) -> None:
    model = ModelSettings(directory=str(model_path.parent), shared=False)
    opened = open_embedder(model, MemorySettings(vector_cache_mb=0), tmp_path, tmp_path)
    assert isinstance(opened, LocalEmbedder)
    opened.close()
