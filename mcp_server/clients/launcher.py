"""How a client starts this codeloupe: an absolute path wherever there is one, since a client has a PATH of its own."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mcp_server.clients.editing import MODULE, PROGRAM, is_ours
from mcp_server.errors import RequestError


@dataclass(frozen=True, slots=True)
class Running:
    """What is known of the process that asks."""

    script: str  # sys.argv[0]
    python: str  # sys.executable
    prefix: str  # sys.prefix
    environ: Mapping[str, str]
    source: str = ""  # where pip says that it installed from (PEP 610), as JSON; "" for an index

    @classmethod
    def this(cls) -> Running:
        """What can be said of this process."""
        return cls(sys.argv[0], sys.executable, sys.prefix, os.environ, _direct_url())


def command_line(running: Running, named: str = "") -> tuple[str, ...]:
    """The words that come before `serve`: what the user named, else how this codeloupe was started, to last.

    Raises RequestError where the named command does not start codeloupe.
    """
    if named:
        return _named(named)
    if _is_throw_away(running.prefix):
        return _uvx(running)
    for candidate in _scripts(running):
        if candidate.is_file():
            return (str(candidate),)
    return (running.python, "-P", "-m", MODULE)


def _named(named: str) -> tuple[str, ...]:
    words = [named] if Path(named).is_file() else shlex.split(named, posix=os.name != "nt")
    if not words or not is_ours({"command": words[0], "args": words[1:]}):
        raise RequestError(f"--command {named!r} does not start codeloupe; name codeloupe, or uvx with it.")
    return tuple(words)


def _scripts(running: Running) -> list[Path]:
    """Where the installed command may be, best first: as it was called (a link of uv or pipx outlives an update)."""
    called = Path(running.script).absolute()
    places = [Path(running.python).parent, Path(sysconfig.get_path("scripts"))]
    found = [place / name for place in places for name in (PROGRAM, f"{PROGRAM}.exe")]
    own = [called, called.with_suffix(".exe")] if called.stem == PROGRAM else []
    return [*own, *found]


def _is_throw_away(prefix: str) -> bool:
    """Whether this is an environment that uvx made in its cache, which may be gone tomorrow."""
    parts = Path(prefix).resolve().parts
    return any(part.startswith(("archive-v", "environments-v")) for part in parts)


def _uvx(running: Running) -> tuple[str, ...]:
    uv = running.environ.get("UV", "")
    beside = shutil.which("uvx", path=str(Path(uv).parent)) if uv else None
    uvx = beside or shutil.which("uvx") or "uvx"
    source = _requirement(running.source)
    return (uvx, "--from", source, PROGRAM) if source else (uvx, PROGRAM)


def _requirement(source: str) -> str:
    """What `uvx --from` takes for the place a package came from."""
    said = json.loads(source) if source else {}
    url = str(said.get("url", ""))
    version = said.get("vcs_info", {})
    return f"{version['vcs']}+{url}@{version['commit_id']}" if version else url


def _direct_url() -> str:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return distribution(PROGRAM).read_text("direct_url.json") or ""
    except PackageNotFoundError:
        return ""
