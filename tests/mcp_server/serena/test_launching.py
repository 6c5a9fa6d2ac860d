"""How the servers are started, and what is said where they cannot be."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from mcp_server.serena import launching
from mcp_server.serena.errors import BridgeError, ServerMissingError, ToolsMissingError


def test_a_program_gets_the_arguments_a_program_needs(tmp_path: Path) -> None:
    line = launching.serena(("serena",), tmp_path, {}).line
    assert line[:4] == ("serena", "start-mcp-server", "--project", str(tmp_path))
    assert "--agent-interface tools" in " ".join(line)


def test_a_command_that_starts_a_server_is_taken_as_it_is(tmp_path: Path) -> None:
    command = ("uvx", "--from", "serena-agent", "serena", "start-mcp-server", "--project-from-cwd")
    assert launching.serena(command, tmp_path, {}).line == command


def test_serena_reports_nothing_of_its_use_unless_it_was_told_to(tmp_path: Path) -> None:
    assert launching.serena(("serena",), tmp_path, {}).environment["SERENA_USAGE_REPORTING"] == "false"
    told = {"SERENA_USAGE_REPORTING": "true"}
    assert launching.serena(("serena",), tmp_path, told).environment["SERENA_USAGE_REPORTING"] == "true"


def test_a_serena_that_is_not_installed_says_how_to_install_it(tmp_path: Path) -> None:
    launch = launching.serena(("serena",), tmp_path, {"PATH": str(tmp_path)})
    with pytest.raises(ServerMissingError, match="uv tool install serena-agent"):
        launching.found(launch)


def test_an_empty_command_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ServerMissingError, match="no command"):
        launching.found(launching.Launch("Serena", (), {}, tmp_path, launching.INSTALL))


def test_a_program_named_from_here_is_found_from_the_project_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(sys.executable).parent)
    named = (os.path.join(".", Path(sys.executable).name),)  # noqa: PTH118 - Path would take the dot away
    assert Path(launching.found(launching.codeloupe(named, tmp_path, dict(os.environ)))).is_absolute()


def test_only_a_repl_says_how_to_get_tools() -> None:
    with pytest.raises(ToolsMissingError, match="--agent-interface tools"):
        launching.check_tools(["serena_repl", "initial_instructions"])


def test_a_tool_that_was_excluded_is_named() -> None:
    with pytest.raises(ToolsMissingError, match="find_referencing_symbols; take them out of excluded_tools"):
        launching.check_tools(["find_symbol", "read_file"])


def test_a_project_that_is_no_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="is not a directory"):
        launching.project_directory(tmp_path / "nowhere")


def test_a_language_server_that_is_wanting_names_the_setting() -> None:
    said = launching.why_refused(
        "LanguageServerManagerInitialisationError: Failed to start 1 language server(s): go: no gopls"
    )
    assert "no gopls" in said
    assert "language_servers in the project's .serena/project.yml" in said
    assert launching.why_refused("ValueError: odd") == "Serena said: ValueError: odd"
