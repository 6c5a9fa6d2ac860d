"""codeloupe as a program among its peers: asked through its real MCP server, timed through its command."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from benchmarks.quality.peers import Answer, Ask, Found

# A warm question waits for its model, and an answer is not cut: cutting is measured apart.
ENVIRONMENT = {"CODELOUPE_SEARCH_MODEL_WAIT_S": "60", "CODELOUPE_SEARCH_MAX_CHARS": "100000"}
COMMAND = [sys.executable, "-P", "-m", "mcp_server.cli"]
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
            arguments: dict[str, Any] = {"query": ask.query, "limit": ask.hits, "mode": mode, "format": "json"}
            began = time.perf_counter()
            result = await client.call_tool("search", arguments)
            milliseconds = (time.perf_counter() - began) * 1000
            assert result.structured_content is not None, result.content
            found.append(Answer(tuple(map(_found, result.structured_content["hits"])), milliseconds))
    return found


def _found(hit: dict[str, Any]) -> Found:
    return Found(hit["file_path"], hit["start_line"], hit["end_line"], hit["content"])


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
