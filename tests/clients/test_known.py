"""Where each client's file is on each system, and that what is written there is what the client accepts."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from mcp_server.clients.known import CLIENTS, Machine
from mcp_server.clients.present import known_files, present_clients
from mcp_server.errors import ClientFileError
from tests.clients.desk import Desk
from tests.clients.schemas import SCHEMAS

HOME = Path("/home/me")
WHERE = {
    "linux": {
        "claude-code": ".claude.json",
        "claude-desktop": ".config/Claude/claude_desktop_config.json",
        "cursor": ".cursor/mcp.json",
        "vscode": ".config/Code/User/mcp.json",
        "codex": ".codex/config.toml",
        "zed": ".config/zed/settings.json",
    },
    "darwin": {
        "claude-code": ".claude.json",
        "claude-desktop": "Library/Application Support/Claude/claude_desktop_config.json",
        "cursor": ".cursor/mcp.json",
        "vscode": "Library/Application Support/Code/User/mcp.json",
        "codex": ".codex/config.toml",
        "zed": ".config/zed/settings.json",
    },
    "win32": {
        "claude-code": ".claude.json",
        "claude-desktop": "AppData/Roaming/Claude/claude_desktop_config.json",
        "cursor": ".cursor/mcp.json",
        "vscode": "AppData/Roaming/Code/User/mcp.json",
        "codex": ".codex/config.toml",
        "zed": "AppData/Roaming/Zed/settings.json",
    },
}


@pytest.mark.parametrize("system", WHERE)
def test_a_users_files_are_where_each_system_has_them(system: str) -> None:
    machine = Machine(system, HOME, {})
    found = {name: client.user_file(machine) for name, client in CLIENTS.items()}
    assert found == {name: HOME / path for name, path in WHERE[system].items()}


def test_the_variables_that_move_a_clients_files_are_followed() -> None:
    environ = {"CLAUDE_CONFIG_DIR": "/c", "CODEX_HOME": "/x", "XDG_CONFIG_HOME": "/g"}
    machine = Machine("linux", HOME, environ)
    found = {name: str(client.user_file(machine)) for name, client in CLIENTS.items()}
    assert found == {
        "claude-code": "/c/.claude.json",
        "claude-desktop": "/g/Claude/claude_desktop_config.json",
        "cursor": "/home/me/.cursor/mcp.json",
        "vscode": "/g/Code/User/mcp.json",
        "codex": "/x/config.toml",
        "zed": "/g/zed/settings.json",
    }


def test_windows_packaged_claude_keeps_its_own_appdata(tmp_path: Path) -> None:
    own = tmp_path / "AppData" / "Local" / "Packages" / "Claude_pzs8sxrjxfjjc" / "LocalCache" / "Roaming" / "Claude"
    own.mkdir(parents=True)
    machine = Machine("win32", tmp_path, {"APPDATA": str(tmp_path / "AppData" / "Roaming")})
    assert CLIENTS["claude-desktop"].user_file(machine) == own / "claude_desktop_config.json"


@pytest.mark.parametrize("name", CLIENTS)
@pytest.mark.parametrize("root", ["", "/home/me/project"])
def test_an_entry_is_what_the_clients_schema_allows(name: str, root: str) -> None:
    client = CLIENTS[name]
    jsonschema.validate({client.key: {"codeloupe": client.entry(("/bin/codeloupe",), root)}}, SCHEMAS[name])


def test_every_client_says_how_it_is_found_and_what_to_do_next() -> None:
    machine = Machine("linux", HOME, {})
    for name, client in CLIENTS.items():
        assert client.name == name
        assert client.marks(machine)
        assert set(client.next_steps) == set(client.scopes())
        assert all(step.endswith(".") for step in client.next_steps.values())
        assert client.scope in client.scopes()


def test_a_client_is_found_by_its_command_or_by_its_directory(desk: Desk) -> None:
    assert present_clients(desk.machine) == []
    program = desk.programs / "codex"
    program.touch(mode=0o755)
    (desk.home / ".cursor").mkdir()
    assert [client.name for client in present_clients(desk.machine)] == ["cursor", "codex"]


def test_the_servers_of_every_file_are_told(desk: Desk) -> None:
    desk.put(
        "vscode", b'{"servers": {"x": {"command": "codeloupe", "args": ["serve"], "cwd": "/y"}}} // fine', "project"
    )
    desk.put("codex", b"[mcp_servers.y]\nurl = 'https://y'\n")
    found = {
        (file.client.name, file.scope, server.name): (server.command, server.args, server.cwd, server.is_ours)
        for file in known_files(desk.project, desk.machine)
        for server in file.servers()
    }
    assert found == {
        ("vscode", "project", "x"): ("codeloupe", ("serve",), "/y", True),
        ("codex", "user", "y"): ("", (), "", False),
    }


def test_a_file_that_cannot_be_read_says_where_it_is_wrong(desk: Desk) -> None:
    path = desk.put("cursor", b'{\n"mcpServers": {,}}')
    file = next(each for each in known_files(desk.project, desk.machine) if each.path == path)
    with pytest.raises(ClientFileError) as caught:
        file.servers()
    assert str(caught.value).startswith(f"{path} cannot be read as JSON (line 2: ")


def test_claude_codes_servers_for_one_project_come_before_those_for_all(desk: Desk) -> None:
    local = {
        str(desk.project): {"mcpServers": {"mine": {"command": "codeloupe"}}},
        "/other": {"mcpServers": {"no": {}}},
    }
    content = {"projects": local, "mcpServers": {"all": {"command": "x"}}}
    desk.put("claude-code", json.dumps(content).encode())
    file = next(
        each
        for each in known_files(desk.project, desk.machine)
        if (each.client.name, each.scope) == ("claude-code", "user")
    )
    assert [server.name for server in file.servers()] == ["mine", "all"]
