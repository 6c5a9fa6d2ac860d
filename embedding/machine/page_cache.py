"""What the system keeps of a file in memory after everybody has left it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def let_go(path: Path) -> None:
    """Have the system forget what it keeps of the file, but for pages that somebody maps. Does nothing outside Linux.

    It would give them up by itself, but only to those who have come to the limit of their memory, page by page. A file
    of 4 GB takes .2 s.
    """
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError), path.open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
