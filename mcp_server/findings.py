"""Finding: what doctor says of one thing it looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; ``mend`` is "" where it is well."""

    what: str
    found: str
    mend: str = ""

    @property
    def line(self) -> str:
        """For a reader."""
        return f"{'FAULT' if self.mend else 'ok':5}  {self.what}: {self.found}{f' -> {self.mend}' if self.mend else ''}"
