"""stdout is the wire, stderr is the log: both are settled here, first of all."""

from __future__ import annotations

import logging
import os
import sys
from typing import TextIO


def claim_stdout() -> TextIO:
    """Take the wire away from file descriptor 1 and point that at stderr.

    Whatever prints afterwards, native libraries included, lands in the log. Returns the wire, in UTF-8.
    """
    wire = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    return wire


class StdoutGuard:
    """Keeps file descriptor 1 on stderr while heavy things are imported, and hands the wire back for serving."""

    def __init__(self) -> None:
        sys.stdout.flush()
        self._wire = os.dup(1)
        os.dup2(2, 1)

    def hand_back(self) -> None:
        """Put the wire on file descriptor 1 again; the MCP transport takes it from there."""
        sys.stdout.flush()
        os.dup2(self._wire, 1)
        os.close(self._wire)


def configure(*, verbose: bool = False) -> None:
    """Log to stderr, one line an event; warnings only, unless ``verbose``."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname).1s %(name)s: %(message)s",
        force=True,
    )
