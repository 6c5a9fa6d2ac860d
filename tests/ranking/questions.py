"""Questions of questions.toml, and whether a hit answers one."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from storage.chunk import Chunk

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"


@dataclass(frozen=True, slots=True)
class Target:
    """Where an answer is: a file, and the 1-based line of it that is meant, 0 where any is."""

    path: str
    line: int

    def is_in(self, chunk: Chunk) -> bool:
        """Whether a chunk shows it."""
        return chunk.file_path == self.path and (not self.line or chunk.start_line <= self.line <= chunk.end_line)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the answers of which any is right."""

    kind: str
    text: str
    targets: tuple[Target, ...]
    written: tuple[str, ...]  # the targets as questions.toml has them

    def __str__(self) -> str:
        return f"{self.text} => {' | '.join(self.written)}".replace("\n", "⏎").replace("\t", " ")


def questions() -> list[Question]:
    """Every question, in the order of the file. Raises ValueError for a target that is not there exactly once."""
    kinds = tomllib.loads((HERE / "questions.toml").read_text(encoding="utf-8"))
    return [
        Question(kind, text, tuple(map(target, written)), tuple(written))
        for kind, asked in kinds.items()
        for text, written in asked.items()
    ]


def target(written: str) -> Target:
    """``path`` or ``path :: text of one line``, found in the corpus."""
    path, _, text = written.partition(" :: ")
    lines = (CORPUS / path).read_text(encoding="utf-8").splitlines()
    if not text:
        return Target(path, 0)
    found = [number for number, line in enumerate(lines, 1) if text in line]
    if len(found) != 1:
        raise ValueError(f"{text!r} stands on {len(found)} lines of {path}; a target names exactly one.")
    return Target(path, found[0])
