"""Projects that Serena and codeloupe both look at."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import storage
from mcp_server.serena import SerenaBridge
from tests.e2e.homes import Home, Launch, plant
from tests.e2e.serena.agent import SerenaAgent, Setting, installed, settled


@pytest.fixture(scope="session")
def agent() -> SerenaAgent:
    return installed()


@pytest.fixture
def port(agent: SerenaAgent, home: Home, harbour: Path) -> Setting:
    """The invented project, to change at will."""
    return settled(agent, home, harbour)


@pytest.fixture(scope="package")
def library(agent: SerenaAgent, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Setting:
    """Real code: a package of this repository; without a model, since nothing but words and sketches is asked of it."""
    directory = tmp_path_factory.mktemp("library")
    project = directory / "project"
    source = Path(storage.__file__).parent
    shutil.copytree(source, project / "storage", ignore=shutil.ignore_patterns("__pycache__"))
    return settled(agent, Home(directory / "home", models), project)


@pytest.fixture(scope="module")
async def bridge(library: Setting) -> AsyncIterator[SerenaBridge]:
    """Open on the real code, for tests that only ask."""
    async with library.open(CODELOUPE_MODEL_NAME="none") as opened:
        yield opened


@pytest.fixture(scope="module")
async def abroad(
    agent: SerenaAgent, models: Path, indexed: Launch, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SerenaBridge]:
    """Open on the invented project, of many languages and with a model, in a directory beyond ASCII; to ask alone."""
    directory = tmp_path_factory.mktemp("abroad")
    project = plant(directory / "Häfen & Küsten 港")
    (project / "größe").mkdir()
    (project / "größe" / "__init__.py").touch()
    (project / "größe" / "straße_1.py").write_text(STREET, encoding="utf-8")
    (project / "größe" / "wert.py").write_text(VALUE, encoding="utf-8")
    home = Home(directory / "home", models, indexed.home.directory / "cache")
    async with settled(agent, home, project).open() as opened:
        yield opened


STREET = "def länge_über_alles(schiff):\n    return schiff.länge\n"
VALUE = """\
from größe.straße_1 import länge_über_alles


def gebühr(schiff):
    return 3 * länge_über_alles(schiff)
"""
