"""The corpus, indexed once. It is read, not run: its own tests are among what is searched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedding.local import LocalEmbedder
from storage.memory import MemoryStore
from tests.ranking.golden import default_embedder
from tests.ranking.measuring import index_corpus

collect_ignore = ["corpus"]


@pytest.fixture(scope="session")
def embedder() -> Iterator[LocalEmbedder]:
    with default_embedder() as opened:
        yield opened


@pytest.fixture(scope="session")
def store(embedder: LocalEmbedder, tmp_path_factory: pytest.TempPathFactory) -> MemoryStore:
    return index_corpus(tmp_path_factory.mktemp("ranking"), embedder)
