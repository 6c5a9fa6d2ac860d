"""The project's files as they are now, by lines: whether a hit stands where the index says, and whole calls."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from mcp_server.serena.nouns import Lines

MOST_BYTES = 16 << 20  # of a file that is read; the index takes none that is nearly as large
CALL_LINES = 40  # a call is looked at as far as this


class WorkingTree:
    """Reads what is under one directory, and nothing else."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def has(self, relative_path: str, lines: Lines, content: str) -> bool:
        """Whether the file has exactly this text at these lines."""
        return self._lines(relative_path)[lines.first - 1 : lines.last] == content.split("\n")

    def lines_with(self, relative_path: str, lines: Lines, text: str) -> Iterator[tuple[int, str]]:
        """(line, its text) of those among ``lines`` that have ``text``; lines are 1-based."""
        read = self._lines(relative_path)[lines.first - 1 : lines.last]
        return ((number, line) for number, line in enumerate(read, lines.first) if text in line)

    def from_line(self, relative_path: str, line: int) -> str:
        """The text from a line on, as far as a call may go."""
        return "\n".join(self._lines(relative_path)[line - 1 : line - 1 + CALL_LINES])

    def _lines(self, relative_path: str) -> list[str]:
        """The file's lines as the index counts them; none where it cannot be read or is not under the root."""
        try:
            path = (self._root / relative_path).resolve()
            seen = path.stat()
            if not path.is_relative_to(self._root) or not stat.S_ISREG(seen.st_mode) or seen.st_size > MOST_BYTES:
                return []
            text = path.read_bytes().decode("utf-8-sig", "replace")
        except (OSError, ValueError, RuntimeError):  # the last of links that lead in a circle, before Python 3.13
            return []
        return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
