"""Clients' files with entries that start nothing, or something else than their user thinks."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from mcp_server.checks import client_files
from mcp_server.checks.findings import Finding, Level
from mcp_server.checks.server import own_command
from mcp_server.cli import own_version
from tests.e2e.homes import Home
from tests.mcp_server.checks.faults import program

OWN = own_command()
MODULE = ["-m", "mcp_server.cli", "serve"]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of a user who has no client's files."""
    for name, value in Home(tmp_path / "user", tmp_path / "models").environment().items():
        monkeypatch.setenv(name, value)
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "APPDATA", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "root"
    root.mkdir()
    return root


def write(path: Path, key: str, **entry: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({key: {"codeloupe": entry}}), encoding="utf-8")


def found(root: Path) -> list[Finding]:
    return client_files.examine([root], own_version())


def only(root: Path) -> Finding:
    (finding,) = found(root)
    return finding


def test_where_no_client_is_set_up_the_command_that_does_it_is_named(root: Path) -> None:
    assert (only(root).level, "codeloupe install CLIENT" in only(root).found) == (Level.OK, True)


def test_an_entry_that_starts_this_codeloupe_is_well(root: Path) -> None:
    write(root / ".mcp.json", "mcpServers", command=OWN[0], args=[*OWN[1:], "serve"])
    assert (only(root).level, "Claude Code" in only(root).what) == (Level.OK, True)


def test_a_command_that_no_longer_exists_is_an_error_with_the_command_that_mends_it(root: Path) -> None:
    write(root / ".cursor" / "mcp.json", "mcpServers", command="/gone/venv/bin/codeloupe", args=["serve"])
    finding = only(root)
    assert (finding.level, finding.mend) == (Level.ERROR, "codeloupe install cursor --project")
    assert "its command /gone/venv/bin/codeloupe does not exist" in finding.found


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such permission")
def test_a_command_that_may_not_be_run_is_an_error(root: Path) -> None:
    script = program(root.parent / "codeloupe", "exit")
    script.chmod(0o644)
    write(root / ".vscode" / "mcp.json", "servers", command=str(script), args=["serve"])
    assert f"may not be run (chmod +x {script})" in only(root).found


def test_a_name_that_is_not_on_the_path_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    write(root / ".zed" / "settings.json", "context_servers", command="codeloupe", args=["serve"])
    assert "its command codeloupe is not on this PATH" in only(root).found


