"""The user's own packages named like ours lie in the working directory and in the project: nobody imports them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.homes import FILES, MODULE, Home, Launch, script
from tests.e2e.wire import PATIENCE_S, Wire

NAMES = ("storage", "embedding", "indexer", "mcp_server", "tests", "anyio", "lancedb", "numpy")
STRANGERS = len(NAMES) + 1


@pytest.fixture
def strange(harbour: Path) -> Path:
    """The invented project with packages that raise when they are imported."""
    for name in NAMES:
        (harbour / name).mkdir()
        (harbour / name / "__init__.py").write_text(f"raise RuntimeError('imported {name}')\n", encoding="utf-8")
    (harbour / "platform.py").write_text("raise RuntimeError('imported platform')\n", encoding="utf-8")
    return harbour


@pytest.mark.parametrize("command", [MODULE, script()], ids=["module", "script"])
def test_a_server_indexes_embeds_and_searches_among_strangers(
    home: Home, strange: Path, log: Path, command: Sequence[str]
) -> None:
    with Wire(Launch(home, (strange,), command, cwd=strange), log) as wire:
        assert f"Indexed {FILES + STRANGERS} files" in wire.text("index", {"wait": True})
        found = wire.text("search", {"query": "ocean height from astronomy"})
        wire.text("embed", {"texts": ["something new that no cache has seen"], "cache": False})
        assert "storage/__init__.py" in wire.text("search", {"query": "imported storage", "mode": "exact"})
    assert "tides/forecast.py" in found
    assert "vector" in found
    assert log.read_text(encoding="utf-8") == ""


@pytest.mark.parametrize("command", [MODULE, script()], ids=["module", "script"])
def test_the_command_line_works_among_strangers(home: Home, strange: Path, command: Sequence[str]) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *arguments],
            capture_output=True,
            encoding="utf-8",
            cwd=strange,
            env=home.environment(),
            timeout=PATIENCE_S,
            check=False,
        )

    done = run("index", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == FILES + STRANGERS
    found = run("search", "--json", "ocean height from astronomy")
    assert found.returncode == 0, found.stderr
    assert "tides/forecast.py" in [hit["file_path"] for hit in json.loads(found.stdout)["hits"]]
    assert run("status").returncode == 0
    assert run("search", "-m", "exact", "zzyzx_nowhere").returncode == 1


def test_a_stranger_on_the_python_path_is_refused_by_name(home: Home, strange: Path, tmp_path: Path) -> None:
    stray = tmp_path / "stray" / "storage"
    stray.mkdir(parents=True)
    (stray / "__init__.py").write_text("raise RuntimeError('imported storage')\n", encoding="utf-8")
    done = subprocess.run(
        [*script(), "status"],
        capture_output=True,
        encoding="utf-8",
        cwd=strange,
        env=home.environment(PYTHONPATH=os.fspath(stray.parent)),
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("codeloupe: The package 'storage' would be loaded from ")
    assert "unset PYTHONPATH" in done.stderr
    assert done.stderr.count("\n") == 1
