"""The sha256 of a model file, recorded beside it when it is fetched or first seen, and held against it ever after.

The record is ``<file>.sha256``: hashing 4 GB takes seconds, so a file whose length and time of change are the recorded
ones is taken for the same. ``embedding/files/verify.py`` reads all of it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from embedding.errors import ModelInvalidError
from embedding.files.publish import publish

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a model file: its sha256 when it had this length and time of change, and where it came from."""

    size: int
    mtime_ns: int
    sha256: str
    origin: str = ""  # the source it was fetched from; "": somebody put it there
    licence: str = ""
    damage: str = ""  # what `models verify` found; such a file is not loaded

    def is_of(self, stat: os.stat_result) -> bool:
        """Whether the file has not been written since."""
        return (self.size, self.mtime_ns) == (stat.st_size, stat.st_mtime_ns)


def file_sha256(path: Path) -> str:
    """The sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def record_path(path: Path) -> Path:
    """Where the record of a model file is kept."""
    return path.with_name(path.name + ".sha256")


def remembered_sha256(path: Path) -> str:
    """The file's sha256, recorded at first sight.

    A file that was fetched and is another one now is refused; one that was put there by hand may be replaced by hand,
    and is recorded anew. Where nothing can be recorded (a read-only directory) it is computed each time.
    Raises ModelInvalidError where the file is damaged, OSError where it cannot be read.
    """
    stat, known = path.stat(), read_record(path)
    if known is not None and known.is_of(stat):
        if known.damage:
            raise ModelInvalidError(_damaged(path, known.damage))
        return known.sha256
    sha256 = file_sha256(path)
    if known is not None and known.sha256 != sha256:
        if known.origin:
            raise ModelInvalidError(_damaged(path, f"it is not the file that came from {known.origin}"))
        _log.warning("The model file %s has been replaced; what it says of texts is asked anew.", path)
        known = None
    write_record(path, replace(known or Record(0, 0, sha256), size=stat.st_size, mtime_ns=stat.st_mtime_ns, damage=""))
    return sha256


def read_record(path: Path) -> Record | None:
    """What is recorded of the model file at ``path``; None where nothing is, or nothing that can be read."""
    with suppress(OSError, ValueError, TypeError):
        known = Record(**json.loads(record_path(path).read_text(encoding="utf-8")))
        if isinstance(known.size, int) and isinstance(known.mtime_ns, int) and len(known.sha256) == 64:
            return known
    return None


def write_record(path: Path, record: Record) -> None:
    """Keep the record of the model file at ``path``; where the directory cannot be written, it is not kept."""
    with suppress(OSError):
        publish(record_path(path), json.dumps(asdict(record)).encode())


def _damaged(path: Path, cause: str) -> str:
    return f"The model file {path} was not loaded: {cause}; run 'codeloupe models pull' to fetch it again."
