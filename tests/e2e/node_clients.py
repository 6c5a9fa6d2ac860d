"""The clients that run on Node: installed once, outside the repository, from the pinned list in tests/e2e/node."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import platformdirs
import pytest
from filelock import FileLock

from tests.e2e.homes import Launch

SOURCES = Path(__file__).parent / "node"
PINNED = ("package.json", "package-lock.json")
INSTALL_S = 600  # 320 MB, most of it Inspector's; 30 s here
RUN_S = 120
LATEST_NEEDED = (22, 19)  # Inspector's; the clients want 20


@dataclass(frozen=True, slots=True)
class Node:
    """An installation of the clients and a Node to run them."""

    directory: Path
    executable: Path

    def run(self, script: str, launch: Launch, **asked: Any) -> dict[str, Any]:
        """Run one of our scripts against a server; what it reports."""
        command, *arguments = launch.line
        server = {"command": command, "args": arguments, "env": launch.environment, "cwd": str(launch.directory)}
        done = self.start(str(SOURCES / script), json.dumps({"server": server, **asked}), environment={})
        assert done.returncode == 0, done.stderr[-4000:]
        return dict(json.loads(done.stdout))

    def inspect(self, launch: Launch, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Inspector's command line against a server."""
        program = self.directory / "node_modules" / "@modelcontextprotocol" / "inspector" / "clients" / "launcher"
        given = {name: value for name, value in launch.environment.items() if value}  # it takes no empty value
        settings = [part for name, value in given.items() for part in ("-e", f"{name}={value}")]
        line = [str(program / "build" / "index.js"), "--cli", *launch.line, *settings, *arguments]
        return self.start(*line, environment={"HOME": str(launch.home.directory)}, cwd=launch.directory)

    def start(
        self, *line: str, environment: dict[str, str], cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run Node to its end."""
        return subprocess.run(
            [str(self.executable), *line],
            capture_output=True,
            encoding="utf-8",
            env=os.environ | environment | {"HARNESS_MODULES": str(self.directory)},
            cwd=cwd,
            timeout=RUN_S,
            check=False,
        )


def installed(sources: Path = SOURCES, needed: tuple[int, int] = LATEST_NEEDED) -> Node:
    """What ``sources`` pins, installed now if it is not, and a Node to run it.

    Skips the test, or fails it in CI, where that cannot be done.
    """
    directory, missing = in_place(sources)
    if missing:
        unavailable(missing)
    return Node(directory, executable(directory, needed))


@cache
def in_place(sources: Path) -> tuple[Path, str]:
    """Where it is, and why it is not there: npm tries for 85 s without a network, so once for all tests."""
    directory = Path(platformdirs.user_cache_dir("codeloupe-tests", appauthor=False)) / f"node-{fingerprint(sources)}"
    directory.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{directory}.lock", timeout=INSTALL_S):
        return directory, "" if (directory / "complete").is_file() else install(sources, directory)


def fingerprint(sources: Path) -> str:
    """What decides what is installed."""
    content = b"".join((sources / name).read_bytes() for name in PINNED)
    return hashlib.sha256(content).hexdigest()[:16]


def install(sources: Path, directory: Path) -> str:
    """Exactly what the lock file names, verified by its hashes; no script of a package is run. Why not, if not."""
    npm = shutil.which("npm")
    if npm is None:
        return "npm is not installed, so the clients on Node are not tested; install Node 20 or later."
    for name in PINNED:
        shutil.copy(sources / name, directory)
    line = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            line, cwd=directory, capture_output=True, encoding="utf-8", timeout=INSTALL_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"npm took more than {INSTALL_S} s to install the clients on Node; check the network."
    if done.returncode:
        return f"npm could not install the clients on Node; check the network. It said: {done.stderr[-1000:]}"
    (directory / "complete").touch()
    return ""


def executable(directory: Path, needed: tuple[int, int]) -> Path:
    """The pinned Node of this platform, else the one on the PATH if it is new enough."""
    pinned = [*directory.glob("node_modules/node-*/bin/node"), *directory.glob("node_modules/node-*/bin/node.exe")]
    if pinned:
        return pinned[0]
    found = shutil.which("node")
    if found is None or version_of(found) < needed:
        unavailable(f"There is no pinned Node for this platform; install Node {needed[0]}.{needed[1]} or later.")
    return Path(found)


def version_of(node: str) -> tuple[int, int]:
    """(major, minor)."""
    done = subprocess.run([node, "--version"], capture_output=True, encoding="utf-8", timeout=RUN_S, check=True)
    major, minor, _ = done.stdout.strip().removeprefix("v").split(".", 2)
    return int(major), int(minor)


def unavailable(reason: str) -> NoReturn:
    """In CI everything must be there; elsewhere a machine may lack Node or the network."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
