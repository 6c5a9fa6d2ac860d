"""The clients that are known: where each keeps its servers, for a project and for a user, and what an entry looks like.

Sources, read in November 2026: the clients' documentation of MCP; VS Code's mcpConfiguration.ts; Zed's
settings_content/src/project.rs; Codex's core/config.schema.json. tests/clients/schemas.py states them as schemas.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mcp_server.clients.editing import PROGRAM, Format, Place
from mcp_server.errors import RequestError

Scope = Literal["project", "user"]
WORKSPACE = "${workspaceFolder}"
IN_PROJECT = ""  # the client starts the server in the project, or says which it is: no argument is needed


@dataclass(frozen=True, slots=True)
class Machine:
    """What decides where files are; a value, so that every system can be looked at from any."""

    system: str  # sys.platform: linux, darwin or win32
    home: Path
    environ: Mapping[str, str]

    @classmethod
    def this(cls) -> Machine:
        """The one we run on."""
        return cls(sys.platform, Path.home(), os.environ)

    def named(self, variable: str, otherwise: Path) -> Path:
        """The directory that an environment variable names, else another."""
        value = self.environ.get(variable, "")
        return Path(value) if value else otherwise

    @property
    def configuration(self) -> Path:
        """Where programs with a window keep a user's settings."""
        if self.system == "darwin":
            return self.home / "Library" / "Application Support"
        if self.system == "win32":
            return self.named("APPDATA", self.home / "AppData" / "Roaming")
        return self.named("XDG_CONFIG_HOME", self.home / ".config")


@dataclass(frozen=True, slots=True)
class Client:
    """A client: its names, its files and what its entries say."""

    name: str  # as it is typed
    title: str  # as it is said
    format: Format
    key: str  # of the object that holds the servers
    scope: Scope  # the one a user expects without being asked
    user_file: Callable[[Machine], Path]
    marks: Callable[[Machine], tuple[Path, ...]]  # one of these is there where the client is
    command: str = ""  # its own, on the PATH
    project_file: str = ""  # relative to the project; "" where it knows no projects
    # How an entry names the project, by scope; a scope that lacks it needs one fixed directory.
    projects: Mapping[Scope, str] = field(default_factory=dict)
    # In the user's file, the key under which it keeps servers for single projects, by their path; "" where it does not.
    local_key: str = ""
    first: Mapping[str, Any] = field(default_factory=dict)  # stands in front of the command
    last: Mapping[str, Any] = field(default_factory=dict)  # and behind the arguments
    next_steps: Mapping[Scope, str] = field(default_factory=dict)

    def place(self, name: str = PROGRAM) -> Place:
        """Where an entry of that name stands in its files."""
        return Place(self.format, self.key, name)

    def file(self, scope: Scope, project: Path, machine: Machine) -> Path:
        """The file of a scope. Raises RequestError where the client has none."""
        if scope == "user":
            return self.user_file(machine)
        if not self.project_file:
            raise RequestError(f"{self.title} knows no projects; leave --project out.")
        return project / self.project_file

    def scopes(self) -> tuple[Scope, ...]:
        """Those it has."""
        return ("project", "user") if self.project_file else ("user",)

    def entry(self, start: tuple[str, ...], root: str) -> dict[str, Any]:
        """What stands in its file: ``start`` begins the command line, ``root`` is the argument of --root, if any."""
        command, *arguments = start
        roots = ["--root", root] if root else []
        return {**self.first, "command": command, "args": [*arguments, "serve", *roots], **self.last}

    def is_present(self, machine: Machine) -> bool:
        """Whether this machine seems to have it."""
        found = shutil.which(self.command, path=machine.environ.get("PATH", "")) if self.command else None
        return found is not None or any(map(os.path.exists, self.marks(machine)))


def client(name: str) -> Client:
    """The client of that name. Raises RequestError for one that is not known."""
    if name not in CLIENTS:
        raise RequestError(f"There is no client {name!r} here; there are {', '.join(CLIENTS)}.")
    return CLIENTS[name]


def _claude_code_file(machine: Machine) -> Path:
    return machine.named("CLAUDE_CONFIG_DIR", machine.home) / ".claude.json"


