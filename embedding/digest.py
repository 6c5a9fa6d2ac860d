"""The sha256 of a model file, computed once and remembered beside it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from embedding.hub import file_sha256


def remembered_sha256(path: Path) -> str:
    """The file's sha256; hashing 4 GB takes seconds, so it is kept in ``<file>.sha256`` with the size and mtime.

    Where that cannot be written (a read-only directory) it is computed again each time. Raises OSError where the
    model file itself cannot be read.
    """
    stat = path.stat()
    note = path.with_name(path.name + ".sha256")
    identity = {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
    known = _read(note)
    if identity.items() <= known.items() and isinstance(known.get("sha256"), str):
        return str(known["sha256"])
    digest = file_sha256(path)
    _write(note, identity | {"sha256": digest})
    return digest


def _read(note: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        known = json.loads(note.read_text(encoding="ascii"))
        if isinstance(known, dict):
            return known
    return {}


def _write(note: Path, content: dict[str, Any]) -> None:
    aside = note.with_name(f"{note.name}.{os.getpid()}")
    with suppress(OSError):
        aside.write_text(json.dumps(content), encoding="ascii")
        aside.chmod(0o600)
        aside.replace(note)
