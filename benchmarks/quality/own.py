"""codeloupe as a program among its peers: asked through its real MCP server, timed through its command."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import anyio
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from benchmarks.quality.peers import Answer, Ask, Found
from mcp_server.answers.tokens import estimated_tokens

# A warm question waits for its model.
ENVIRONMENT = {"CODELOUPE_SEARCH_MODEL_WAIT_S": "60"}
COMMAND = [sys.executable, "-P", "-m", "mcp_server.cli"]
# A place, and under it a line of its evidence, which begins with its number: what is only named has not been shown.
PLACE = re.compile(r"^\d+\. (.+?):(\d+)-(\d+)(?: .*)?\n(?=\d+ )", re.MULTILINE)
MODES = {"codeloupe-words": "text", "codeloupe-vectors": "semantic", "codeloupe": "auto"}


def answers(mode: str, root: Path, asked: Sequence[Ask]) -> list[Answer]:
    """Answers of a server over stdio once the directory is indexed to the end; milliseconds as its client sees them."""
    return anyio.run(_answers, mode, root, asked)


async def _answers(mode: str, root: Path, asked: Sequence[Ask]) -> list[Answer]:
    server = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "serve", "--root", str(root)], env=os.environ | ENVIRONMENT
    )
    found = []
    async with Client(stdio_client(server), read_timeout_seconds=3600) as client:
        await client.call_tool("index", {"wait": True})
        for ask in asked:
            began = time.perf_counter()
            hits = await (_shown(client, mode, ask) if ask.tokens else _hits(client, mode, ask))
            found.append(Answer(tuple(hits), (time.perf_counter() - began) * 1000))
    return found


async def _hits(client: Client, mode: str, ask: Ask) -> list[Found]:
    """The hits, whatever text would fit beside them."""
    arguments = {"query": ask.query, "limit": ask.hits, "mode": mode, "detail": "locations", "format": "json"}
    result = await client.call_tool("search", arguments)
    assert result.structured_content is not None, result.content
    return [
        Found(hit["file_path"], hit["start_line"], hit["end_line"], "") for hit in result.structured_content["hits"]
    ]


async def _shown(client: Client, mode: str, ask: Ask) -> list[Found]:
    """The places of which an answer of so many tokens shows something; codeloupe itself chooses what."""
    result = await client.call_tool("search", {"query": ask.query, "mode": mode, "max_tokens": ask.tokens})
    text = "".join(getattr(block, "text", "") for block in result.content)
    assert estimated_tokens(text) <= ask.tokens, (ask, estimated_tokens(text))
    return [Found(path, int(first), int(last), "") for path, first, last in PLACE.findall(text)]


def first_answer_s(mode: str, root: Path, query: str) -> float:
    """Seconds from nothing to an answer of the command: nothing indexed, no vector cached, the model on disk.

    Words are searched as soon as they are there; the other modes index to the end first, as a user who wants all of
    it would.
    """
    with tempfile.TemporaryDirectory() as scratch:
        homes = {f"XDG_{kind}_HOME": f"{scratch}/{kind}" for kind in ("DATA", "CACHE", "CONFIG", "STATE")}
        environment = os.environ | homes
        steps = [["search", "--root", str(root), "--mode", mode, "--", query]]
        if mode != "text":
            steps.insert(0, ["index", str(root)])
        began = time.perf_counter()
        for step in steps:
            subprocess.run([*COMMAND, *step], env=environment, capture_output=True, timeout=3600, check=True)
        return time.perf_counter() - began
