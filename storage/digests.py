"""What every file of the tables was when it was written: its size and a digest, to know it again.

The library writes a file once and never changes it, and checks nothing when it reads: bytes that were overwritten in an
index of its own come back as fewer or other results, silently. So the writer notes each new file after its commit, and
whoever opens the index holds the files against the notes.

    digests.txt    a line a file: digest, size, path, checksum of the line; only ``prune`` writes it anew
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import xxhash

from storage.replacing import replace_file

# What is read when an index is opened: 12 MiB, of 10,000 chunks, in 3 ms of processor time. The rest of a large index
# is held against its notes by ``check``, which the indexing child runs when it is idle.
READ_AT_OPEN = 64 << 20

_FOLDERS = ("_versions", "_deletions", "data")
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Note:
    """One file as it was written."""

    digest: str  # xxh3, 64 bits, hexadecimal
    size: int

    def line(self, path: str) -> str:
        """As stored."""
        said = f"{self.digest} {self.size} {path}"
        return f"{said} {_checksum(said)}\n"


class Digests:
    """The notes of one index directory. ``note`` and ``prune`` are the writer's."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / "digests.txt"
        self._notes: dict[str, Note] = {}
        self._stamp: tuple[int, int] | None = None  # of the file whose lines ``_notes`` are
        self._looked: dict[str, int] = {}  # folder -> its time when its files were noted
        self._known_good: set[str] = set()

    def note(self) -> None:
        """Note the files that are new."""
        notes = self._current()
        new = {path: _noted(self._directory / path) for path in self._new_files() if path not in notes}
        lines = "".join(note.line(path) for path, note in new.items() if note)
        if not lines:
            return
        with self._path.open("a", encoding="utf-8", newline="\n") as file:
            file.write("\n" + lines if self._is_torn() else lines)
        notes.update((path, note) for path, note in new.items() if note)
        self._known_good.update(new)
        self._stamp = self._stamp_now()

    def prune(self, without: Collection[str] = ()) -> None:
        """Forget files that are gone, and those named."""
        notes = self._current()
        kept = {path: note for path, note in notes.items() if (self._directory / path).exists()}
        for path in without:
            kept.pop(path, None)
        if len(kept) == len(notes):
            return
        aside = self._path.with_suffix(".new")
        with aside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(note.line(path) for path, note in kept.items())
        replace_file(aside, self._path)
        self._keep(kept, self._stamp_now())

    def damaged(self, tables: Collection[str], most_bytes: int | None = READ_AT_OPEN) -> list[str]:
        """Paths of files of these ``tables`` that are not what was written, what searches rely on most first.

        Reads files it has not found good before, up to ``most_bytes``. Of commits only the newest of a table counts; it
        must be there. Other files may be gone: the library removes what no commit needs.
        """
        bad = list(self._missing_commits(tables))
        left = most_bytes
        for path, note in self._to_read(tables):
            if left is not None:
                left -= note.size
                if left < 0:
                    break
            found = _noted(self._directory / path)
            if found == note or (found is None and ("/_versions/" not in path or self._superseded(path))):
                self._known_good.add(path)
            else:
                bad.append(path)
        return list(dict.fromkeys(bad))

    def _missing_commits(self, tables: Collection[str]) -> Iterator[str]:
        """Newest commits that the library wrote and that are not there; it says itself which was the newest."""
        for table in tables:
            folder = f"{table}.lance/_versions"
            try:
                hint = json.loads((self._directory / folder / "latest_version_hint.json").read_text("utf-8"))
                commit = f"{folder}/{2**64 - 1 - int(hint['version']):020}.manifest"
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if not (self._directory / commit).exists() and not self._superseded(commit):
                yield commit

    def _is_torn(self) -> bool:
        """Whether a kill left a line without its end."""
        with self._path.open("rb") as file:
            file.seek(max(0, self._path.stat().st_size - 1))
            return file.read(1) not in (b"", b"\n")

    def _to_read(self, tables: Collection[str]) -> Iterator[tuple[str, Note]]:
        notes = dict(self._current())  # another thread may note more meanwhile
        names = {f"{table}.lance" for table in tables if table}
        found = [path for path in notes if path.split("/", 1)[0] in names]
        commits: dict[str, str] = {}
        for path in found:
            folder = path.rpartition("/")[0]
            if folder.endswith("/_versions"):
                commits[folder] = min(commits.get(folder, path), path)  # named so that the newest sorts first
        there = {path for path in commits.values() if not self._superseded(path)}
        wanted = [path for path in found if path in there or "/_versions/" not in path]
        for path in sorted(set(wanted) - self._known_good, key=_importance):
            yield path, notes[path]

    def _superseded(self, commit: str) -> bool:
        """Whether there is a newer commit than this one, which a writer has not noted yet."""
        path = self._directory / commit
        return any(other.name < path.name for other in path.parent.glob("*.manifest"))

    def _current(self) -> dict[str, Note]:
        stamp = self._stamp_now()
        if stamp != self._stamp:
            self._keep(self._read(), stamp)
            self._looked = {}
        return self._notes

    def _keep(self, notes: dict[str, Note], stamp: tuple[int, int] | None) -> None:
        """Take these for all there are; a process may live through a hundred thousand files."""
        self._notes, self._stamp = notes, stamp
        self._known_good.intersection_update(notes)

    def _stamp_now(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_size

    def _read(self) -> dict[str, Note]:
        """Whole lines; one that a kill or a power cut left in pieces says nothing."""
        try:
            lines = self._path.read_text("utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            return {}
        notes = {}
        for line in lines:
            said, _, checksum = line.rpartition(" ")
            if said and _checksum(said) == checksum:
                digest, size, path = said.split(" ", 2)
                notes[path] = Note(digest, int(size))
        return notes

    def _new_files(self) -> Iterator[str]:
        """Files in folders that have changed since the last time, below the directory, with ``/``."""
        for table in self._directory.glob("*.lance"):
            indexes = table / "_indices"
            folders = [table / name for name in _FOLDERS]
            folders += [Path(entry.path) for entry in os.scandir(indexes)] if indexes.is_dir() else []
            for folder in folders:
                yield from self._files_in(folder)

    def _files_in(self, folder: Path) -> Iterator[str]:
        place = folder.relative_to(self._directory).as_posix()
        try:
            changed = folder.stat().st_mtime_ns
            if self._looked.get(place) == changed:
                return
            names = os.listdir(folder)  # noqa: PTH208 - names are enough, and there may be thousands
        except (FileNotFoundError, NotADirectoryError):
            return
        self._looked[place] = changed
        # A file in the making is called .tmp and letters until it is whole; the hint is written over and over.
        yield from (f"{place}/{name}" for name in names if name.endswith((".lance", ".idx", ".arrow", ".manifest")))


def _checksum(line: str) -> str:
    return xxhash.xxh32_hexdigest(line.encode())


def _importance(path: str) -> tuple[bool, bool, str]:
    """Commits and indexes first: of a row we have a checksum, of them nothing else."""
    return "/data/" in path, path.startswith("chunks"), path


def _noted(path: Path) -> Note | None:
    """What the file is now; None where it is gone."""
    digest = xxhash.xxh3_64()
    size = 0
    try:
        with path.open("rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except FileNotFoundError:
        return None
    return Note(digest.hexdigest(), size)
