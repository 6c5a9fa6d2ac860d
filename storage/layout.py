"""One index directory: which files lie in it beside the tables, and how they are written.

    index.json     the fingerprint, and the names of the tables that are in force
    pending.json   paths whose rows are being changed right now; what a killed writer leaves is to be done again
    suspect.json   paths whose stored rows a search found damaged; "" where it is the index that could not be read
    digests.txt    storage/digests.py
    writer.lock    storage/lock.py
    <name>.lance/  the tables

An index is replaced by writing new tables under new names and then replacing index.json: a reader has the old index
or the new one. Nothing here is forced to the disk (fsync), as the tables are not either: after a power cut
``LanceStore.state`` and ``check`` find what is missing.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import xxhash

from storage.fingerprint import Fingerprint
from storage.replacing import replace_file


@dataclass(frozen=True, slots=True)
class IndexFile:
    """What index.json says."""

    fingerprint: Fingerprint
    chunks: str  # table names
    vectors: str
    files: str
    vector_index: str = "exact"  # the kind of vector index that was built last
    vector_index_rows: int = 0  # how many vectors there were then
    sketch_index_rows: int = 0  # how many sketches there were when the index over them was built; 0 where there is none

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables in force."""
        return tuple(filter(None, (self.chunks, self.vectors, self.files)))


Stamp = tuple[int, int, int]


class Layout:
    """The files beside the tables; reading and writing them is atomic."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._index = directory / "index.json"
        self._pending = directory / "pending.json"
        self._suspect = directory / "suspect.json"

    def create(self) -> None:
        """Make the directory, for this user alone."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.name == "posix":
            self.directory.chmod(0o700)

    def stamp(self) -> Stamp | None:
        """Changes whenever index.json does; None while there is none."""
        try:
            status = self._index.stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def read_index(self) -> IndexFile | None:
        """What index.json says, None while there is none. Raises ValueError where it is not what we write."""
        try:
            fields = json.loads(self._index.read_text("utf-8"))
        except FileNotFoundError:
            return None
        try:
            _require_whole("index.json", fields)
            return IndexFile(Fingerprint(**fields.pop("fingerprint")), **fields)
        except (TypeError, AttributeError, KeyError) as error:
            raise ValueError(f"index.json: {error}") from error

    def write_index(self, index: IndexFile) -> None:
        """Put ``index`` in force."""
        self._replace(self._index, json.dumps(_signed(asdict(index)), indent=1))

    def forget_index(self) -> None:
        """Make the index missing; the tables stay until the next reset."""
        self._index.unlink(missing_ok=True)

    def pending(self) -> frozenset[str]:
        """Paths whose rows may be half changed. Raises ValueError where the file is not what we write."""
        return _paths(self._pending)

    def write_pending(self, paths: Collection[str]) -> None:
        """Say which paths are being changed; none removes the file."""
        self._write_paths(self._pending, paths)

    def suspects(self) -> frozenset[str]:
        """Paths whose rows a search found damaged; "" stands for the whole index, also where the file is damaged."""
        try:
            return _paths(self._suspect)
        except ValueError:
            return frozenset([""])

    def suspect(self, paths: Collection[str]) -> None:
        """Tell the writer, which looks at its next run; searches do this as well."""
        if not self.suspects() >= set(paths):
            with contextlib.suppress(OSError):  # a disk that is full must not hide what was found
                self._write_paths(self._suspect, self.suspects() | set(paths))

    def trust(self) -> None:
        """Nothing is damaged any more."""
        self._suspect.unlink(missing_ok=True)

    def disk_bytes(self) -> int:
        """The size of everything in the directory."""
        return sum(_size(Path(folder, name)) for folder, _, names in os.walk(self.directory) for name in names)

    def _write_paths(self, path: Path, paths: Collection[str]) -> None:
        if paths:
            self._replace(path, json.dumps(_signed({"paths": sorted(paths)})))
        else:
            path.unlink(missing_ok=True)

    def _replace(self, path: Path, text: str) -> None:
        handle, aside = tempfile.mkstemp(dir=self.directory, prefix=path.name, suffix=".new")  # 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            replace_file(Path(aside), path)
        except OSError:
            Path(aside).unlink(missing_ok=True)
            raise


def _paths(path: Path) -> frozenset[str]:
    try:
        fields = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return frozenset()
    try:
        _require_whole(path.name, fields)
        return frozenset(map(str, fields["paths"]))
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"{path.name}: {error}") from error


def _signed(fields: dict[str, Any]) -> dict[str, Any]:
    """``fields`` and their checksum: a byte that was overwritten may leave valid JSON behind."""
    return fields | {"checksum": xxhash.xxh3_64_hexdigest(json.dumps(fields, sort_keys=True).encode())}


def _require_whole(name: str, fields: dict[str, Any]) -> None:
    """Take the checksum out of ``fields``; files of earlier versions have none. Raises ValueError if it is wrong."""
    if fields.pop("checksum", None) not in (None, _signed(fields)["checksum"]):
        raise ValueError(f"{name}: its checksum does not hold")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # pruned meanwhile
        return 0


_umask_guard = threading.Lock()
_umask_depth = 0
_umask_before = 0


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """New files are this user's alone until the end of the block.

    The native library creates its files as the process's mask says, and the mask is the whole process's: it is
    narrowed by the first writer and put back by the last.
    """
    global _umask_depth, _umask_before  # noqa: PLW0603 - the mask is global to the process, and so is its count
    with _umask_guard:
        if _umask_depth == 0:
            _umask_before = os.umask(0o077)
        _umask_depth += 1
    try:
        yield
    finally:
        with _umask_guard:
            _umask_depth -= 1
            if _umask_depth == 0:
                os.umask(_umask_before)
