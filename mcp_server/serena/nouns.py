"""What the bridge gives: references to code, who uses it, and what an answer is worth.

Paths are relative to the project, with ``/`` on every system. Lines are 1-based and inclusive, as everywhere here;
Serena counts them from 0 (serena_json.py is where the two meet).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Lines:
    """A stretch of a file, 1-based and inclusive."""

    first: int
    last: int

    def __contains__(self, other: object) -> bool:
        """Whether a line, or all of another stretch, is in this one."""
        if isinstance(other, Lines):
            return self.first <= other.first and other.last <= self.last
        return isinstance(other, int) and self.first <= other <= self.last

    def shared_with(self, other: Lines) -> int:
        """How many lines both have."""
        return max(0, min(self.last, other.last) - max(self.first, other.first) + 1)

    def gap_to(self, other: Lines) -> int:
        """How many lines lie between the two; 0 where they touch or overlap."""
        return max(0, other.first - self.last - 1, self.first - other.last - 1)

    def __len__(self) -> int:
        """How many lines it has."""
        return self.last - self.first + 1

    def __str__(self) -> str:
        return f"{self.first}-{self.last}"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol as Serena names it: what its other tools take as ``name_path`` and ``relative_path``."""

    relative_path: str
    name_path: str  # "Class/method", with "[0]" behind a name that its neighbours share
    kind: str  # of the language server protocol: "Class", "Method", ...
    lines: Lines


@dataclass(frozen=True, slots=True)
class CodeReference:
    """A hit of a search, and the symbol it belongs to where Serena knows one."""

    relative_path: str
    name_path: str  # the index's own: "Class/method"; "" where nothing is named
    kind: str  # the index's own: "function", "method", "class", "section", ...
    lines: Lines  # as the index has them
    content: str = field(repr=False)  # the chunk's text, as much of it as the answer had room for
    score: float  # higher is better; compares hits of one answer
    found_by: tuple[str, ...]  # "text", "sketch", "vector": which of them spoke for it
    symbol: Symbol | None = None  # with Serena's lines, which are those of the file now
    matched_by: str = ""  # "name", or "position": the innermost symbol around its lines; "" where unconfirmed
    unconfirmed: str = ""  # why there is no symbol, in a sentence

    @property
    def confirmed(self) -> bool:
        """Whether Serena knows what is there."""
        return self.symbol is not None

    @property
    def by_meaning(self) -> bool:
        """Whether a vector or a sketch found it, and so ``min_similarity`` was asked of it; else words alone did."""
        return "vector" in self.found_by or "sketch" in self.found_by


@dataclass(frozen=True, slots=True)
class Worth:
    """What codeloupe says of its own answer: how current and how complete the index was."""

    state: str  # "current", "indexing", "stale" or "empty"
    text: float = 1.0  # shares, 0 to 1: files whose text, chunks whose sketches and vectors were searchable
    sketch: float = 1.0
    vectors: float = 1.0
    changed_files: int = 0  # changed, new or gone since they were indexed
    branch: str = ""
    notes: tuple[str, ...] = ()  # whatever else was missing, in sentences

    @property
    def current(self) -> bool:
        """Whether the index is that of the files as they are."""
        return self.state == "current" and not self.changed_files


class CodeReferences(list[CodeReference]):
    """An answer: the references, best first, with what it is worth."""

    def __init__(self, found: Iterable[CodeReference], worth: Worth, notes: Iterable[str] = ()) -> None:
        super().__init__(found)
        self.worth = worth
        self.notes = tuple(dict.fromkeys((*worth.notes, *notes)))  # codeloupe's own, then what went wrong with Serena


@dataclass(frozen=True, slots=True)
class Usage:
    """One place where a symbol is used."""

    relative_path: str
    line: int  # of the use itself; 0 where only ``within`` is known
    text: str  # the lines around it
    within: Symbol | None = None  # the symbol that uses it; None where words alone found the place


@dataclass(frozen=True, slots=True)
class UsagePattern:
    """Uses that are written alike."""

    shape: str  # "load(…, strict=…)": positional arguments, then named ones; the bare name where it is not called
    usages: tuple[Usage, ...]


@dataclass(frozen=True, slots=True)
class UsagePatterns:
    """How a function is used: the commonest shape first."""

    function: str
    definitions: tuple[CodeReference, ...]
    patterns: tuple[UsagePattern, ...]
    worth: Worth
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """The longest waits, in seconds, and how many calls may be under way at Serena's."""

    start_s: float = 60.0  # Serena imports for 1 to 4 s, and much longer on a cold disk
    search_s: float = 60.0  # a first search indexes
    confirm_s: float = 30.0  # for all symbols of one search together; the first waits for a language server
    references_s: float = 120.0  # a language server may read the whole project for the first
    calls: int = 4  # Serena runs calls one after the other: more than a few only wait there
