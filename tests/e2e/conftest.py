"""One obtained model, one indexed project for the tests that only read, and a fresh home for each that writes."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from embedding.model import DEFAULT_MODEL, KNOWN_MODELS
from embedding.sources import obtain
from tests.e2e.homes import FILES, Home, Launch, plant
from tests.e2e.wire import Wire


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def models() -> Path:
    """Where `codeloupe models pull` puts models; fails with the sentence of ``obtain`` where no source answers."""
    directory = Path(platformdirs.user_data_dir("codeloupe", appauthor=False)) / "models"
    obtain(KNOWN_MODELS[DEFAULT_MODEL], directory)
    return directory


@pytest.fixture(scope="session")
def indexed(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Launch:
    """How to start a server on the invented project, whose index is complete."""
    directory = tmp_path_factory.mktemp("indexed")
    launch = Launch(Home(directory / "home", models), (plant(directory / "harbour"),))
    with Wire(launch, directory / "server.log") as wire:
        said = wire.text("index", {"wait": True})
    assert said.startswith(f"Indexed {FILES} files"), said
    return launch


@pytest.fixture
def home(models: Path, indexed: Launch, tmp_path: Path) -> Home:
    """A fresh home that knows the vectors of the invented project: indexing it costs no embedding."""
    return Home(tmp_path / "home", models, indexed.home.directory / "cache")


@pytest.fixture
def blank_home(models: Path, tmp_path: Path) -> Home:
    """A fresh home that knows nothing."""
    return Home(tmp_path / "home", models)


@pytest.fixture
def harbour(tmp_path: Path) -> Path:
    """A copy of the invented project, to change at will."""
    return plant(tmp_path / "harbour")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"
