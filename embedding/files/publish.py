"""A file that others read is written aside, and given its name when it is whole."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def publish(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path``, readable by the user alone: whole, or not at all. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    aside = Path(name)
    try:
        with open(number, "wb") as file:  # noqa: PTH123 - a file descriptor has no path
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        with suppress(FileNotFoundError):  # it has been given its name
            aside.unlink()
