"""Claude Code and Codex read what install wrote, and start the server that is named there."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from tests.clients import cli_clients
from tests.clients.desk import Desk
from tests.clients.test_commands import BEFORE, SCRIPT

ASK_S = 120
QUIET = {"DISABLE_AUTOUPDATER": "1", "DISABLE_TELEMETRY": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}


def ask(desk: Desk, *line: str, **environ: str) -> str:
    """What a client answers in its own home."""
    ran = subprocess.run(
        line,
        cwd=desk.project,
        env=desk.environment | QUIET | {"PATH": "/usr/bin:/bin"} | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=ASK_S,
        check=False,
    )
    assert ran.returncode == 0, ran
    return ran.stdout


@pytest.mark.parametrize("before", [None, BEFORE["claude-code"]], ids=["new", "kept"])
def test_claude_code_starts_what_stands_in_its_users_file(desk: Desk, before: bytes | None) -> None:
    if before:
        desk.put("claude-code", before)
    desk.done("install", "claude-code")
    said = ask(desk, *cli_clients.claude_code(), "mcp", "get", "codeloupe")
    assert "Scope: User config" in said
    assert re.search(r"Status: .*Connected", said), said
    assert f"Command: {SCRIPT}" in said
    assert re.search(r"Args: serve$", said, re.MULTILINE)
    listed = ask(desk, *cli_clients.claude_code(), "mcp", "list")
    assert re.search(rf"^codeloupe: {re.escape(SCRIPT)} serve - .*Connected", listed, re.MULTILINE), listed


def test_claude_code_reads_the_projects_file(desk: Desk) -> None:
    desk.done("install", "claude-code", "--project")
    said = ask(desk, *cli_clients.claude_code(), "mcp", "get", "codeloupe")
    assert "Scope: Project config" in said
    assert f"Command: {SCRIPT}" in said


def test_claude_code_forgets_us_after_uninstall_and_keeps_what_it_wrote_itself(desk: Desk) -> None:
    desk.done("install", "claude-code")
    ask(desk, *cli_clients.claude_code(), "mcp", "add", "-s", "user", "other", "--", "/bin/cat")
    desk.done("uninstall", "claude-code")
    assert set(json.loads(desk.file("claude-code").read_bytes())["mcpServers"]) == {"other"}


def test_what_claude_code_adds_itself_is_known_as_ours(desk: Desk) -> None:
    ask(desk, *cli_clients.claude_code(), "mcp", "add", "-s", "user", "codeloupe", "--", "codeloupe", "serve")
    desk.done("install", "claude-code")
    assert desk.entry("claude-code")["command"] == SCRIPT
    desk.done("uninstall", "claude-code")
    assert "codeloupe" not in json.loads(desk.file("claude-code").read_bytes())["mcpServers"]


@pytest.mark.parametrize("content", [b'{"mcpServers": {},}', b'{"mcpServers": {}} // mine'])
def test_claude_code_passes_over_a_file_that_install_refuses(desk: Desk, content: bytes) -> None:
    """What it does not read as plain JSON we do not write to: it would not see us there."""
    path = desk.put("claude-code", content.replace(b"{}", b'{"a": {"command": "cat"}}'), "project")
    assert desk.refused("install", "claude-code", "--project").startswith(f"{path} cannot be read as JSON")
    said = ask(desk, *cli_clients.claude_code(), "mcp", "list")
    assert "MCP config is not a valid JSON" in said
    assert "No MCP servers configured" in said


def test_claude_code_follows_the_directory_it_is_told(desk: Desk) -> None:
    place = {"CLAUDE_CONFIG_DIR": str(desk.directory / "settings")}
    desk.done("install", "claude-code", **place)
    assert "Scope: User config" in ask(desk, *cli_clients.claude_code(), "mcp", "get", "codeloupe", **place)


def test_codex_reads_a_projects_file_once_the_project_is_trusted(desk: Desk) -> None:
    (desk.project / ".git").mkdir()
    desk.done("install", "codex", "--project")
    desk.put("codex", f'[projects."{desk.project}"]\ntrust_level = "trusted"\n'.encode())
    (server,) = json.loads(ask(desk, *cli_clients.codex(), "mcp", "list", "--json"))
    assert (server["name"], server["transport"]["command"]) == ("codeloupe", SCRIPT)


@pytest.mark.parametrize("before", [None, BEFORE["codex"]], ids=["new", "kept"])
def test_codex_reads_its_users_file(desk: Desk, before: bytes | None) -> None:
    if before:
        desk.put("codex", before)
    desk.done("install", "codex")
    (server,) = (
        each
        for each in json.loads(ask(desk, *cli_clients.codex(), "mcp", "list", "--json"))
        if each["name"] == "codeloupe"
    )
    assert server["enabled"] is True
    assert (server["transport"]["type"], server["transport"]["command"]) == ("stdio", SCRIPT)
    assert server["transport"]["args"] == ["serve"]
    assert (server["startup_timeout_sec"], server["tool_timeout_sec"]) == (30.0, 300.0)


def test_what_codex_adds_itself_is_brought_up_to_date_and_taken_out(desk: Desk) -> None:
    ask(desk, *cli_clients.codex(), "mcp", "add", "codeloupe", "--env", "A=1", "--", "codeloupe", "serve")
    desk.done("install", "codex")
    assert desk.entry("codex") == {"command": SCRIPT, "args": ["serve"], "env": {"A": "1"}}
    desk.done("uninstall", "codex")
    assert json.loads(ask(desk, *cli_clients.codex(), "mcp", "list", "--json")) == []
