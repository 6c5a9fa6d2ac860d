"""A question to Claude Code, and all that a model reads and asks on the way to its answer, as a transcript.

    python -m benchmarks.session [--root DIR] [--question TEXT] [--claude PATH]

Claude Code is the real one, as are its search for tools, our server and its index; no account is needed, since the
model is a script (``Reader``): it knows what stands in the messages it is sent and nothing else. Tokens are our
estimate (docs/answers.md). Everything happens in homes of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from benchmarks.scripted_model import Move, Say, ScriptedModel, Use
from mcp_server.answers.tokens import estimated_tokens

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 300
PREFIX = "mcp__codeloupe__"
SEARCH = f"{PREFIX}search"
FIRST_WORDS = "search code"
# What a model may type that has a question about code and does not know this server.
WORDS = (
    "search code",
    "code search",
    "find code",
    "search codebase",
    "semantic search",
    "find where a function is defined",
    "grep the repository",
    "where are errors handled",
    "locate implementation in repository",
    "find references usages",
    "+codeloupe search",
    f"select:{SEARCH}",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """Which Claude Code is asked about which directory, in whose home, and how our server is started there."""

    claude: Sequence[str]
    root: Path
    environment: dict[str, str]
    server: Sequence[str] = (sys.executable, "-P", "-m", "mcp_server.cli", "serve")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the model did, and what it read then."""

    tool: str
    asked: dict[str, Any]
    read: str


@dataclass(frozen=True, slots=True)
class Session:
    """What went over: the request that began it, the steps, and the last word."""

    first: dict[str, Any]
    last: dict[str, Any]
    steps: tuple[Step, ...]
    result: str


class Reader:
    """The model's choices: look for a tool, ask it, read the best place, look for who else names it, answer."""

    def __init__(self, question: str, root: Path) -> None:
        self._question = question
        self._root = root

    def __call__(self, request: dict[str, Any]) -> Move:
        """The next step, by what the last one brought."""
        if not offers(request, "ToolSearch"):  # asked for a title or the like
            return Say("Code")
        done = steps(request)
        if not done:
            return Use("ToolSearch", {"query": FIRST_WORDS, "max_results": 5})
        return self._after(done)

    def _after(self, done: Sequence[Step]) -> Move:
        last = done[-1]
        if len(done) == 1:
            found = SEARCH in last.read.split()
            return Use(SEARCH, {"query": self._question}) if found else Say(f"No tool was found, but: {last.read}")
        best = best_place(done[1].read)
        if best is None:
            return Say(f"Nothing was found: {done[1].read}")
        path, first, final, name = best
        if len(done) == 2:
            lines = {"offset": first, "limit": final - first + 1}
            return Use("Read", {"file_path": str(self._root / path), **lines})
        if len(done) == 3:
            return Use(SEARCH, {"query": re.split(r"[/.]", name)[0], "mode": "exact", "detail": "locations"})
        return Say(f"{path}:{first} ({name})")


def resource_moves(path: str, first: int, last: int) -> tuple[Move, ...]:
    """Lines of a file through the server, with Claude Code's own reader of resources."""
    asked = {"server": "codeloupe", "uri": f"code://{path}?start={first}&end={last}"}
    reader = Use("ToolSearch", {"query": "select:ReadMcpResourceTool", "max_results": 1})
    return reader, Use("ReadMcpResourceTool", asked), Say("Read.")


def in_turn(moves: Sequence[Move]) -> Any:
    """A rule that makes these moves, whatever comes back."""
    return lambda request: moves[len(steps(request))] if offers(request, "ToolSearch") else Say("Code")


def offers(request: dict[str, Any], tool: str) -> bool:
    """Whether a request lets the model use a tool."""
    return any(each.get("name") == tool for each in request.get("tools", []))


def steps(request: dict[str, Any]) -> tuple[Step, ...]:
    """What was done so far, by the messages of a request."""
    blocks = [block for message in request["messages"] for block in _blocks(message["content"])]
    read = {block["tool_use_id"]: _text(block["content"]) for block in blocks if block["type"] == "tool_result"}
    uses = [block for block in blocks if block["type"] == "tool_use"]
    return tuple(Step(use["name"], use["input"], read.get(use["id"], "")) for use in uses)


