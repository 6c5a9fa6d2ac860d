"""How the two servers are started: command lines and environments, and what is said where one cannot be. Pure."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mcp_server.serena.errors import BridgeError, ServerMissingError, ToolsMissingError

SERENA = ("serena",)
CODELOUPE = (sys.executable, "-P", "-m", "mcp_server.cli")  # this installation, whatever is on the PATH
START = "start-mcp-server"
# Without the first of these, Serena 2 offers serena_repl alone. Windows in a browser are not for a program.
OFFERING = ("--agent-interface", "tools")
QUIETLY = ("--context", "ide", "--enable-web-dashboard", "False", "--enable-gui-log-window", "False")
NEEDED = ("find_symbol", "find_referencing_symbols")
INSTALL = (
    "install it with 'uv tool install serena-agent', or into a virtual environment of its own "
    "and name it: serena_command=('/path/to/venv/bin/serena',)"
)
_PREAMBLE = re.compile(r"^Error executing tool \w+: ")


@dataclass(frozen=True, slots=True)
class Launch:
    """A server to start: its name for sentences, its command line, its environment, where it runs."""

    name: str
    line: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    missing: str  # the next step where the program is not there


def codeloupe(command: Sequence[str], project: Path, environment: Mapping[str, str]) -> Launch:
    """Our own server on the project."""
    missing = "name the program: codeloupe_command=('codeloupe',)"
    line = (*command, "serve", "--root", str(project))
    return Launch("codeloupe", line, environment, project, missing)


def serena(command: Sequence[str], project: Path, environment: Mapping[str, str]) -> Launch:
    """Serena's server on the project; a command that names ``start-mcp-server`` is taken as it is.

    What it reports of its use to its makers is turned off unless the environment says otherwise.
    """
    line = tuple(command)
    if START not in line:
        line = (*line, START, "--project", str(project), *OFFERING, *QUIETLY)
    return Launch("Serena", line, {"SERENA_USAGE_REPORTING": "false", **environment}, project, INSTALL)


def found(launch: Launch) -> str:
    """The program's full path. Raises ServerMissingError where there is none."""
    if not launch.line:
        raise ServerMissingError(f"{launch.name} has no command to be started with; {launch.missing}.")
    program = shutil.which(launch.line[0], path=launch.environment.get("PATH", os.defpath))
    if program is None:
        raise ServerMissingError(f"{launch.name} is not there: no program {launch.line[0]!r}; {launch.missing}.")
    return str(Path(program).absolute())  # the server runs in the project, not here


def check_tools(offered: Sequence[str]) -> None:
    """Raise ToolsMissingError where Serena does not offer what the bridge asks for."""
    missing = [tool for tool in NEEDED if tool not in offered]
    if not missing:
        return
    if "serena_repl" in offered:
        raise ToolsMissingError(
            "Serena offers serena_repl alone, which the bridge does not speak; "
            f"start it with '{' '.join(OFFERING)}' (the bridge does so by itself where serena_command is its program), "
            "and take 'agent_interface: REPL' out of the project's .serena/project.yml, which has the last word."
        )
    raise ToolsMissingError(
        f"Serena does not offer {' and '.join(missing)}; take them out of excluded_tools in its configuration, "
        "and see that its context and modes include them."
    )


def project_directory(project: Path) -> Path:
    """The project, absolute. Raises BridgeError where it is no directory."""
    directory = project.expanduser().resolve()
    if not directory.is_dir():
        raise BridgeError(f"{project} is not a directory; name the project's root.")
    return directory


def why_refused(words: str) -> str:
    """What a tool of Serena's said, with the next step where it is a language server that is wanting."""
    said = _PREAMBLE.sub("", " ".join(words.split()))[:400] or "nothing"
    if "path is ignored" in said:
        return (
            "No language server of Serena's looks at this file: its language is not under language_servers in the "
            "project's .serena/project.yml, or its path is ignored there or by git."
        )
    if any(sign in words.lower() for sign in ("language server", "languageserver", "cannot extract symbols")):
        return (
            f"Serena has no language server for it ({said}); name one under language_servers in the project's "
            ".serena/project.yml, and where its program is under ls_specific_settings in ~/.serena/serena_config.yml."
        )
    return f"Serena said: {said}"
