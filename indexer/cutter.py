"""A process that cuts files for another: ``python -P -m indexer.cutter``.

It is told settings and table on its standard input, then groups of files; it answers each group on its standard output,
and ends when its input does, so that it outlives nobody. Both are pickled: parent and child are one program.
"""

from __future__ import annotations

import os
import pickle
import sys
from pathlib import Path
from typing import BinaryIO

from indexer.cutting import Cutting, load
from indexer.settings import IndexSettings


def main() -> None:
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints must not come between the answers
    try:
        serve(sys.stdin.buffer, answers)
    except (EOFError, BrokenPipeError):
        os._exit(0)  # the parent has what it wanted, or is gone


def serve(asked: BinaryIO, answers: BinaryIO) -> None:
    """Answer group after group. Raises EOFError where the input ends, and what cutting raises."""
    settings, table = pickle.load(asked)  # noqa: S301 - from our own parent, through a pipe of our own
    cutting = _cutting(settings, table)
    while True:
        group = pickle.load(asked)  # noqa: S301 - as above
        pickle.dump([load(file, cutting, known) for file, known in group], answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


def _cutting(settings: IndexSettings, table: Path | None) -> Cutting:
    if table is None:
        return Cutting(settings)
    from embedding.lookup import LookupTable

    return Cutting(settings, LookupTable(table))


if __name__ == "__main__":
    main()
