"""A user's machine in a scratch directory, on which the real command runs."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_server.clients.known import CLIENTS, Machine, Scope
from tests.e2e.homes import NOT_INHERITED, script

RUN_S = 60
CLIENT_VARIABLES = ("CODEX_HOME", "APPDATA", "LOCALAPPDATA", "UV")


@dataclass(frozen=True, slots=True)
class Desk:
    """Its home, and a project that is not in it."""

    directory: Path

    @property
    def home(self) -> Path:
        return self.directory / "home"

    @property
    def project(self) -> Path:
        return self.directory / "project"

    @property
    def programs(self) -> Path:
        return self.directory / "programs"

    @classmethod
    def made(cls, directory: Path) -> Desk:
        desk = cls(directory)
        for place in (desk.home, desk.project, desk.programs):
            place.mkdir(parents=True)
        return desk

    @property
    def machine(self) -> Machine:
        return Machine("linux", self.home, self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of this machine's clients is seen."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(NOT_INHERITED) and name not in CLIENT_VARIABLES
        }
        own = {"HOME": self.home, "USERPROFILE": self.home, "PATH": self.programs}
        return kept | {name: str(path) for name, path in own.items()}

    def run(self, *words: str, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
        """The installed command, in the project."""
        return subprocess.run(
            [*script(), *words],
            cwd=cwd or self.project,
            env=self.environment | environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=RUN_S,
            check=False,
        )

    def done(self, *words: str, **environ: str) -> str:
        """What a run that succeeds says."""
        ran = self.run(*words, **environ)
        assert (ran.returncode, ran.stderr) == (0, ""), (ran.returncode, ran.stdout, ran.stderr)
        return ran.stdout

    def refused(self, *words: str, **environ: str) -> str:
        """The one line that a run that fails says."""
        ran = self.run(*words, **environ)
        assert ran.returncode == 2, ran
        assert ran.stderr.count("\n") == 1, ran.stderr
        return ran.stderr.removeprefix("codeloupe: ").strip()

    def file(self, client: str, scope: Scope | None = None) -> Path:
        """A client's file here."""
        known = CLIENTS[client]
        return known.file(scope or known.scope, self.project, self.machine)

    def put(self, client: str, content: bytes, scope: Scope | None = None) -> Path:
        """A file of a client that is there before us."""
        path = self.file(client, scope)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def entry(self, client: str, scope: Scope | None = None, name: str = "codeloupe") -> dict[str, Any]:
        """What stands in a plain file of a client."""
        text = self.file(client, scope).read_text(encoding="utf-8")
        document = tomllib.loads(text) if CLIENTS[client].format == "toml" else json.loads(text)
        return dict(document[CLIENTS[client].key][name])

    def everything(self) -> dict[str, bytes | None]:
        """Every file and directory, to see that nothing has changed."""
        return {
            str(path.relative_to(self.directory)): path.read_bytes() if path.is_file() else None
            for path in sorted(self.directory.rglob("*"))
        }