def best_place(answer: str) -> tuple[str, int, int, str] | None:
    """Path, first and last line, and the name at the first place of our server's answer."""
    found = re.search(r"^1\. (.+):(\d+)-(\d+)(?: ([^,\n]+))?", answer, re.MULTILINE)
    return (found[1], int(found[2]), int(found[3]), found[4] or "") if found else None


def _blocks(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _text(content: Any) -> str:
    """A tool's result as the model reads it; a reference to a tool is its name here."""
    return "\n".join(block.get("text") or block.get("tool_name", "") for block in _blocks(content))


def ask(setting: Setting, question: str, rule: Any) -> Session:
    """Put a question to Claude Code whose model follows ``rule``. Raises RuntimeError where it fails."""
    with ScriptedModel(rule) as model, tempfile.TemporaryDirectory() as scratch:
        configuration = Path(scratch) / "mcp.json"
        configuration.write_text(json.dumps(_configuration(setting)), encoding="utf-8")
        allowed = ("--allowedTools", f"{PREFIX}search,{PREFIX}status,Read,ReadMcpResourceTool")
        line = [*setting.claude, "-p", question, "--mcp-config", str(configuration), "--strict-mcp-config", *allowed]
        done = subprocess.run(
            [*line, "--output-format", "json"],
            cwd=setting.root,
            env=_without_account(setting.environment, model.url),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_S,
            check=False,
        )
    told = [request for request in model.requests if offers(request, "ToolSearch")]
    if done.returncode or not told:
        raise RuntimeError(f"Claude Code ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return Session(told[0], told[-1], steps(told[-1]), str(json.loads(done.stdout)["result"]))


def _configuration(setting: Setting) -> dict[str, Any]:
    command, *arguments = setting.server
    arguments += ["--root", str(setting.root)]
    return {"mcpServers": {"codeloupe": {"type": "stdio", "command": command, "args": arguments}}}


def _without_account(environment: dict[str, str], url: str) -> dict[str, str]:
    """Claude Code asks the script, searches for tools as it does with a real model, and stays at home."""
    own = ("ANTHROPIC_", "CLAUDE_")
    return {name: value for name, value in environment.items() if not name.startswith(own)} | {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "none",
        "ENABLE_TOOL_SEARCH": "true",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }


def deferred(request: dict[str, Any]) -> list[str]:
    """The tools of which a model is told the names alone."""
    listed = re.search(r"^The following deferred tools.*\n((?:[\w-]+\n)+)", everything(request), re.MULTILINE)
    return listed[1].split() if listed else []


def everything(request: dict[str, Any]) -> str:
    """All text of a request but the tools' definitions."""
    parts = [*_blocks(request.get("system", "")), *(b for m in request["messages"] for b in _blocks(m["content"]))]
    return "\n".join(part.get("text", "") for part in parts)


def definition(request: dict[str, Any], tool: str) -> str:
    """A tool as a model reads it once it was found."""
    [found] = [each for each in request["tools"] if each.get("name") == tool]
    return json.dumps({name: found[name] for name in ("name", "description", "input_schema")}, ensure_ascii=False)


def rankings(session: Session) -> list[tuple[str, list[str]]]:
    """What each search for tools brought, best first."""
    return [(step.asked["query"], step.read.split()) for step in session.steps if step.tool == "ToolSearch"]


def transcript(session: Session, question: str, instructions: str) -> Iterator[str]:
    """The session for a reader, step by step."""
    names = deferred(session.first)
    ours = [name for name in names if name.startswith(PREFIX)]
    schemas = [definition(session.last, name) for name in ours]
    yield f"The question: *{question}*\n"
    yield "**Before it** the model reads of this server:\n"
    yield f"* {len(ours)} of {len(names)} names of tools it may search for, {code(ours)}: {size(' '.join(ours))};"
    yield f"* the server's instructions: {size(instructions)};"
    yield f"* none of the {len(schemas)} definitions, which would be {size(''.join(schemas))}.\n"
    for number, step in enumerate(session.steps, 1):
        yield f"**{number}. {step.tool}** `{json.dumps(step.asked, ensure_ascii=False)}`\n"
        if step.tool == "ToolSearch":
            found = step.read.split()
            defined = "".join(definition(session.last, name) for name in found if name in ours)
            alone = size(definition(session.last, SEARCH))
            yield f"brings {code(found)}. Those of ours are now defined to the model: {size(defined)}"
            yield f"(`{SEARCH}` alone: {alone}).\n"
            continue
        yield f"{size(step.read)}:\n\n```text\n{step.read}\n```\n"
    yield f"**{len(session.steps) + 1}. The answer**: {session.result}\n"
    spent = [instructions, *ours, *schemas, *(step.read for step in session.steps)]
    yield f"In all {size(''.join(spent))} were read of this server on the way.\n"


def aside(setting: Setting, session: Session) -> Iterator[str]:
    """The best place once more, as a resource, and a prompt of the server's as the command it is in Claude Code."""
    place = best_place(session.steps[1].read)
    if place is None:
        return
    path, first, last, name = place
    yield "## A resource and a prompt\n"
    read = ask(setting, "Read it.", in_turn(resource_moves(path, first, last))).steps[1]
    yield f"**{read.tool}** `{json.dumps(read.asked)}`: {size(read.read)}:\n\n```text\n{read.read}\n```\n"
    command = f"/{PREFIX}explain {name}"
    becomes = message(ask(setting, command, in_turn([Say("Well.")])))
    yield f"`{command}` becomes {size(becomes)}:\n\n```text\n{becomes}\n```\n"


def searching(setting: Setting) -> Iterator[str]:
    """What each of the words brings, as a table."""
    moves: list[Move] = [Use("ToolSearch", {"query": words, "max_results": 5}) for words in WORDS]
    yield "| a model's words | what Claude Code's search for tools brings, best first |\n|---|---|"
    for words, brought in rankings(ask(setting, "Which tools are there?", in_turn([*moves, Say("Those.")]))):
        yield f"| {words} | {', '.join(name.removeprefix('mcp__') for name in brought)} |"


def code(names: Sequence[str]) -> str:
    """Names as they are written in Markdown."""
    return ", ".join(f"`{name}`" for name in names)


def message(session: Session) -> str:
    """What the user's words have become, for the model."""
    said = [block["text"] for block in _blocks(session.first["messages"][0]["content"]) if block["type"] == "text"]
    return str(said[-1])


def size(text: str) -> str:
    """How long a text is, in letters and in tokens."""
    return f"{len(text):,} characters, some {estimated_tokens(text):,} tokens"


def own_home(directory: Path) -> dict[str, str]:
    """An environment in which only the models are the user's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "CLAUDE_", "XDG_"))}
    homes = {f"XDG_{kind}_HOME": str(directory / kind.lower()) for kind in ("DATA", "CACHE", "CONFIG", "STATE")}
    models = Path(platformdirs.user_data_dir("codeloupe", appauthor=False)) / "models"
    return kept | homes | {"HOME": str(directory), "CODELOUPE_MODEL_DIRECTORY": str(models)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=ROOT / "embedding")
    parser.add_argument("--question", default="when is a failing model left alone and for how long")
    parser.add_argument("--claude", default=shutil.which("claude"), help="Claude Code's program [default: on the PATH]")
    arguments = parser.parse_args()
    if not arguments.claude:
        parser.error(
            "Claude Code is not on the PATH; install it (npm install -g @anthropic-ai/claude-code) or name it."
        )
    from mcp_server.tools import INSTRUCTIONS

    with tempfile.TemporaryDirectory() as home:
        root = arguments.root.resolve()
        setting = Setting([arguments.claude], root, own_home(Path(home)))
        index = [sys.executable, "-P", "-m", "mcp_server.cli", "index", str(root)]
        subprocess.run(index, env=setting.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        session = ask(setting, arguments.question, Reader(arguments.question, root))
        shown = [*transcript(session, arguments.question, INSTRUCTIONS), *aside(setting, session), *searching(setting)]
        print("\n".join(shown).replace(str(root), "/project"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
