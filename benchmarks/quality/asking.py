"""Questions put to the real product: a server on stdio, one directory, ten hits an answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

HITS = 10
ENVIRONMENT = {"CODELOUPE_SEARCH_MODEL_WAIT_S": "60", "CODELOUPE_SEARCH_MAX_TOKENS": "12000"}


async def answers(root: Path, queries: Sequence[str], modes: Sequence[str]) -> Mapping[str, list[list[dict[str, Any]]]]:
    """By mode, the hits of each query, best first; the directory is indexed to the end before the first is asked."""
    command = ["-P", "-m", "mcp_server.cli", "serve", "--root", str(root)]
    server = StdioServerParameters(command=sys.executable, args=command, env=os.environ | ENVIRONMENT)
    async with Client(stdio_client(server), read_timeout_seconds=7200) as client:
        await client.call_tool("index", {"wait": True})
        return {mode: [await _hits(client, query, mode) for query in queries] for mode in modes}


async def _hits(client: Client, query: str, mode: str) -> list[dict[str, Any]]:
    asked = {"query": query, "limit": HITS, "mode": mode, "detail": "locations", "format": "json"}
    result = await client.call_tool("search", asked)
    assert result.structured_content is not None, result.content
    hits: list[dict[str, Any]] = result.structured_content["hits"]
    return hits
