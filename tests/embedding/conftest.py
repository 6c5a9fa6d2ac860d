"""The real model, obtained once into the place where `codeloupe models pull` puts it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from benchmarks.shapes import TINY, write_model
from embedding.files.digest import file_sha256
from embedding.local import LocalEmbedder
from embedding.model import DEFAULT_MODEL, KNOWN_MODELS, ModelSpec
from embedding.settings import ModelSettings
from embedding.sources import fetch_parts, obtain
from tests.embedding.hub_server import Hub, running_hub


@pytest.fixture(scope="session")
def spec() -> ModelSpec:
    return KNOWN_MODELS[DEFAULT_MODEL]


@pytest.fixture(scope="session")
def model_path(spec: ModelSpec) -> Path:
    """Fails with the sentence of ``obtain`` where no source answers."""
    return obtain(spec, Path(platformdirs.user_data_dir("codeloupe", appauthor=False)) / "models")


@pytest.fixture(scope="session")
def published(spec: ModelSpec) -> Path:
    """The directory with the model as its makers published it: 91 MB, fetched once for all runs of the tests."""
    directory = Path(platformdirs.user_cache_dir("codeloupe", appauthor=False)) / "tests" / spec.name
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = [directory / part.name for part in spec.parts]
    if not all(
        path.is_file() and file_sha256(path) == part.sha256 for path, part in zip(paths, spec.parts, strict=True)
    ):
        fetch_parts(spec, directory, lambda what, done, total: None)
    return directory


@pytest.fixture(scope="session")
def embedder(spec: ModelSpec, model_path: Path) -> Iterator[LocalEmbedder]:
    """One embedder for the tests that do no harm to it."""
    opened = LocalEmbedder(spec, model_path, ModelSettings(processes=1, query_threads=1))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def tiny_decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen2 of two layers with random weights, 64 components, last-token pooling, 240 kB."""
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    write_model(TINY, path)
    return path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running_hub(monkeypatch) as hub:
        yield hub
