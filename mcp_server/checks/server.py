"""The command that clients start: found, of this version, and speaking the protocol of both eras on a clean stdout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from embedding.process import ending_name
from mcp_server.checks.conversation import CLIENT, LEGACY, MODERN, Conversation, stamped
from mcp_server.checks.findings import Finding, error, warning, well

COMMAND = "codeloupe"
START_S = 30.0  # Claude gives up then
SOON_S = 10.0  # and Codex after these
END_S = 10.0  # whatever has not left by then stays for good
LEFT_S = 2.0  # clients kill a server that has not left by then
VERSION_S = 20.0
Talk = Callable[[Conversation], str]  # what is amiss, "" where nothing is


@dataclass(frozen=True, slots=True)
class Heard:
    """What is amiss with one conversation, and what would be too slow for some client; "" where nothing is."""

    fault: str = ""
    slow: str = ""


def own_command() -> list[str]:
    """What starts this very installation."""
    directory = Path(sys.executable).parent
    found = shutil.which(COMMAND, path=os.fspath(directory))
    return [found] if found else [sys.executable, "-P", "-m", "mcp_server.cli"]


def examine(root: Path, version: str) -> list[Finding]:
    """The command on the PATH, where there is one, as a client would start it; else this installation's own."""
    found = shutil.which(COMMAND)
    return [_command(found, version), _server([found] if found else own_command(), root)]


def _server(command: list[str], root: Path) -> Finding:
    """One conversation in each era of the protocol, both at once."""
    talks: dict[str, Talk] = {LEGACY: _with_handshake, MODERN: _without_handshake}
    line = [*command, "serve", "--root", str(root)]
    with ThreadPoolExecutor(len(talks)) as threads:
        heard = dict(zip(talks, threads.map(partial(_talked, line, root), talks.values()), strict=True))
    if faults := _by_era({era: one.fault for era, one in heard.items() if one.fault}):
        mend = f"try it by hand: {' '.join(command)} serve; then install codeloupe again, or mend what wraps it"
        return error("server", faults, mend)
    if slow := {one.slow for one in heard.values() if one.slow}:
        mend = "close what keeps the machine busy; Codex: startup_timeout_sec = 30 in its config.toml"
        return warning("server", "; ".join(sorted(slow)), mend)
    return well("server", f"starts, answers in {LEGACY} and {MODERN}, and ends with its input")


def _by_era(faults: Mapping[str, str]) -> str:
    """Each fault with the eras it shows in."""
    eras: dict[str, list[str]] = {}
    for era, fault in faults.items():
        eras.setdefault(fault, []).append(era)
    return "; ".join(f"{' and '.join(where)}: {fault}" for fault, where in eras.items())


def _command(found: str | None, version: str) -> Finding:
    own = own_command()
    if found is None:
        mend = (
            f"write {' '.join(own)} into the client's file (codeloupe install does), or add its directory to the PATH"
        )
        return warning(
            "command", f"there is no {COMMAND} on the PATH, so a client that starts it by name finds none", mend
        )
    if os.path.realpath(found) == os.path.realpath(own[0]):
        return well("command", f"{found}, version {version}")
    other = version_of([found])
    if other == version:
        return well("command", f"{found} is another installation of the same version, {version}")
    said = f"{found}, which clients start, is version {other or 'unknown'}, and this is {version} ({own[0]})"
    return warning("command", said, "update the one on the PATH, or put this one's directory before it")


def version_of(command: list[str]) -> str:
    """What ``command --version`` says; "" where it says nothing of the kind."""
    try:
        done = subprocess.run(
            [*command, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=sys.prefix,  # not the project: Python looks there for modules first
            timeout=VERSION_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = done.stdout.split()
    return words[-1] if done.returncode == 0 and words[:2] == [f"{COMMAND},", "version"] else ""


def _talked(line: list[str], directory: Path, talk: Talk) -> Heard:
    """One conversation from start to end."""
    try:
        conversation = Conversation(line, directory)
    except OSError as failed:
        why = failed.strerror or str(failed)
        return Heard(f"{line[0]} cannot be started ({why}): the file, or what its first line names, is gone")
    with conversation:
        fault = talk(conversation)
        return Heard(fault) if fault else _afterwards(conversation)


def _with_handshake(conversation: Conversation) -> str:
    asked = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": CLIENT}
    answer = conversation.ask("initialize", asked, START_S)
    if answer is None:
        return _silence(conversation, "initialize")
    spoken = answer.get("result", {}).get("protocolVersion")
    if spoken != LEGACY:
        return f"{LEGACY} was asked for and {spoken or answer.get('error')} was answered"
    conversation.tell({"jsonrpc": "2.0", "method": "notifications/initialized"})
    return _tools(conversation.ask("tools/list", {}, START_S), conversation)


def _without_handshake(conversation: Conversation) -> str:
    return _tools(conversation.ask("tools/list", stamped({}), START_S), conversation)


def _tools(answer: dict[str, object] | None, conversation: Conversation) -> str:
    if answer is None:
        return _silence(conversation, "tools/list")
    result = answer.get("result")
    tools = result.get("tools", []) if isinstance(result, dict) else []
    if any(tool.get("name") == "search" for tool in tools):
        return ""
    return f"tools/list gives no tool named search ({answer.get('error') or 'other tools'})"


def _silence(conversation: Conversation, method: str) -> str:
    """Why no answer came: it ended, in its last words, or it is slow."""
    took = conversation.hang_up(END_S)
    if took is None:
        return f"{method} was not answered within {START_S:.0f} s"
    lines = conversation.errors.decode("utf-8", "replace").strip().splitlines()
    last = lines[-1] if lines else "without a word"
    return f"it ended with {ending_name(conversation.code or 0)} instead of answering {method}: {last}"


def _afterwards(conversation: Conversation) -> Heard:
    """What shows at the end: that it does not end, that somebody wrote among the messages, how long it all took."""
    took = conversation.hang_up(END_S)
    if took is None:
        return Heard(f"it goes on {END_S:.0f} s after its input has ended, and would be killed by its client")
    if conversation.noise:
        said = conversation.noise[0][:80]
        return Heard(f"its stdout, which belongs to the protocol, has {said!r}: clients break at that")
    if conversation.longest_s > SOON_S:
        return Heard(slow=f"it took {conversation.longest_s:.0f} s to answer, and Codex gives up after {SOON_S:.0f}")
    return Heard(slow=f"it took {took:.0f} s to end, and clients kill it after {LEFT_S:.0f}" if took > LEFT_S else "")
