"""What the clients' files on this machine say: every server of each. Nothing is written or created here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_server.clients import files
from mcp_server.clients.editing import NotEditableError, document, is_ours
from mcp_server.clients.known import CLIENTS, Client, Machine, Scope
from mcp_server.errors import ClientFileError


@dataclass(frozen=True, slots=True)
class Server:
    """One entry of a client's file; what it does not say is empty."""

    name: str
    command: str
    args: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    is_ours: bool  # it starts codeloupe


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that a client reads here, whether or not it is there."""

    client: Client
    scope: Scope
    path: Path
    project: Path

    def servers(self) -> list[Server]:
        """What stands in it, what is for this project alone first; nothing where it is not there.

        Raises ClientFileError where it cannot be read.
        """
        try:
            says = document(files.read(self.path).text, self.client.place())
        except NotEditableError as error:
            raise ClientFileError(f"{self.path} {error}") from error
        local = _inside(says, self.client.local_key, str(self.project)) if self.scope == "user" else {}
        found = [*_inside(local, self.client.key).items(), *_inside(says, self.client.key).items()]
        return [_server(name, entry) for name, entry in found if isinstance(entry, dict)]


def known_files(project: Path, machine: Machine | None = None) -> list[KnownFile]:
    """Every file that the known clients read for a project and this user."""
    here = machine or Machine.this()
    return [
        KnownFile(client, scope, client.file(scope, project, here), project)
        for client in CLIENTS.values()
        for scope in client.scopes()
    ]


def present_clients(machine: Machine) -> Sequence[Client]:
    """The known clients that this machine seems to have."""
    return [client for client in CLIENTS.values() if client.is_present(machine)]


def _inside(table: Any, *keys: str) -> dict[str, Any]:
    """The table under these keys; an empty one where there is none."""
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def _server(name: str, entry: dict[str, Any]) -> Server:
    arguments, environment = entry.get("args"), entry.get("env")
    return Server(
        name,
        str(entry.get("command") or ""),
        tuple(map(str, arguments)) if isinstance(arguments, list) else (),
        {key: str(value) for key, value in environment.items()} if isinstance(environment, dict) else {},
        str(entry.get("cwd") or ""),
        is_ours(entry),
    )
