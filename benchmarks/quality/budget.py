"""What answers within a number of tokens are worth, and whether they keep to it, through the real MCP server.

    python -m benchmarks.quality budget --questions DIR --repositories DIR [--vocabularies RANKS] [--only NAME ...]

QUESTIONS and REPOSITORIES as for ``compare``; RANKS is js-tiktoken's ``dist/ranks`` (benchmarks/vocabularies.py),
without it tokens are as estimated. A right place counts where the answer names its file and lines, and shows one.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import anyio
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from benchmarks.quality.judging import BUDGETS, Question, by_repository, question, ranks
from benchmarks.quality.peers import Found
from benchmarks.vocabularies import vocabularies
from mcp_server.answers.tokens import estimated_tokens

ENVIRONMENT = {"CODELOUPE_SEARCH_MODEL_WAIT_S": "60"}
# A heading, the line of evidence under it, which begins with its number.
SHOWN = re.compile(r"^\d+\. (.+?):(\d+)-(\d+)(?: .*)?\n(?=\d+ )", re.MULTILINE)
KINDS: Mapping[str, Mapping[str, Any]] = {
    **{f"{tokens:,} tokens": {"max_tokens": tokens} for tokens in BUDGETS},
    "by default": {},
    "locations": {"detail": "locations"},
    "full": {"detail": "full"},
    "json": {"format": "json"},
    "json, locations": {"format": "json", "detail": "locations"},
}
DEFAULT_TOKENS = 2_000


async def answers(root: Path, queries: Sequence[str]) -> dict[str, list[str]]:
    """By kind, the answer to each query as a client's model reads it."""
    command = ["-P", "-m", "mcp_server.cli", "serve", "--root", str(root)]
    server = StdioServerParameters(command=sys.executable, args=command, env=os.environ | ENVIRONMENT)
    async with Client(stdio_client(server), read_timeout_seconds=7200) as client:
        await client.call_tool("index", {"wait": True})
        return {kind: [await _answer(client, query, asked) for query in queries] for kind, asked in KINDS.items()}


async def _answer(client: Client, query: str, asked: Mapping[str, Any]) -> str:
    result = await client.call_tool("search", {"query": query, **asked})
    assert not result.is_error, result.content
    return "".join(getattr(block, "text", "") for block in result.content)


def shown(answer: str) -> list[Found]:
    """The places of a text answer that have a line of theirs beneath them."""
    return [Found(path, int(first), int(last), "") for path, first, last in SHOWN.findall(answer)]


def recall(questions: Sequence[Question], given: Sequence[str]) -> float:
    """The share of right places shown, as a mean of repositories."""
    shares = [
        len(ranks(shown(answer), one.places)) / len(one.places) for one, answer in zip(questions, given, strict=True)
    ]
    return by_repository(questions, shares)


def row(kind: str, questions: Sequence[Question], given: Sequence[str], counts: Sequence[int]) -> str:
    """Recall, places shown and tokens of answers of one kind; ``counts`` are their tokens."""
    most = KINDS[kind].get("max_tokens", DEFAULT_TOKENS * (2 if kind == "full" else 1))
    over = sum(count > most for count in counts) / len(counts)
    places = fmean(len(shown(answer)) for answer in given)
    found = f"{recall(questions, given):.3f} {places:6.1f}" if places else f"{'':5} {'':6}"
    return f"{kind:16} {found} {fmean(counts):8,.0f} {max(counts):8,} {over:6.2%}"


def main(argv: Sequence[str] | None = None) -> None:
    """Ask everything, then count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument("--vocabularies", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args(argv)
    questions: list[Question] = []
    given: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for repo in json.loads((arguments.questions / "repos.json").read_text(encoding="utf-8")):
        name = repo["name"]
        if arguments.only and name not in arguments.only:
            continue
        rows = json.loads((arguments.questions / "annotations" / f"{name}.json").read_text(encoding="utf-8"))
        questions += [question(name, one) for one in rows]
        root = arguments.repositories / name / (repo.get("benchmark_root") or "")
        for kind, texts in anyio.run(answers, root, [one["query"] for one in rows]).items():
            given[kind] += texts
    _print(questions, given, arguments.vocabularies)


def _print(questions: Sequence[Question], given: Mapping[str, Sequence[str]], ranks_at: Path | None) -> None:
    counters = {"estimated": estimated_tokens}
    if ranks_at is not None:
        counters |= {vocabulary.name: vocabulary.count for vocabulary in vocabularies(ranks_at)}
    for name, count in counters.items():
        print(f"{name:16} {'recall':5} {'places':>5} {'tokens':>8} {'most':>8} {'over':>6}")
        for kind, texts in given.items():
            print(row(kind, questions, texts, [count(text) for text in texts]), flush=True)


if __name__ == "__main__":
    main()
