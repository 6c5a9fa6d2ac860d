"""Answers to a set of questions through the real MCP server, one line of JSON a question, for a scorer to judge.

    python -m benchmarks.quality questions --questions DIR --repositories DIR --out RUN.jsonl [--mode text]

QUESTIONS holds repos.json (name, benchmark_root) and annotations/NAME.json (query); REPOSITORIES a checkout a name. A
repository is indexed to the end before its questions are asked; vectors come from the user's cache where it has them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import anyio

from benchmarks.quality.asking import answers


def main(argv: Sequence[str] | None = None) -> None:
    """Ask them all, repository after repository."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--repositories", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--mode", default="auto", help="auto, text or semantic")
    arguments = parser.parse_args(argv)
    with arguments.out.open("w", encoding="utf-8") as out:
        for repo in json.loads((arguments.questions / "repos.json").read_text(encoding="utf-8")):
            name = repo["name"]
            root = arguments.repositories / name / (repo.get("benchmark_root") or "")
            questions = json.loads((arguments.questions / "annotations" / f"{name}.json").read_text(encoding="utf-8"))
            queries = [question["query"] for question in questions]
            found = anyio.run(answers, root, queries, [arguments.mode])[arguments.mode]
            for query, hits in zip(queries, found, strict=True):
                out.write(json.dumps({"repo": name, "query": query, "results": hits}) + "\n")
            print(f"{name}: {len(queries)} questions", flush=True)


if __name__ == "__main__":
    main()