def _claude_desktop_directory(machine: Machine) -> Path:
    """On Windows the one of the packaged app, which sees its own copy of AppData, where that is what is installed."""
    if machine.system == "win32":
        local = machine.named("LOCALAPPDATA", machine.home / "AppData" / "Local")
        packaged = sorted(local.glob("Packages/Claude_*/LocalCache/Roaming/Claude"))
        if packaged:
            return packaged[0]
    return machine.configuration / "Claude"


def _codex_directory(machine: Machine) -> Path:
    return machine.named("CODEX_HOME", machine.home / ".codex")


def _zed_directory(machine: Machine) -> Path:
    if machine.system == "win32":
        return machine.configuration / "Zed"
    return machine.named("XDG_CONFIG_HOME", machine.home / ".config") / "zed"


def _vscode_directory(machine: Machine) -> Path:
    return machine.configuration / "Code" / "User"


CLIENTS: Mapping[str, Client] = {
    known.name: known
    for known in (
        Client(
            "claude-code",
            "Claude Code",
            "json",
            "mcpServers",
            "user",  # it tells each server which project it works in (CLAUDE_PROJECT_DIR)
            _claude_code_file,
            lambda machine: (_claude_code_file(machine), machine.home / ".claude"),
            command="claude",
            project_file=".mcp.json",
            projects={"project": IN_PROJECT, "user": IN_PROJECT},
            local_key="projects",
            first={"type": "stdio"},
            next_steps={
                "project": "Start a new session and approve it there; /mcp lists it.",
                "user": "Start a new session; /mcp lists it.",
            },
        ),
        Client(
            "claude-desktop",
            "Claude Desktop",
            "json",
            "mcpServers",
            "user",
            lambda machine: _claude_desktop_directory(machine) / "claude_desktop_config.json",
            lambda machine: (_claude_desktop_directory(machine),),
            next_steps={"user": "Quit Claude Desktop and start it again."},
        ),
        Client(
            "cursor",
            "Cursor",
            "jsonc",
            "mcpServers",
            "user",
            lambda machine: machine.home / ".cursor" / "mcp.json",
            lambda machine: (machine.home / ".cursor",),
            command="cursor",
            project_file=".cursor/mcp.json",
            # Global servers are started in the home directory, but the variable is that of each window.
            projects={"project": WORKSPACE, "user": WORKSPACE},
            first={"type": "stdio"},
            next_steps={
                "project": "Cursor's settings list it under MCP, to be switched on.",
                "user": "Cursor's settings list it under MCP.",
            },
        ),
        Client(
            "vscode",
            "VS Code",
            "jsonc",
            "servers",
            "project",  # its user's file knows no ${workspaceFolder}: "Please open a folder"
            lambda machine: _vscode_directory(machine) / "mcp.json",
            lambda machine: (_vscode_directory(machine),),
            command="code",
            project_file=".vscode/mcp.json",
            projects={"project": WORKSPACE},
            first={"type": "stdio"},
            next_steps={
                "project": "VS Code asks whether you trust it when a chat first uses it.",
                "user": "VS Code asks whether you trust it when a chat first uses it.",
            },
        ),
        Client(
            "codex",
            "Codex",
            "toml",
            "mcp_servers",
            "user",  # a project's file is read only once Codex trusts the project
            lambda machine: _codex_directory(machine) / "config.toml",
            lambda machine: (_codex_directory(machine),),
            command="codex",
            project_file=".codex/config.toml",
            projects={"project": IN_PROJECT, "user": IN_PROJECT},
            # Codex waits 10 s for a start, which a cold disk may need, and 60 s for a tool: less than a first
            # index that is waited for.
            last={"startup_timeout_sec": 30, "tool_timeout_sec": 300},
            next_steps={
                "project": "Codex reads it once you trust the project; codex mcp list shows it.",
                "user": "Start a new session; codex mcp list shows it.",
            },
        ),
        Client(
            "zed",
            "Zed",
            "jsonc",
            "context_servers",
            "user",
            lambda machine: _zed_directory(machine) / "settings.json",
            lambda machine: (_zed_directory(machine),),
            command="zed",
            project_file=".zed/settings.json",
            projects={"project": IN_PROJECT, "user": IN_PROJECT},  # started in the project's directory
            next_steps={
                "project": "The settings of Zed's agent panel list it, once the project is trusted.",
                "user": "The settings of Zed's agent panel list it.",
            },
        ),
    )
}
