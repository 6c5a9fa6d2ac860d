"""Both stores, empty and begun."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.backends import open_store
from storage.settings import StorageSettings
from storage.store import ChunkStore
from tests.storage.samples import FINGERPRINT


@pytest.fixture(params=["memory", "lancedb"])
def unbegun(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ChunkStore]:
    """A store of each kind that holds no index."""
    store = open_store(StorageSettings(backend=request.param), tmp_path / "index")
    yield store
    store.close()


@pytest.fixture
def store(unbegun: ChunkStore) -> ChunkStore:
    """A store of each kind with an empty index for vectors of DIM components."""
    unbegun.reset(FINGERPRINT)
    return unbegun
