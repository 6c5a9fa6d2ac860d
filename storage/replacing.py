"""A file put in the place of another, whole or not at all, also where somebody is reading the other."""

from __future__ import annotations

import os
import time
from pathlib import Path

# Windows refuses to replace a file that is open; our files are read in a millisecond.
_PATIENCE_S, _RETRY_S = 0.5, 0.005


def replace_file(aside: Path, path: Path) -> None:
    """Put ``aside`` in the place of ``path``. Raises OSError where that cannot be done."""
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            aside.replace(path)
        except PermissionError:
            if os.name != "nt" or time.monotonic() > end:
                raise
            time.sleep(_RETRY_S)
        else:
            return
