"""What the bridge brings into a process, and into a server's: each looked at in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

LOADED = "print(*sorted(name for name in sys.modules if name.split('.')[0] in {tops} or name.startswith({below!r})))"


def loaded(imports: str, tops: set[str], below: str) -> str:
    code = f"import sys, {imports}\n{LOADED.format(tops=tops, below=below)}"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_a_server_brings_nothing_of_the_bridge() -> None:
    assert loaded("mcp_server.cli, mcp_server.server, mcp_server.engine", {"serena"}, "mcp_server.serena") == ""


def test_the_bridge_brings_neither_the_sdk_nor_serena_before_it_is_opened() -> None:
    heavy = {"mcp", "mcp_types", "serena", "solidlsp", "numpy", "lancedb", "pydantic"}
    assert loaded("mcp_server.serena", heavy, "mcp_server.engine") == ""


def test_a_process_that_serves_is_told_to_open_its_bridge_elsewhere() -> None:
    code = (
        "import mcp_server.sdk\nfrom mcp_server.serena.peers import client_half\n"
        "try:\n    client_half()\nexcept Exception as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "open bridges in another" in done.stdout


@pytest.mark.parametrize("extra", ["serena"])
def test_an_extra_asks_for_nothing_that_is_not_there_already(extra: str) -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["optional-dependencies"][extra]) <= set(project["dependencies"])
