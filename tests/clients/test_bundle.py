"""The .mcpb bundle: what its manifest says is true, the official tool takes it, and what is unpacked serves."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import click
import pytest

from mcp_server.cli import main
from tests.clients import cli_clients
from tests.clients.desk import RUN_S, Desk
from tests.clients.test_started import answers
from tests.setup.bundle import MANIFEST, ROOT, pack, stage

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BUILD_S = 300


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    return dict(json.loads(MANIFEST.read_text(encoding="utf-8"), object_pairs_hook=once))


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object in which no name stands twice: readers would not agree on what it says."""
    assert len(pairs) == len(dict(pairs)), [name for name, _ in pairs]
    return dict(pairs)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("bundle")
    packed = directory / "codeloupe.mcpb"
    said = pack(cli_clients.mcpb(), stage(directory / "staged"), packed)
    assert "validation passes" in said, said
    return packed


@pytest.fixture(scope="module")
def unpacked(bundle: Path) -> Path:
    directory = bundle.parent / "unpacked"
    subprocess.run([*cli_clients.mcpb(), "unpack", str(bundle), str(directory)], timeout=RUN_S, check=True)
    return directory


@pytest.fixture(scope="module")
def environment(unpacked: Path) -> dict[str, str]:
    """What a host's first `uv run` makes, without a network: the bundle is installed, its needs are those here."""
    uv, place = str(cli_clients.uv()), unpacked.parent / "environment"
    own = {"UV_CACHE_DIR": str(unpacked.parent / "cache"), "UV_OFFLINE": "1"}
    environ = {**os.environ, **own}
    subprocess.run(
        [uv, "venv", "--quiet", "--python", sys.executable, str(place)], env=environ, timeout=RUN_S, check=True
    )
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(subprocess.run([python, "-c", where], capture_output=True, text=True, check=True).stdout.strip())
    (packages / "from_here.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    line = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--python",
        str(python),
        "--no-deps",
        "--no-build-isolation",
        str(unpacked),
    ]
    subprocess.run(line, env=environ, timeout=BUILD_S, check=True)
    assert (packages / "mcp_server" / "cli.py").is_file()
    return {**own, "UV_PROJECT_ENVIRONMENT": str(place), "UV_NO_SYNC": "1"}


def test_the_manifest_says_what_the_project_says(manifest: dict[str, Any]) -> None:
    assert manifest["version"] == PROJECT["version"]
    assert manifest["description"] == PROJECT["description"]
    assert manifest["license"] == PROJECT["license"]
    assert manifest["compatibility"]["runtimes"]["python"] == PROJECT["requires-python"]
    assert (ROOT / manifest["server"]["entry_point"]).is_file()


def test_the_manifests_command_is_one_of_ours(manifest: dict[str, Any]) -> None:
    line = manifest["server"]["mcp_config"]["args"]
    command = line[line.index("codeloupe") + 1 :]
    assert command[:1] == ["serve"]
    main.commands["serve"].make_context("serve", command[1:], parent=click.Context(main))
    assert set(re.findall(r"\$\{user_config\.(\w+)\}", json.dumps(line))) == set(manifest["user_config"])


def test_the_bundle_holds_the_program_and_nothing_else(bundle: Path) -> None:
    names = zipfile.ZipFile(bundle).namelist()
    assert {name.split("/")[0] for name in names} == {
        *("manifest.json", "pyproject.toml", "README.md", "LICENSE"),
        *("mcp_server", "indexer", "embedding", "storage"),
        "requirements",
    }
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]


def test_what_leaves_out_parts_of_llama_cpp_is_where_the_manifest_says(
    manifest: dict[str, Any], unpacked: Path
) -> None:
    overrides = manifest["server"]["mcp_config"]["platform_overrides"]
    for system in ("darwin", "linux"):
        (word,) = shlex.split(overrides[system]["env"]["CMAKE_ARGS"].replace("${__dirname}", str(unpacked)))
        assert Path(word.partition("=")[2]).read_text(encoding="utf-8").startswith("# What of llama.cpp is compiled")


def test_the_unpacked_bundle_serves_as_its_manifest_says(
    manifest: dict[str, Any], unpacked: Path, environment: dict[str, str], desk: Desk
) -> None:
    config = manifest["server"]["mcp_config"]
    known = {"${__dirname}": str(unpacked), "${user_config.root}": str(desk.project)}
    assert config["command"] == "uv"
    line = [str(cli_clients.uv()), *(known.get(word, word) for word in config["args"])]
    who, tools = answers(line, Path("/"), desk.environment | environment)
    assert (who["name"], who["version"]) == ("codeloupe", PROJECT["version"])
    assert tools == [tool["name"] for tool in manifest["tools"]]
