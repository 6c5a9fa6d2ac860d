"""Finding: what doctor says of one thing it looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: an error stops something from working, a warning makes it slow, partial or surprising."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: its name, how it is and why, and what to do about it ("" where it is well)."""

    what: str
    found: str
    mend: str = ""
    level: Level = Level.OK

    @property
    def line(self) -> str:
        """For a reader, in one line whatever a file had for a name."""
        return in_one_line(f"{self.level:7}  {self.what}: {self.found}{f' -> {self.mend}' if self.mend else ''}")


def in_one_line(text: str) -> str:
    """A text in which nothing ends a line or moves a terminal's cursor: a project's file may say anything."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def well(what: str, found: str) -> Finding:
    """Nothing is to be done."""
    return Finding(what, found)


def warning(what: str, found: str, mend: str) -> Finding:
    """It works, and not as well as it should."""
    return Finding(what, found, mend, Level.WARNING)


def error(what: str, found: str, mend: str) -> Finding:
    """It does not work."""
    return Finding(what, found, mend, Level.ERROR)
