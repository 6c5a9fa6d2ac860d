"""Writes configs/clients from what `codeloupe install` writes: ``python -m tests.setup.client_configs``."""

from __future__ import annotations

from pathlib import Path

from mcp_server.clients.editing import with_entry
from mcp_server.clients.install import Wish
from mcp_server.clients.known import CLIENTS, Machine, Scope

DIRECTORY = Path(__file__).parents[2] / "configs" / "clients"
PROJECT = Path("/absolute/path/to/your/project")
NOWHERE = Machine("linux", Path("/home/you"), {})

# Each file, whose it is, and which of the client's two.
FILES: dict[str, tuple[str, Scope]] = {
    "claude-code.mcp.json": ("claude-code", "project"),
    "claude-desktop.json": ("claude-desktop", "user"),
    "codex.toml": ("codex", "user"),
    "cursor.mcp.json": ("cursor", "project"),
    "vscode.mcp.json": ("vscode", "project"),
    "zed.json": ("zed", "user"),
}


def render(name: str) -> str:
    """One file: what install writes where there is none, with the command by its name where the client finds it."""
    client, scope = CLIENTS[FILES[name][0]], FILES[name][1]
    wish = Wish(client, scope, PROJECT, "codeloupe")
    command = "codeloupe" if client.projects else "/absolute/path/to/codeloupe"
    return with_entry("", client.place(), client.entry((command,), wish.root(named=False, machine=NOWHERE)))


if __name__ == "__main__":
    for file in FILES:
        (DIRECTORY / file).write_text(render(file), encoding="utf-8", newline="\n")
