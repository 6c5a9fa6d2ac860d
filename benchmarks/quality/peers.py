"""Other programs that find code: how each is started, asked and understood.

A peer is a function of where it is installed, a directory and what is asked of it; it answers as whole processes do:
asked one question from nothing, its whole time is what a user waits. Nothing here is a dependency of codeloupe: a
peer has an environment of its own, named on the command line of ``benchmarks.quality.compare``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENTRIES = Path(__file__).with_name("entries")
SECONDS = 1800  # no peer may take longer over one repository
LINES_SHOWN = 10  # of a file that grep found: as many as the peers show of a hit
# What nobody would type into grep; questions of the set are English.
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by can do does for from get has have how in into is it its not of on or over that the "
        "their this through to use used uses using via was what when where which who why will with",
    )
)


@dataclass(frozen=True, slots=True)
class Found:
    """A hit: posix path below the directory, 1-based inclusive lines (none: a whole file), the text shown of it."""

    file_path: str
    start_line: int | None
    end_line: int | None
    shown: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Hits of one question, best first, and the milliseconds it took, a process's start included where it needs one."""

    hits: tuple[Found, ...]
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Ask:
    """A question, how many hits it may have (more can change the order), and how many tokens the answer (0: any)."""

    query: str
    hits: int
    tokens: int = 0


Peer = Callable[[Path, Path, Sequence[Ask]], list[Answer]]


def grep_terms(query: str) -> list[str]:
    """The words of a question that somebody would grep for, in order, each once; all of them if none is left."""
    words = list(dict.fromkeys(re.findall(r"\w+", query.lower())))
    return [word for word in words if len(word) > 2 and word not in STOP_WORDS] or words


def ripgrep(binary: Path, root: Path, asked: Sequence[Ask]) -> list[Answer]:
    """What grep gives an agent: any of the words, files with the most different ones first, then the most matches.

    The ranking is ours, ripgrep has none; a hit is a whole file and shows the first lines that matched.
    """
    answers = []
    for ask in asked:
        began = time.perf_counter()
        terms = [argument for term in grep_terms(ask.query) for argument in ("-e", term)]
        command = [str(binary), "--json", "--ignore-case", "--fixed-strings", *terms, "."]
        output = subprocess.run(command, cwd=root, capture_output=True, timeout=SECONDS, check=False).stdout
        found = by_distinct_terms(output.splitlines())[: ask.hits]
        answers.append(Answer(tuple(found), (time.perf_counter() - began) * 1000))
    return answers


def by_distinct_terms(lines: Sequence[bytes]) -> list[Found]:
    """The files that ripgrep's JSON lines tell of: most different words first, then most matches, then by path."""
    terms: dict[str, Counter[str]] = defaultdict(Counter)
    shown: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        event = json.loads(line)
        path = event["data"].get("path", {}).get("text") if event["type"] == "match" else None
        if path is None:
            continue
        terms[path].update(part["match"].get("text", "").lower() for part in event["data"]["submatches"])
        if len(shown[path]) < LINES_SHOWN:
            text = event["data"]["lines"].get("text", "").rstrip("\n")
            shown[path].append(f"{event['data']['line_number']}:{text}")
    ranked = sorted(terms, key=lambda path: (-len(terms[path]), -terms[path].total(), path))
    return [Found(path.removeprefix("./"), None, None, "\n".join(shown[path])) for path in ranked]


def probe(binary: Path, root: Path, asked: Sequence[Ask]) -> list[Answer]:
    """probe, BM25 over blocks of a syntax tree without an index.

    Its command prints the best hits in the order of their paths; here they stand in the order of its own score.
    """
    answers = []
    for ask in asked:
        began = time.perf_counter()
        limits = ["--max-results", str(ask.hits), "--timeout", "300"]
        command = [str(binary), "search", ask.query, ".", "--format", "json", *limits]
        output = subprocess.run(command, cwd=root, capture_output=True, timeout=SECONDS, check=False).stdout
        milliseconds = (time.perf_counter() - began) * 1000
        start = output.find(b"{")  # a line about the ranking stands before it
        blocks = json.loads(output[start:])["results"] if start >= 0 else []
        blocks.sort(key=lambda block: -block["score"])
        answers.append(Answer(tuple(_block(root, block) for block in blocks), milliseconds))
    return answers


def _block(root: Path, block: dict[str, Any]) -> Found:
    path, (first, last) = Path(block["file"]), block["lines"]
    path = path.relative_to(root) if path.is_absolute() else path
    return Found(path.as_posix(), first, last, block["code"])


def semble_words(home: Path, root: Path, asked: Sequence[Ask]) -> list[Answer]:
    """semble with its vectors weighed nothing: BM25 and its structural ranking. The model only has to be there."""
    return _entry(home, ["semble_entry.py", str(home / "model"), "0"], root, asked)


def semble(home: Path, root: Path, asked: Sequence[Ask]) -> list[Answer]:
    """semble as it is, with the static model that lies in HOME/model."""
    return _entry(home, ["semble_entry.py", str(home / "model")], root, asked)


def bm25(home: Path, root: Path, asked: Sequence[Ask]) -> list[Answer]:
    """bm25s over windows of 50 lines."""
    return _entry(home, ["bm25_entry.py"], root, asked)


def _entry(home: Path, arguments: list[str], root: Path, asked: Sequence[Ask]) -> list[Answer]:
    """Answers of a script in the peer's own interpreter; raises CalledProcessError when it fails."""
    command = [str(home / "bin" / "python"), "-P", str(ENTRIES / arguments[0]), *arguments[1:]]
    given = json.dumps({"root": str(root), "asked": [[ask.query, ask.hits] for ask in asked]})
    child = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, timeout=SECONDS, check=True)
    return [
        Answer(tuple(Found(**hit) for hit in answer["hits"]), answer["milliseconds"])
        for answer in map(json.loads, child.stdout.splitlines())
    ]


def cocoindex(home: Path, root: Path, asked: Sequence[Ask]) -> list[Answer]:
    """cocoindex-code with the model in HOME/model: vectors alone, in a daemon that its command asks.

    It keeps its index in the directory it searches, so it gets a copy, and a daemon of its own.
    """
    command = str(home / "bin" / "ccc")
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(shutil.copytree(root, Path(scratch) / "tree"))
        environment = os.environ | {"COCOINDEX_CODE_DIR": scratch, "HF_HUB_OFFLINE": "1"}
        model = f"embedding:\n  provider: sentence-transformers\n  model: {home / 'model'}\n"
        Path(scratch, "global_settings.yml").write_text(model, encoding="utf-8")

        def run(*arguments: str) -> bytes:
            child = subprocess.run(
                [command, *arguments], cwd=tree, env=environment, capture_output=True, timeout=SECONDS, check=True
            )
            return child.stdout

        try:
            run("init", "--force")
            run("index")
            return [_cocoindex_answer(run, ask) for ask in asked]
        finally:
            run("daemon", "stop")


def _cocoindex_answer(run: Callable[..., bytes], ask: Ask) -> Answer:
    began = time.perf_counter()
    rows = json.loads(run("search", "--json", "--limit", str(ask.hits), ask.query))["results"]
    milliseconds = (time.perf_counter() - began) * 1000
    hits = (Found(row["file_path"], row["start_line"], row["end_line"], row["content"]) for row in rows)
    return Answer(tuple(hits), milliseconds)


PEERS: dict[str, Peer] = {
    "ripgrep": ripgrep,
    "bm25": bm25,
    "probe": probe,
    "semble-words": semble_words,
    "semble": semble,
    "cocoindex-code": cocoindex,
}
