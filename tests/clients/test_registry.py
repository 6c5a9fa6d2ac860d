"""server.json, for the registry of MCP servers, says what the project says."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import click
import jsonschema

from mcp_server.cli import main
from tests.clients.schemas import REGISTRY

ROOT = Path(__file__).parents[2]
SERVER = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_it_is_what_the_registrys_schema_allows() -> None:
    jsonschema.validate(SERVER, REGISTRY)


def test_its_version_and_its_package_are_the_projects() -> None:
    (package,) = SERVER["packages"]
    assert SERVER["version"] == package["version"] == PROJECT["version"]
    assert package["identifier"] == PROJECT["name"]
    assert PROJECT["readme"] == "README.md"


def test_the_readme_names_it_as_the_registry_looks_for_it() -> None:
    """That line, in the description that PyPI shows, is how a package's owner is known."""
    assert f"mcp-name: {SERVER['name']}" in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[0]


def test_its_arguments_are_a_command_of_ours() -> None:
    (package,) = SERVER["packages"]
    words = [argument["value"] for argument in package["packageArguments"]]
    main.commands[words[0]].make_context("serve", words[1:], parent=click.Context(main))


def test_the_page_of_claude_desktop_names_the_bundle_as_it_is_packed() -> None:
    page = (ROOT / "docs" / "clients" / "claude-desktop.md").read_text(encoding="utf-8")
    assert f"dist/codeloupe-{PROJECT['version']}.mcpb" in page
