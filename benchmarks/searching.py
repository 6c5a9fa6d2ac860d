"""A process that opens a root's index as a server does, asks in every mode, waits for the indexer, and asks again.

    python -P -m benchmarks.searching ROOT INDEXES

Prints both rounds as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TypedDict

from mcp_server.engine import Engine
from mcp_server.indexes.jobs import Job
from mcp_server.requests import SearchRequest
from mcp_server.settings import load
from storage.chunk import Filters

Shown = tuple[str, int, int, str]  # path, first line, last line, text

PYTHON = Filters(languages=("python", "go", "typescript", "php", "rust"), paths=("!**/nothing/**",))
REQUESTS = {
    "auto": SearchRequest("read the settings of a file", 10),
    "text": SearchRequest("close the connection", 10, mode="text"),
    "filtered": SearchRequest("path name", 10, mode="text", filters=PYTHON),
    "semantic": SearchRequest("compare two versions", 10, mode="semantic"),
    "exact": SearchRequest("return", 10, mode="exact"),
    "regex": SearchRequest(r"the \w+ line", 10, mode="regex"),
}
CHANGE_S = 200.0
SETTLE_S = 60.0


class Asked(TypedDict):
    """One round of questions: hits of each, and what the last answer said of itself."""

    answers: dict[str, list[Shown]]
    state: str
    vectors: float
    notes: list[str]


def ask_all(engine: Engine) -> Asked:
    """Every request once; of an answer that says it is not whole, the state and notes are kept."""
    answers: dict[str, list[Shown]] = {}
    state, vectors, notes = "current", 0.0, dict[str, None]()
    for name, request in REQUESTS.items():
        answer = engine.search(request)
        chunks = [found.hit.chunk for found in answer.found]
        answers[name] = [(chunk.file_path, chunk.start_line, chunk.end_line, chunk.content) for chunk in chunks]
        state = answer.freshness.state if state == "current" else state
        vectors = answer.freshness.vector_share
        notes.update(dict.fromkeys(answer.freshness.notes))
    return {"answers": answers, "state": state, "vectors": vectors, "notes": list(notes)}


def rest(job: Job) -> None:
    """Until the indexer has nothing more to do."""
    view = job.view()
    while not view.resting:
        changed = job.wait_for_change(view, CHANGE_S)
        assert changed.number != view.number, f"the indexer says nothing more: {view.sentence()}"
        view = changed


def main(root: Path, indexes: Path) -> None:
    """Two rounds, and the indexer's runs between them until it says that all is current."""
    overrides = [f"storage.directory={indexes}", "search.first_answer_wait_s=2", "search.model_wait_s=60"]
    engine = Engine([root], load(root, overrides, {}).settings)
    first = ask_all(engine)
    end = time.monotonic() + SETTLE_S
    rest(engine.start_index(""))
    last = ask_all(engine)
    while last["state"] != "current" and time.monotonic() < end:
        rest(engine.start_index(""))  # what a search found is for the next run
        last = ask_all(engine)
    print(json.dumps({"first": first, "last": last}))
    sys.stdout.flush()
    engine.close()
    os._exit(0)  # native threads must not delay the end


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
