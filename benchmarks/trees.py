"""A tree of real files that changes, and what every version of each file is cut into."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random

from indexer.cutting import Cutting, load
from indexer.settings import IndexSettings
from indexer.source import SourceFile
from indexer.walker import walk
from storage.chunk import Chunk, FileRows

PROJECT = Path(__file__).resolve().parent.parent
SUFFIXES = {".py", ".go", ".ts", ".js", ".php", ".rs", ".java", ".c", ".h", ".rb", ".kt", ".md"}

Cut = tuple[Chunk, ...]


def plant(source: Path, root: Path, most_files: int) -> None:
    """Copy so many files of real code, small ones first."""
    files = [path for path in source.rglob("*") if path.is_file() and path.suffix in SUFFIXES and not _hidden(path)]
    for path in sorted(files, key=lambda path: (path.stat().st_size, path))[:most_files]:
        target = root / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "node_modules" for part in path.parts)


class Tree:
    """The files below ``root``; every version of each is remembered as the chunks it is cut into."""

    def __init__(self, root: Path, settings: IndexSettings) -> None:
        self._root = root
        self._cutting = Cutting(settings)
        self._versions: dict[str, set[Cut]] = {}
        self._current: dict[str, Cut] = {}
        self._gone: set[str] = set()
        self._changes = 0
        for found in walk(root, settings):
            if isinstance(found, SourceFile):
                self._remember(found)

    def change(self, files: int, random: Random) -> None:
        """Append a function to some files, add one, and delete one."""
        for path in random.sample(sorted(self._current), files):
            with (self._root / path).open("a", encoding="utf-8", newline="\n") as file:
                file.write(self._function())
            self._remember_path(path)
        added = f"added/module_{self._changes}.py"
        (self._root / added).parent.mkdir(exist_ok=True)
        (self._root / added).write_text(self._function() + self._function(), "utf-8")
        self._remember_path(added)
        gone = random.choice(sorted(self._current))
        (self._root / gone).unlink()
        self._gone.add(gone)
        del self._current[gone]

    def is_one(self, chunks: Cut) -> bool:
        """Whether these are the chunks of one version of their file."""
        return chunks in self._versions.get(chunks[0].file_path, ())

    def is_current(self, chunks: Mapping[str, Cut]) -> bool:
        """Whether these are the chunks of all files as they are."""
        return chunks == {path: cut for path, cut in self._current.items() if cut}

    def may_be_without(self, path: str) -> bool:
        """Whether ``path`` was deleted."""
        return path in self._gone

    def _function(self) -> str:
        self._changes += 1
        return f"\n\ndef change_{self._changes}(value):\n    return value + {self._changes}\n"

    def _remember_path(self, path: str) -> None:
        status = (self._root / path).stat()
        self._remember(SourceFile(path, str(self._root / path), status.st_size, status.st_mtime_ns))

    def _remember(self, file: SourceFile) -> None:
        rows = load(file, self._cutting)
        cut: Sequence[Chunk] = rows.chunks if isinstance(rows, FileRows) else ()
        self._current[file.path] = tuple(cut)
        self._versions.setdefault(file.path, set()).add(tuple(cut))
