"""The files people copy say what the program understands."""

from __future__ import annotations

from pathlib import Path

import pytest

from embedding.model import KNOWN_MODELS
from mcp_server.clients.known import CLIENTS
from mcp_server.settings import Settings, file_layer, merge
from tests.setup.client_configs import DIRECTORY, FILES
from tests.setup.client_configs import render as render_client
from tests.setup.default_config import DEFAULT_FILE, ROOT, render

CONFIGS = sorted((ROOT / "configs").glob("*.toml"))


def test_the_default_file_lists_every_setting_with_its_default() -> None:
    assert DEFAULT_FILE.read_text(encoding="utf-8") == render(), "run: python -m tests.setup.default_config"


def test_the_default_file_changes_nothing() -> None:
    assert merge([file_layer(DEFAULT_FILE)]).settings == Settings()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_every_configuration_is_accepted_and_names_a_known_model(path: Path) -> None:
    settings = merge([file_layer(path)]).settings
    assert settings.model.name in KNOWN_MODELS


@pytest.mark.parametrize("name", ["low-memory.toml", "nomic-embed-code.toml"])
def test_a_special_configuration_says_only_what_differs(name: str) -> None:
    defaults = Settings().model_dump()
    for section, content in file_layer(ROOT / "configs" / name).values.items():
        for key, value in content.items():
            assert value != defaults[section][key], f"{section}.{key} is the default already"


def test_there_is_a_file_for_each_client_and_no_other() -> None:
    assert sorted(path.name for path in DIRECTORY.iterdir()) == sorted(FILES)
    assert {client for client, _ in FILES.values()} == set(CLIENTS)


@pytest.mark.parametrize("name", FILES)
def test_a_client_file_is_what_install_writes(name: str) -> None:
    assert (DIRECTORY / name).read_text(encoding="utf-8") == render_client(name), (
        "run: python -m tests.setup.client_configs"
    )
