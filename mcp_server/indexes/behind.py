"""An index written behind an answer: ``python -P -m mcp_server.indexes.behind``.

The first search of a directory need not wait until its index is on disk: it cuts the files, answers from memory and
leaves the index to this process, which does what any run does and ends. So it is only for a directory that was never
indexed: whatever comes of it, the next search finds the index, waits for it, or makes it and says what is wrong.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from embedding.process import PACKAGE_ROOT, child_environment
from indexer.pipeline import Progress
from indexer.walker import walk
from mcp_server.answers.answer import Answer
from mcp_server.errors import EXPECTED
from mcp_server.home import index_directory, note_root
from mcp_server.indexes.indexing import Scope, Work, write_while_asked
from mcp_server.logs import configure
from mcp_server.meaning import open_meaning
from mcp_server.settings import Settings

NOTE = "the index is being written in the background"
MOST_FILES = 2_000  # are cut within some five seconds; what takes longer is not done twice
MOST_VECTORS = 64  # chunks that a search in a terminal embeds, about a second of work; more wait for `codeloupe index`
LONGEST_S = 300.0  # of a process that nobody watches

log = logging.getLogger(__name__)


def is_new(root: Path, settings: Settings) -> bool:
    """Whether ``root`` was never indexed, and is small enough for its first answer to come from memory.

    Raises IndexerError where the directory cannot be read.
    """
    if settings.storage.backend == "memory" or not settings.search.write_behind:
        return False
    if index_directory(settings, root).exists():
        return False
    return sum(1 for _ in islice(walk(root, settings.index), MOST_FILES + 1)) <= MOST_FILES


def in_memory(settings: Settings) -> Settings:
    """The same settings, for an index that is not kept."""
    storage = settings.storage.model_copy(update={"backend": "memory"})
    return settings.model_copy(update={"storage": storage})


def noted(answer: Answer) -> Answer:
    """The answer, with a word on what becomes of its index."""
    freshness = replace(answer.freshness, notes=(*answer.freshness.notes, NOTE))
    return replace(answer, freshness=freshness)


def leave(roots: Sequence[Path], settings: Settings) -> None:
    """Let a process of its own write the indexes of ``roots``; returns at once.

    Raises ProductError where an index has no place.
    """
    for root in roots:
        note_root(index_directory(settings, root), root)
    task = {"roots": list(map(str, roots)), "settings": settings.model_dump(mode="json")}
    try:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "mcp_server.indexes.behind"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=PACKAGE_ROOT,
            env=child_environment(dict(os.environ), threads=1),
            **_apart(),
        )
        assert child.stdin is not None
        with child.stdin as wire:
            wire.write(json.dumps(task).encode())
    except OSError as error:
        log.warning("No process to write the index could be started (%s); the next search writes it.", error)
    else:
        child.returncode = 0  # it outlives us: nobody waits for it


def _apart() -> dict[str, Any]:
    """How a process is started that does not end with the terminal."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def main() -> None:
    """Write the indexes named on standard input, with as many vectors as a search would add."""
    from mcp_server.indexes.job import be_polite

    configure()
    be_polite()
    end = threading.Timer(LONGEST_S, os._exit, (1,))
    end.daemon = True
    end.start()
    task = json.loads(sys.stdin.buffer.read())
    settings = Settings.model_validate(task["settings"])
    meaning = open_meaning(settings)
    for root in map(Path, task["roots"]):
        with contextlib.suppress(*EXPECTED):  # the next search meets it as well, and says it to somebody
            write_while_asked(Work(root, settings, meaning), _unheard, _never, Scope(most_vectors=MOST_VECTORS))
    os._exit(0)  # native threads must not delay the end


def _unheard(_: Progress) -> None:
    """Nobody looks."""


def _never() -> bool:
    return False


if __name__ == "__main__":
    main()
