"""The index that a soak leaves, beside one of the same files that nobody disturbed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.serving import Peer
from benchmarks.soaking import Place
from mcp_server.home import index_directory
from mcp_server.settings import load
from storage.lance_store import LanceStore
from storage.schema import matrix_from

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COMPLETE_S = 900.0
SAME_COSINE = 0.999  # batches are put together differently, and the cache keeps float16
QUESTIONS: tuple[dict[str, Any], ...] = (
    {"query": "check every token", "mode": "semantic"},
    {"query": "accepts(item", "mode": "exact"},
    {"query": r"def sort_\w+", "mode": "regex"},
)
NAMED = 5  # functions that are asked for by name
MOST_HITS = 50
SCORE_ERROR = 1e-3


@dataclass(frozen=True, slots=True)
class Answer:
    """Places of one question and their scores; where there were more, no promise says which of those like the last."""

    scores: dict[tuple[str, int, int], float]

    def differs(self, wanted: Answer) -> str:
        """What was found here and not there, or the other way round; "" where nothing was."""
        ours, theirs = self._sure(), wanted._sure()
        different = (ours - wanted.scores.keys()) | (theirs - self.scores.keys())
        return ", ".join(f"{path}:{start}-{end}" for path, start, end in sorted(different))

    def _sure(self) -> set[tuple[str, int, int]]:
        floor = min(self.scores.values()) + SCORE_ERROR if len(self.scores) >= MOST_HITS else -1.0
        return {place for place, score in self.scores.items() if score > floor}


def answers(peer: Peer, root: Path) -> dict[str, Answer]:
    """What each question finds, and where functions are found by their names.

    How hits by words rank below the first is left out: it depends on which files an index read together.
    """
    paths = sorted(root.rglob("*.py"))
    paths = paths[:: max(1, len(paths) // NAMED)]
    names = [path.read_text("utf-8").split("(")[0].removeprefix("def ") for path in paths]
    asked = [{**question, "limit": MOST_HITS} for question in QUESTIONS] + [
        {"query": name, "limit": 1} for name in names
    ]
    found = {}
    for question in asked:
        _, result = peer.call("search", format="json", detail="locations", max_tokens=12_000, **question)
        hits = result["structuredContent"]["hits"]
        scores = {(hit["file_path"], hit["start_line"], hit["end_line"]): float(hit["score"]) for hit in hits}
        found[str(question["query"])] = Answer(scores)
    return found


def complete(peer: Peer, patience_s: float) -> dict[str, Any]:
    """The status of the root when all of it has vectors, or after so long."""
    end = time.monotonic() + patience_s
    while True:
        peer.call("search", query="anything")  # what nobody makes any more is begun again by a search
        peer.call("index", wait=True)
        root: dict[str, Any] = peer.call("status", format="json")[1]["structuredContent"]["roots"][0]
        if (root["state"] == "current" and root["coverage"]["vectors"] == 1) or time.monotonic() > end:
            return root
        time.sleep(0.5)


def ask(place: Place) -> tuple[dict[str, Answer], dict[str, Any]]:
    """The answers of a server of its own once its index is complete, and the status of its root."""
    peer = Peer(place.line, place.environment)
    try:
        root = complete(peer, COMPLETE_S)
        return answers(peer, place.root), root
    finally:
        peer.close()


def rows(place: Place) -> dict[str, NDArray[np.float32]]:
    """Every chunk of the index by id, with its vector."""
    settings = load(place.root, [], place.environment).settings
    store = LanceStore(index_directory(settings, place.root))
    try:
        index = store._begun()  # noqa: SLF001 - the rows as they are, which no search shows
        chunks = set(index.chunks.select(["id"]).column("id").to_pylist())
        kept = index.vectors.select(["id", "embedding"]) if index.vectors else None
        if kept is None:
            return {}
        vectors = dict(zip(kept.column("id").to_pylist(), matrix_from(kept.column("embedding")), strict=True))
        return {name: vectors[name] for name in chunks & vectors.keys()}
    finally:
        store.close()


def different_rows(ours: Mapping[str, NDArray[np.float32]], wanted: Mapping[str, NDArray[np.float32]]) -> list[str]:
    """What of two indexes of the same files is not the same."""
    faults = []
    if missing := len(wanted.keys() ^ ours.keys()):
        faults.append(f"{missing} chunks are in one index and not in the other")
    wrong = [name for name in ours.keys() & wanted.keys() if float(ours[name] @ wanted[name]) < SAME_COSINE]
    return [*faults, f"{len(wrong)} vectors are not what they should be"] if wrong else faults
