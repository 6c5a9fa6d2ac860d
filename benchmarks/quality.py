"""Answers to a set of questions through the real MCP server, one line of JSON a question, for a scorer to judge.

    python -m benchmarks.quality --questions DIR --repositories DIR --out RUN.jsonl [--mode auto|text|semantic]

QUESTIONS holds repos.json (name, benchmark_root) and annotations/NAME.json (query); REPOSITORIES a checkout a name. A
repository is indexed to the end before its questions are asked; vectors come from the user's cache where it has them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import anyio
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

HITS = 10
ENVIRONMENT = {"CODELOUPE_SEARCH_MODEL_WAIT_S": "60", "CODELOUPE_SEARCH_MAX_CHARS": "40000"}


async def answers(root: Path, queries: list[str], mode: str) -> list[list[dict[str, Any]]]:
    """The hits of each query, best first."""
    command = ["-P", "-m", "mcp_server.cli", "serve", "--root", str(root)]
    server = StdioServerParameters(command=sys.executable, args=command, env=os.environ | ENVIRONMENT)
    found = []
    async with Client(stdio_client(server), read_timeout_seconds=3600) as client:
        await client.call_tool("index", {"wait": True})
        for query in queries:
            asked = {"query": query, "limit": HITS, "mode": mode, "detail": "locations", "format": "json"}
            result = await client.call_tool("search", asked)
            assert result.structured_content is not None, result.content
            found.append(result.structured_content["hits"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--mode", default="auto")
    arguments = parser.parse_args()
    with arguments.out.open("w", encoding="utf-8") as out:
        for repo in json.loads((arguments.questions / "repos.json").read_text(encoding="utf-8")):
            name = repo["name"]
            root = arguments.repositories / name / (repo.get("benchmark_root") or "")
            questions = json.loads((arguments.questions / "annotations" / f"{name}.json").read_text(encoding="utf-8"))
            queries = [question["query"] for question in questions]
            for query, hits in zip(queries, anyio.run(answers, root, queries, arguments.mode), strict=True):
                out.write(json.dumps({"repo": name, "query": query, "results": hits}) + "\n")
            print(f"{name}: {len(queries)} questions", flush=True)


if __name__ == "__main__":
    main()
