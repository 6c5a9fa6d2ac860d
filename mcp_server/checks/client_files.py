"""What the clients' own files say of codeloupe: whether each entry would start it, in a place that is meant."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mcp_server.checks.findings import Finding, error, warning, well
from mcp_server.checks.server import version_of
from mcp_server.clients.editing import MODULE
from mcp_server.clients.present import KnownFile, Server, known_files
from mcp_server.errors import ClientFileError

SERVE, ROOT = "serve", "--root"
VARIABLE = "${"  # of the client: what it stands for is known there alone


def examine(roots: Sequence[Path], version: str) -> list[Finding]:
    """Every entry of ours in every client's file of this user, and of the projects ``roots``."""
    files = {known.path: known for root in roots for known in known_files(root)}
    findings = [finding for known in files.values() for finding in _file(known, version)]
    return findings or [well("clients", "no file of a known client starts codeloupe yet (codeloupe install CLIENT)")]


def _file(known: KnownFile, version: str) -> Iterator[Finding]:
    what = f"{known.client.title}, {known.path}"
    try:
        ours = [server for server in known.servers() if server.is_ours]
    except ClientFileError as broken:
        said = str(broken).removeprefix(f"{known.path} ").partition(";")[0]
        yield error(what, said, f"mend the file: {known.client.title} cannot read it either")
        return
    again = f"codeloupe install {known.client.name} --{known.scope}"
    for server in ours:
        faults = list(faults_of(server))
        if faults:
            yield error(what, f"{server.name}: {'; '.join(faults)}", again)
        elif surprise := _surprise(known, server, version):
            yield warning(what, f"{server.name}: {surprise}", again)
        else:
            yield well(what, f"{server.name} starts {' '.join([server.command, *server.args])}")
    if len({server.name for server in ours}) > 1:
        names = " and ".join(sorted({server.name for server in ours}))
        yield warning(what, f"{names} both start codeloupe, so each tool is offered twice", "take one of them out")


def faults_of(server: Server) -> Iterator[str]:
    """Why an entry does not start a server at all, or one that ends at once."""
    program = found_program(server.command, server.env)
    if program is None:
        yield _no_program(server.command)
    if server.cwd and VARIABLE not in server.cwd and not is_directory(server.cwd):
        yield f"its working directory {server.cwd} does not exist"
    if SERVE not in server.args:
        yield f"its arguments lack {SERVE!r}, so it prints its help and ends"
    for root in roots_of(server):
        if VARIABLE not in root and not is_directory(root):
            yield f"its root {root} does not exist, and the server ends at once"


def is_directory(path: str) -> bool:
    """Whether it is one that can be looked at, whatever a file has for a path: no user ~nobody, no permission."""
    return os.path.isdir(os.path.expanduser(path))  # noqa: PTH111, PTH112 - Path raises where these say no


def found_program(command: str, environment: Mapping[str, str]) -> str | None:
    """The file that a client would start, by a path or by the PATH that the entry or this process has."""
    if VARIABLE in command:
        return command
    return shutil.which(os.path.expanduser(command), path=environment.get("PATH"))  # noqa: PTH111 - a name stays a name


def _no_program(command: str) -> str:
    path = os.path.expanduser(command)  # noqa: PTH111 - see is_directory
    if os.path.isfile(path):  # noqa: PTH113 - see is_directory
        return f"its command {command} may not be run (chmod +x {command})"
    where = "does not exist" if Path(path).is_absolute() else "is not on this PATH"
    return f"its command {command or '(none)'} {where}"


def roots_of(server: Server) -> Iterator[str]:
    """What follows each --root in the arguments of an entry."""
    for number, word in enumerate(server.args):
        if word == ROOT and number + 1 < len(server.args):
            yield server.args[number + 1]
        elif word.startswith(f"{ROOT}="):
            yield word.removeprefix(f"{ROOT}=")


def _surprise(known: KnownFile, server: Server, version: str) -> str:
    """What works, and not as its user thinks; "" where nothing does."""
    roots = list(roots_of(server))
    if not roots and known.scope not in known.client.projects and not server.cwd:
        return "it has no --root, and the client names no project: its working directory would be read, or all of /"
    relative = [
        root for root in roots if VARIABLE not in root and not root.startswith("~") and not Path(root).is_absolute()
    ]
    if relative:
        return f"its root {relative[0]} is relative to a working directory that the client chooses"
    other = _version(server) if known.scope == "user" else ""  # a project's file is anybody's: nothing it names is run
    return f"it starts version {other}, and this is {version}" if other not in ("", version) else ""


def _version(server: Server) -> str:
    """Of the codeloupe that an entry starts; "" where asking would fetch it (uvx), or is not possible."""
    before = list(server.args[: server.args.index(SERVE)])
    if before and MODULE not in before:
        return ""
    program = found_program(server.command, server.env)
    is_known = program is not None and VARIABLE not in program and Path(program).is_absolute()
    return version_of([program, *before]) if program and is_known else ""
