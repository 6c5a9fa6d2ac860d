"""The files people copy say what the program understands."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from embedding.model import KNOWN_MODELS
from mcp_server.settings import Settings, file_layer, merge
from tests.setup.default_config import DEFAULT_FILE, ROOT, render

CONFIGS = sorted((ROOT / "configs").glob("*.toml"))
CLIENTS = sorted((ROOT / "configs" / "clients").iterdir())
# Where each client keeps its servers, and whether it names the project in the command line.
SERVER_KEYS = {
    "claude-code.mcp.json": ("mcpServers", False),
    "claude-desktop.json": ("mcpServers", True),
    "codex.toml": ("mcp_servers", False),
    "cursor.mcp.json": ("mcpServers", True),
    "vscode.mcp.json": ("servers", True),
    "zed.json": ("context_servers", False),
}


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
    assert [path.name for path in CLIENTS] == sorted(SERVER_KEYS)


@pytest.mark.parametrize("path", CLIENTS, ids=lambda path: path.name)
def test_a_client_file_starts_codeloupe_serve(path: Path) -> None:
    key, names_project = SERVER_KEYS[path.name]
    server = _parse(path)[key]["codeloupe"]
    assert Path(server["command"]).name == "codeloupe"
    assert server["args"][0] == "serve"
    assert server["args"][1:2] == (["--root"] if names_project else [])


def _parse(path: Path) -> dict[str, Any]:
    text = path.read_text(encoding="utf-8")
    parsed: dict[str, Any] = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    return parsed
