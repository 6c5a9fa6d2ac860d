"""Clients that npm has, and the tools of bundles: installed once, outside the repository, from pinned lists."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import platformdirs
from filelock import FileLock

from tests.e2e import node_clients
from tests.e2e.node_clients import Node, unavailable

SOURCES = Path(__file__).parent / "node"
UV = "0.13.8"
NODE_NEEDED = (20, 0)
INSTALL_S = 300


def installed() -> Node:
    """The pinned packages (780 MB, nearly all of it the two programs) and a Node.

    Skips the test, or fails it in CI, where they cannot be had.
    """
    return node_clients.installed(SOURCES, NODE_NEEDED)


def claude_code() -> list[str]:
    """The command line that starts Claude Code: its package for this platform is the program itself."""
    found = installed().directory.glob("node_modules/@anthropic-ai/claude-code-*/claude*")
    programs = [path for path in found if path.name in ("claude", "claude.exe")]
    if not programs:
        unavailable("There is no Claude Code for this platform.")
    return [str(programs[0])]


def codex() -> list[str]:
    """The command line that starts Codex."""
    return _script("@openai/codex/bin/codex.js")


def mcpb() -> list[str]:
    """The command line of the official tool of bundles."""
    return _script("@anthropic-ai/mcpb/dist/cli/cli.js")


def _script(path: str) -> list[str]:
    node = installed()
    return [str(node.executable), str(node.directory / "node_modules" / path)]


def uv() -> Path:
    """uv, which hosts run bundles with: beside this Python where `make lock` put it, else installed into the cache."""
    name = "uv.exe" if sys.platform == "win32" else "uv"
    beside = Path(sys.executable).parent / name
    if beside.is_file():
        return beside
    directory, missing = _uv_in_place(name)
    if missing:
        unavailable(missing)
    return directory / "bin" / name


@cache
def _uv_in_place(name: str) -> tuple[Path, str]:
    """Where it is installed, and why it is not there; tried once for all tests."""
    directory = Path(platformdirs.user_cache_dir("codeloupe-tests", appauthor=False)) / f"uv-{UV}"
    directory.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{directory}.lock", timeout=INSTALL_S):
        return directory, "" if (directory / "bin" / name).is_file() else _install_uv(directory)


def _install_uv(directory: Path) -> str:
    """Why not, if not."""
    line = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(directory), f"uv=={UV}"]
    done = subprocess.run(line, capture_output=True, encoding="utf-8", timeout=INSTALL_S, check=False)
    return f"pip could not install uv; check the network. It said: {done.stderr[-1000:]}" if done.returncode else ""
