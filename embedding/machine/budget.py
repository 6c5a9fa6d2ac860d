"""What the model's processes may take: bytes, or a share of what there is."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LEAST_BYTES = 64_000_000  # the smallest model known, its context and its process take about that
_SHAPE = re.compile(r"(\d+(?:\.\d+)?)\s*(%|b|[kmgt]i?b)?", re.IGNORECASE)
_PREFIXES = "bkmgt"


@dataclass(frozen=True, slots=True)
class Budget:
    """``text`` as it was configured; exactly one of the other two counts, the other is 0."""

    text: str
    fixed_bytes: int = 0
    share: float = 0.0  # of the limit, above 0, at most 1

    @classmethod
    def parse(cls, text: str) -> Budget:
        """From ``50%``, ``6GB`` (10^9 bytes), ``512MiB`` (2^20) or plain bytes. Raises ValueError with a sentence."""
        match = _SHAPE.fullmatch(text.strip())
        if match is None:
            raise ValueError(f'A memory budget is written like "50%", "6GB" or "512MiB", not {text!r}; write one so.')
        number, unit = float(match[1]), (match[2] or "b").lower()
        if unit == "%":
            return cls(text, share=_checked_percent(text, number) / 100)
        return cls(text, fixed_bytes=_checked_bytes(text, number * _bytes_of(unit)))

    def bytes_of(self, limit_bytes: int) -> int:
        """The budget where this machine or container has ``limit_bytes``; never more than that."""
        return min(limit_bytes, self.fixed_bytes or int(limit_bytes * self.share))


def _bytes_of(unit: str) -> int:
    return int((1024 if "i" in unit else 1000) ** _PREFIXES.index(unit[0]))


def _checked_percent(text: str, percent: float) -> float:
    if not 0 < percent <= 100:
        raise ValueError(f"A memory budget of {text.strip()} cannot be kept; write more than 0% and at most 100%.")
    return percent


def _checked_bytes(text: str, count: float) -> int:
    if count < _LEAST_BYTES:
        raise ValueError(
            f"A memory budget of {text.strip()} is less than the smallest model takes, {in_words(_LEAST_BYTES)}; "
            'write more, as in "6GB", or a share, as in "50%".'
        )
    return int(count)


def in_words(count: float) -> str:
    """Bytes for people, two or three digits: 46 MB, 4.4 GB, 128 GB."""
    if count < 999.5e6:
        return f"{count / 1e6:.0f} MB"
    return f"{count / 1e9:.1f} GB" if count < 99.95e9 else f"{count / 1e9:.0f} GB"