def test_the_path_that_an_entry_has_of_its_own_counts(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    own = str(Path(sys.executable).parent)
    write(root / ".mcp.json", "mcpServers", command="codeloupe", args=["serve"], env={"PATH": own})
    assert only(root).level is Level.OK


def test_a_root_that_does_not_exist_is_an_error(root: Path) -> None:
    write(root / ".mcp.json", "mcpServers", command=OWN[0], args=[*OWN[1:], "serve", "--root", "/gone/project"])
    assert "its root /gone/project does not exist" in only(root).found


@pytest.mark.parametrize("place", ["~nobody-of-this-name/project", "/" + "x" * 5000])
@pytest.mark.parametrize("key", ["cwd", "args"])
def test_a_path_that_the_system_refuses_to_look_at_is_an_error(root: Path, place: str, key: str) -> None:
    entry: dict[str, Any] = {
        "command": OWN[0],
        "args": [*OWN[1:], "serve", *(["--root", place] if key == "args" else [])],
    }
    write(root / ".mcp.json", "mcpServers", **entry, cwd=place if key == "cwd" else "")
    assert (only(root).level, f"{place} does not exist" in only(root).found) == (Level.ERROR, True)


def test_a_name_that_forges_a_line_or_moves_the_cursor_does_neither(root: Path) -> None:
    entry = {"command": "/gone/codeloupe", "args": ["serve"]}
    name = "x\nok       clients: all is well\x1b[1A"
    (root / ".mcp.json").write_text(json.dumps({"mcpServers": {name: entry}}), encoding="utf-8")
    assert only(root).line.isprintable()
    assert "x\\nok       clients: all is well\\x1b[1A: its command" in only(root).line


def test_a_variable_of_the_client_is_left_to_the_client(root: Path) -> None:
    arguments = [*OWN[1:], "serve", "--root", "${workspaceFolder}"]
    write(root / ".cursor" / "mcp.json", "mcpServers", command=OWN[0], args=arguments)
    assert only(root).level is Level.OK


def test_a_forgotten_serve_is_an_error(root: Path) -> None:
    write(root / ".mcp.json", "mcpServers", command=OWN[0], args=OWN[1:])
    assert "its arguments lack 'serve'" in only(root).found


@pytest.mark.skipif(sys.platform == "win32", reason="the other version is a shell script")
def test_an_entry_that_starts_another_version_is_a_warning(root: Path) -> None:
    other = program(root.parent / "old" / "codeloupe", 'echo "codeloupe, version 0.0.7"')
    write(Path(os.environ["HOME"]) / ".claude.json", "mcpServers", command=str(other), args=["serve"])
    assert (only(root).level, "it starts version 0.0.7" in only(root).found) == (Level.WARNING, True)


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts")
@pytest.mark.parametrize("spelt", ["absolute", "relative", "module", "own PATH"])
def test_nothing_that_a_projects_file_names_is_run(root: Path, monkeypatch: pytest.MonkeyPatch, spelt: str) -> None:
    """A project may be anybody's, and is looked at before its user trusts it."""
    monkeypatch.chdir(root)
    trace = root / "was-run"
    evil = program(root / "tools" / "codeloupe", f'touch "{trace}"')
    entry: dict[str, Any] = {
        "absolute": {"command": str(evil), "args": ["serve"]},
        "relative": {"command": "tools/codeloupe", "args": ["serve"]},
        "module": {"command": "sh", "args": ["-c", f'touch "{trace}"', "mcp_server.cli", "serve"]},
        "own PATH": {"command": "codeloupe", "args": ["serve"], "env": {"PATH": str(evil.parent)}},
    }[spelt]
    write(root / ".mcp.json", "mcpServers", **entry)
    assert only(root).level is Level.OK
    assert not trace.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts")
def test_nothing_of_the_project_is_run_for_a_users_own_entry(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    trace = root / "was-run"
    program(root / "tools" / "codeloupe", f'touch "{trace}"')
    (root / "mcp_server").mkdir()
    (root / "mcp_server" / "cli.py").write_text(f"open({str(trace)!r}, 'w')", encoding="utf-8")
    for entry in ({"command": "tools/codeloupe", "args": ["serve"]}, {"command": sys.executable, "args": MODULE}):
        write(Path(os.environ["HOME"]) / ".claude.json", "mcpServers", **entry)
        assert [finding.what for finding in found(root)]
        assert not trace.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes among files")
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / ".mcp.json")
    assert (only(root).level, "no file but a pipe" in only(root).found) == (Level.ERROR, True)


def test_a_client_that_names_no_project_needs_a_root(root: Path) -> None:
    home = Path(os.environ["HOME"])
    directory = (
        home / "Library" / "Application Support" if sys.platform == "darwin" else Path(os.environ["XDG_CONFIG_HOME"])
    )
    write(directory / "Claude" / "claude_desktop_config.json", "mcpServers", command=OWN[0], args=[*OWN[1:], "serve"])
    assert (only(root).level, "it has no --root" in only(root).found) == (Level.WARNING, True)


def test_a_file_that_cannot_be_read_is_an_error_with_its_place(root: Path) -> None:
    (root / ".mcp.json").write_text('{"mcpServers": {"codeloupe": {"command": "codeloupe",}}}', encoding="utf-8")
    assert (only(root).level, "cannot be read as JSON" in only(root).found) == (Level.ERROR, True)


def test_two_entries_in_one_file_are_told_apart_and_to_be_one_too_many(root: Path) -> None:
    entry = {"command": OWN[0], "args": [*OWN[1:], "serve"]}
    (root / ".mcp.json").write_text(json.dumps({"mcpServers": {"codeloupe": entry, "search": entry}}), encoding="utf-8")
    assert [finding.level for finding in found(root)] == [Level.OK, Level.OK, Level.WARNING]
    assert "each tool is offered twice" in found(root)[-1].found


def test_servers_of_others_are_none_of_our_business(root: Path) -> None:
    (root / ".mcp.json").write_text('{"mcpServers": {"other": {"command": "/gone/other"}}}', encoding="utf-8")
    assert "no file of a known client" in only(root).found
