"""The real Serena: installed once, in an environment of its own outside the repository, from a pinned list.

Serena is GPL-3.0 and is never imported; `ty` is the language server it runs here, which needs no network.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from filelock import FileLock

from mcp_server.serena import Limits, SerenaBridge
from tests.e2e.homes import MODULE, Home
from tests.e2e.node_clients import unavailable
from tests.e2e.wire import PATIENCE_S

PINNED = Path(__file__).parent / "requirements.txt"
INSTALL_S = 900
TELLING = 1_500  # characters of what pip says where it fails
PATIENT = Limits(start_s=PATIENCE_S, search_s=PATIENCE_S, confirm_s=PATIENCE_S, references_s=PATIENCE_S)


@dataclass(frozen=True, slots=True)
class SerenaAgent:
    """An installation of Serena with one language server."""

    directory: Path

    @property
    def program(self) -> Path:
        """Its command."""
        return self._script("serena")

    @property
    def language_server(self) -> Path:
        """The program that knows Python."""
        return self._script("ty")

    def settle(self, home: Path, language_server: Path | None = None, interface: str = "tools") -> None:
        """Write the user's configuration below ``home``: which program is the language server, and no windows."""
        path = json.dumps(str(language_server or self.language_server))
        configuration = home / ".serena" / "serena_config.yml"
        configuration.parent.mkdir(parents=True, exist_ok=True)
        configuration.write_text(
            f"agent_interface: {interface}\nweb_dashboard: false\ngui_log_window: false\nprojects: []\n"
            f"ls_specific_settings:\n  python_ty:\n    ls_path: {path}\n",
            encoding="utf-8",
        )

    def _script(self, name: str) -> Path:
        return self.directory / (f"Scripts/{name}.exe" if os.name == "nt" else f"bin/{name}")


@dataclass(frozen=True, slots=True)
class Setting:
    """A project, a user and an installation of Serena."""

    agent: SerenaAgent
    home: Home
    project: Path

    def open(
        self, limits: Limits = PATIENT, serena: tuple[str, ...] = (), **settings: str
    ) -> AbstractAsyncContextManager[SerenaBridge]:
        """A bridge, as a user's program opens it."""
        return SerenaBridge.open(
            self.project,
            serena_command=serena or (str(self.agent.program),),
            codeloupe_command=MODULE,
            environment=self.home.environment(**settings),
            limits=limits,
        )


def settled(agent: SerenaAgent, home: Home, project: Path) -> Setting:
    """Write both configurations. Without the project's, Serena makes one by itself, with servers it has to fetch."""
    agent.settle(home.directory / "home")
    configuration = project / ".serena" / "project.yml"
    configuration.parent.mkdir(parents=True, exist_ok=True)
    written = f"project_name: {json.dumps(project.name)}\nlanguage_servers: [python_ty]\n"
    configuration.write_text(written, encoding="utf-8")
    return Setting(agent, home, project)


def installed() -> SerenaAgent:
    """Serena, installed now if it is not; skips the test, or fails it in CI, where that cannot be done."""
    fingerprint = hashlib.sha256(PINNED.read_bytes() + sys.version.encode()).hexdigest()[:16]
    directory = Path(platformdirs.user_cache_dir("codeloupe-tests", appauthor=False)) / f"serena-{fingerprint}"
    directory.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{directory}.lock", timeout=INSTALL_S):
        if not (directory / "complete").is_file():
            _install(directory)
    return SerenaAgent(directory)


def _install(directory: Path) -> None:
    """Exactly what the list names, verified by its hashes."""
    _run([sys.executable, "-m", "venv", "--clear", str(directory)])
    python = SerenaAgent(directory).program.with_name("python.exe" if os.name == "nt" else "python")
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    _run([*pip, "--require-hashes", "-r", str(PINNED)])
    (directory / "complete").touch()


def _run(line: list[str]) -> None:
    try:
        done = subprocess.run(line, capture_output=True, encoding="utf-8", timeout=INSTALL_S, check=False)
    except subprocess.TimeoutExpired:
        unavailable(f"Installing Serena took more than {INSTALL_S} s; check the network.")
    if done.returncode:
        unavailable(f"Serena could not be installed; check the network. pip said: {done.stderr[-TELLING:]}")
