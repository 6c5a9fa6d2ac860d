"""Where things are kept on the user's machine, and what that place is called in messages."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import xxhash

from mcp_server.errors import ProductError
from mcp_server.settings import Settings
from storage.lock import WriterLock

ROOT_NOTE = "root.json"  # beside each index: which directory it is of


def data_directory() -> Path:
    """The user's data directory for codeloupe: indexes and models."""
    return Path(platformdirs.user_data_dir("codeloupe", appauthor=False))


def cache_directory() -> Path:
    """What may be deleted at any time: the vector cache."""
    return Path(platformdirs.user_cache_dir("codeloupe", appauthor=False))


def indexes_directory(settings: Settings) -> Path:
    """The directory that holds one index a root."""
    chosen = settings.storage.directory
    return Path(chosen).expanduser() if chosen else data_directory() / "indexes"


def index_directory(settings: Settings, root: Path) -> Path:
    """The index of ``root``: readable by name, unique by the hash of its resolved path."""
    digest = xxhash.xxh3_64_hexdigest(os.fsencode(root.resolve()))
    name = "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in root.name) or "root"
    return indexes_directory(settings) / f"{name[:40]}-{digest}"


def index_id(directory: Path) -> str:
    """The part of an index directory's name that is of its root alone, and tells neither its name nor its place."""
    return directory.name.rpartition("-")[2]


def make_private(directory: Path) -> None:
    """Create ``directory`` for its owner alone."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory.chmod(0o700)


def note_root(directory: Path, root: Path) -> None:
    """Write down whose index ``directory`` is, for status and clean.

    Raises ProductError where it cannot be written.
    """
    try:
        directory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # one that is there is somebody's choice
        make_private(directory)
        note = directory / ROOT_NOTE
        note.touch(mode=0o600)
        note.write_text(json.dumps({"root": str(root)}), encoding="utf-8")
    except OSError as error:
        raise ProductError(
            f"The index of {root} cannot be kept in {directory} ({error.strerror or error}); "
            "make room, mend its permissions, or set storage.directory."
        ) from error


@dataclass(frozen=True, slots=True)
class KeptIndex:
    """An index on disk and the root it is of."""

    directory: Path
    root: Path

    def disk_bytes(self) -> int:
        """What it takes on disk."""
        return sum(path.stat().st_size for path in self.directory.rglob("*") if path.is_file())

    def remove(self) -> None:
        """Delete it. Raises IndexBusyError where another process writes it."""
        with WriterLock(self.directory).held():
            pass
        shutil.rmtree(self.directory)


def kept_indexes(settings: Settings) -> list[KeptIndex]:
    """Every index of this user, by root."""
    found = []
    for note in indexes_directory(settings).glob(f"*/{ROOT_NOTE}"):
        try:
            root = Path(json.loads(note.read_text(encoding="utf-8"))["root"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # a directory of somebody else's: not ours to list or delete
        found.append(KeptIndex(note.parent, root))
    return sorted(found, key=lambda kept: str(kept.root))
