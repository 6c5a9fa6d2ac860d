"""What stands in a client's file starts a server from where that client starts it."""

from __future__ import annotations

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

from mcp_server.clients.known import CLIENTS, Scope
from tests.clients.desk import RUN_S, Desk

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a client", "version": "1"}},
}


SESSION = (
    HELLO,
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
)


def answers(line: list[str], cwd: Path, environ: dict[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Who a server says it is, and the names of its tools; it is started, asked and left alone."""
    with subprocess.Popen(
        line,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env=environ,
        encoding="utf-8",
    ) as server:
        assert server.stdin
        assert server.stdout
        ending = threading.Timer(RUN_S, server.kill)
        ending.start()
        server.stdin.write("".join(json.dumps(message) + "\n" for message in SESSION))
        server.stdin.flush()
        said = {
            message["id"]: message["result"] for message in (json.loads(server.stdout.readline()) for _ in range(2))
        }
        _, trouble = server.communicate()
        ending.cancel()
    assert server.returncode == 0, trouble
    return said[1]["serverInfo"], [tool["name"] for tool in said[2]["tools"]]


@pytest.mark.parametrize(
    ("client", "scope"), [(client.name, scope) for client in CLIENTS.values() for scope in client.scopes()]
)
def test_an_installed_entry_starts_a_server_without_a_path_or_a_shell(desk: Desk, client: str, scope: Scope) -> None:
    desk.done("install", client, f"--{scope}")
    entry = desk.entry(client, scope)
    line = [entry["command"], *(word.replace("${workspaceFolder}", str(desk.project)) for word in entry["args"])]
    in_project = CLIENTS[client].projects.get(scope) == "" and client != "claude-code"
    told = {"CLAUDE_PROJECT_DIR": str(desk.project)} if client == "claude-code" else {}
    environ = desk.environment | {"PATH": ""} | told
    who, tools = answers(line, desk.project if in_project else Path("/"), environ)
    assert who["name"] == "codeloupe"
    assert "search" in tools
