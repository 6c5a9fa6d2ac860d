"""Ways in which the files of an index at rest are damaged: a power cut, a full disk, a bad sector, a stray program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

FLIPPED = 16  # bytes next to each other


@dataclass(frozen=True, slots=True)
class Harm:
    """One damage: what is done to which kind of file."""

    deed: str  # of DEEDS
    kind: str  # of KINDS

    def __str__(self) -> str:
        return f"{self.kind} {self.deed}"

    def do(self, index: Path, random: Random) -> str:
        """Damage one file of the kind; returns which, relative to ``index``; "" where there is none."""
        files = sorted(KINDS[self.kind](index))
        if not files:
            return ""
        file = random.choice(files)
        DEEDS[self.deed](file, random)
        return file.relative_to(index).as_posix()


def flip(file: Path, random: Random) -> None:
    """Invert bytes anywhere."""
    content = bytearray(file.read_bytes())
    start = random.randrange(max(1, len(content)))
    content[start : start + FLIPPED] = bytes(byte ^ 0xFF for byte in content[start : start + FLIPPED])
    file.write_bytes(content)


def flip_a_bit(file: Path, random: Random) -> None:
    """Invert a single bit: text stays text, JSON mostly JSON."""
    content = bytearray(file.read_bytes())
    if content:
        content[random.randrange(len(content))] ^= 1
    file.write_bytes(content)


def zero(file: Path, random: Random) -> None:
    """The right length and nothing in it, from somewhere to the end, as file systems leave it after a power cut."""
    content = file.read_bytes()
    start = random.randrange(max(1, len(content)))
    file.write_bytes(content[:start] + bytes(len(content) - start))


def truncate(file: Path, random: Random) -> None:
    """Cut off the end."""
    content = file.read_bytes()
    file.write_bytes(content[: random.randrange(max(1, len(content)))])


def empty(file: Path, random: Random) -> None:  # noqa: ARG001 - one of DEEDS
    """Leave the name alone."""
    file.write_bytes(b"")


def remove(file: Path, random: Random) -> None:  # noqa: ARG001 - one of DEEDS
    """As if it had never been."""
    file.unlink()


DEEDS: dict[str, Callable[[Path, Random], None]] = {
    "flipped": flip,
    "with a flipped bit": flip_a_bit,
    "zeroed": zero,
    "truncated": truncate,
    "emptied": empty,
    "removed": remove,
}


def _tables(index: Path) -> list[Path]:
    """The tables in force."""
    named = json.loads((index / "index.json").read_text("utf-8"))
    return [index / f"{named[table]}.lance" for table in ("chunks", "vectors", "files") if named[table]]


def _newest_commits(index: Path) -> Iterator[Path]:
    for table in _tables(index):
        yield min((table / "_versions").glob("*.manifest"))  # named so that the newest sorts first


def _below(*parts: str) -> Callable[[Path], Iterator[Path]]:
    def files(index: Path) -> Iterator[Path]:
        for table in _tables(index):
            yield from (path for path in table.glob("/".join(parts)) if path.is_file())

    return files


def _beside(name: str) -> Callable[[Path], Iterator[Path]]:
    def files(index: Path) -> Iterator[Path]:
        yield from (path for path in [index / name] if path.exists())

    return files


KINDS: dict[str, Callable[[Path], Iterator[Path]]] = {
    "newest commit": _newest_commits,
    "rows": _below("data", "*.lance"),
    "deletions": _below("_deletions", "*"),
    "index": _below("_indices", "*", "*"),
    "index.json": _beside("index.json"),
    "pending.json": _beside("pending.json"),
    "digests.txt": _beside("digests.txt"),
}

HARMS = tuple(Harm(deed, kind) for kind in KINDS for deed in DEEDS)
