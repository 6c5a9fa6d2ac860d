"""What an answer says where the model gave no vector for its query, and how long it waited for one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from embedding.errors import BusyError, EmbeddingError, MemoryShortError, ModelLeftAloneError
from mcp_server.asking import Asked, Asking
from mcp_server.engine import Engine
from mcp_server.meaning import Meaning
from mcp_server.requests import SearchRequest
from mcp_server.settings import SearchSettings, load
from tests.indexer.embedders import Noting

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REASONS = [
    ModelLeftAloneError("The model failed 3 times in a row and is left alone; run 'codeloupe service reset'."),
    MemoryShortError("The model needs 4.6 GB and 2 GB are free; close something, or choose a smaller one."),
    BusyError("64 queries wait for the model; ask again in a second.", 1.0),
]


class Silent(Noting):
    """Fails at each query by ``error``, or without one answers when ``gate`` opens."""

    def __init__(self, error: EmbeddingError | None = None) -> None:
        super().__init__()
        self.error = error
        self.gate = threading.Event()
        self.questions: list[str] = []

    def embed_query(self, text: str, timeout_s: float | None = None) -> NDArray[np.float32]:
        self.questions.append(text)
        if self.error is not None:
            raise self.error
        assert self.gate.wait(60)
        return super().embed_query(text)


def ask(embedder: Silent, wait_s: float = 60.0, mode: str = "auto") -> tuple[Asked, Asking]:
    asking = Asking(lambda: Meaning(embedder, "", None, ""), SearchSettings(model_wait_s=wait_s))
    return asking.ask(SearchRequest("moor a ship", limit=5, mode=mode), None, any_vectors=True), asking


@pytest.mark.parametrize("error", REASONS)
def test_an_answer_without_its_vector_says_so_once_and_why_and_what_to_do(error: EmbeddingError) -> None:
    asked, asking = ask(Silent(error))
    assert asked.notes == (f"this answer is without vectors: {error}",)
    assert (asked.vector, asked.failed) == (None, True)
    asking.close()


def test_a_failure_is_not_remembered_a_vector_is() -> None:
    embedder = Silent(REASONS[0])
    _, asking = ask(embedder)
    embedder.error = None
    embedder.gate.set()
    request = SearchRequest("moor a ship", limit=5)
    for _ in range(3):
        asked = asking.ask(request, None, any_vectors=True)
        assert asked.vector is not None
        assert not asked.failed
    assert len(embedder.questions) == 2
    asking.close()


def test_a_search_waits_no_longer_than_it_may_and_the_model_goes_on_for_the_next() -> None:
    embedder = Silent()
    asked, asking = ask(embedder, wait_s=0.05)
    assert asked.vector is None
    assert "gave none within 0.05 s" in asked.notes[0]
    embedder.gate.set()
    asking.close()


def test_many_searches_at_a_model_that_does_not_answer_all_end() -> None:
    embedder = Silent()
    asking = Asking(lambda: Meaning(embedder, "", None, ""), SearchSettings(model_wait_s=0.05))
    for number in range(20):
        asked = asking.ask(SearchRequest(f"question {number}", limit=5), None, any_vectors=True)
        assert asked.failed
    embedder.gate.set()
    asking._pool.shutdown(wait=True)
    assert len(embedder.questions) <= 4, "nobody waits for the others any more"


def test_a_search_by_words_asks_no_model() -> None:
    embedder = Silent(REASONS[0])
    asked, asking = ask(embedder, mode="text")
    assert (asked.notes, embedder.questions) == ((), [])
    asking.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """One root with vectors in memory, whose model is left alone from now on."""
    (tmp_path / "pier.py").write_text("def moor(ship):\n    return ship\n", encoding="utf-8")
    embedder = Silent(REASONS[0])
    engine = Engine([tmp_path], load(None, ["storage.backend=memory", "model.table=none"], {}).settings)
    engine._meaning = Future()
    engine._meaning.set_result(Meaning(embedder, "", None, ""))
    for root in engine.roots.values():
        job = root.refresh()
        view = job.view()
        while not view.resting:
            view = job.wait_for_change(view, 60)
    yield engine
    engine.close()


def test_a_whole_answer_says_it_once_and_is_found_by_words(engine: Engine) -> None:
    answer = engine.search(SearchRequest("moor ship", limit=5))
    assert [one.path for one in answer.found] == ["pier.py"]
    assert "; ".join(answer.freshness.notes).count("left alone") == 1
