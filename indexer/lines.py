"""The lines of one text, measured once: where they start, how long they are, how many tokens they may cost."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence, Sized

# Five letters of a word, three capitals, two digits, any other sign: about what a word piece is. Beside MiniLM's own
# tokens in 18,800 chunks of 20 languages: 1.01 times as many in the middle, .84 to 1.0 at the 5th percentile.
_PIECES = re.compile(r"[A-Z]?[a-z]{1,5}|[A-Z]{1,3}|[0-9]{1,2}|[^\sA-Za-z0-9]")


def estimate_tokens(text: str) -> int:
    """About how many tokens a word-piece model makes of ``text``; seldom less than .84 of the truth."""
    return len(_PIECES.findall(text))


class Lines:
    """A text cut at line feeds, with running totals so that any stretch is measured in constant time."""

    __slots__ = ("_byte_starts", "_starts", "_text", "_tokens", "blank", "data", "texts")

    def __init__(self, text: str) -> None:
        self._text = text
        self.data = text.encode()
        self.texts = text.split("\n")
        self._starts = _starts(self.texts)
        ascii_only = len(self.data) == len(text)
        self._byte_starts = self._starts if ascii_only else _starts(self.data.split(b"\n"))
        self._tokens = list(accumulate(map(estimate_tokens, self.texts), initial=0))
        self.blank = [not line or line.isspace() for line in self.texts]

    def __len__(self) -> int:
        return len(self.texts)

    def row_at(self, byte: int) -> int:
        """The row that holds the byte at an offset."""
        return bisect_right(self._byte_starts, byte) - 1

    def row_before(self, byte: int) -> int:
        """The last row with something before the byte at an offset."""
        row = self.row_at(byte)
        return row if self.data[self._byte_starts[row] : byte].strip() else row - 1

    def chars(self, first: int, last: int) -> int:
        """Characters from the first row to the last, with the line ends between them."""
        return self._starts[last + 1] - self._starts[first] - 1

    def tokens(self, first: int, last: int) -> int:
        """The estimate for the rows together."""
        return self._tokens[last + 1] - self._tokens[first]

    def text(self, first: int, last: int) -> str:
        """The rows as one string, without the last line end."""
        return self._text[self._starts[first] : self._starts[last + 1] - 1]

    def byte_span(self, first: int, last: int) -> tuple[int, int]:
        """Where the rows lie in ``data``, half-open, without the last line end."""
        return self._byte_starts[first], self._byte_starts[last + 1] - 1

    def trim(self, first: int, last: int) -> tuple[int, int]:
        """The rows without blank ones at either end; first > last where all are blank."""
        blank = self.blank
        while first <= last and blank[first]:
            first += 1
        while first <= last and blank[last]:
            last -= 1
        return first, last


def _starts(lines: Sequence[Sized]) -> list[int]:
    """Offsets of the lines, and of the one that would follow the last; each line end counts one."""
    return list(accumulate([len(line) + 1 for line in lines], initial=0))
