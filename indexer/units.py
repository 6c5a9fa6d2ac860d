"""Units: the stretches of lines a file is made of, before they are cut to size.

An outline knows where definitions begin and end and what they are called. How long a piece may be, and what is
merged with what, is decided elsewhere (chunker.py, pieces.py). Rows are 0-based here and both ends are included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMESPACES = frozenset({"namespace"})
TYPES = frozenset({"module", "class", "interface", "trait", "struct", "enum", "type", "impl", "extension", "object"})
SHELLS = NAMESPACES | {"module", "impl", "extension", "test"}  # whose first line says less than what is in them
CALLABLES = frozenset({"function", "method", "constructor", "macro", "test"})
VALUES = frozenset({"constant", "variable", "property", "key"})
SYMBOLS = NAMESPACES | TYPES | CALLABLES - {"test"} | VALUES - {"key"}  # named by identifiers, not by any text
CONTAINERS = NAMESPACES | TYPES | {"section", "test"}


@dataclass(frozen=True, slots=True)
class Unit:
    """A stretch of rows; ``kind`` is "" where it defines nothing."""

    first: int
    last: int
    kind: str = ""
    name: str = ""  # may hold "/" where the definition itself names its scope, as in ``void A::b() {}``
    opens: bool = False  # definitions inside count although the unit itself is not one (an ``#ifdef``, a ``try``)
    leads: bool = False  # a comment that stands alone: belongs rather to what follows than to what precedes
    owner: str = ""  # the kind of the definition that it lies in, seen through loops and groups
    local: bool = False  # inside a function: a variable is no definition there
    source: object = None  # what the outline needs to look inside


class Outline(Protocol):
    """Where the units of one file are."""

    @property
    def root(self) -> Unit:
        """The whole file."""

    def parts(self, unit: Unit) -> Sequence[Unit]:
        """The units directly inside, in order of their first row; neighbours may share a row."""

    def signature(self, unit: Unit) -> tuple[int, int]:
        """The rows of a definition's signature, both included: after its comments, before its body."""


@dataclass(frozen=True, slots=True)
class PlainOutline:
    """A file nothing is known about: one unit without parts."""

    root: Unit

    def parts(self, unit: Unit) -> Sequence[Unit]:  # noqa: ARG002, the contract names it
        """Nothing is inside."""
        return ()

    def signature(self, unit: Unit) -> tuple[int, int]:
        """The first row."""
        return unit.first, unit.first
