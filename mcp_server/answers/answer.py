"""What a search found, before it is written down."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.freshness import Freshness
from storage.chunk import Hit


@dataclass(frozen=True, slots=True)
class Found:
    """A hit and the root it is in; ``root`` is "" where there is only one."""

    hit: Hit
    root: str = ""

    @property
    def path(self) -> str:
        """The file, with the root in front where there are several."""
        file_path = self.hit.chunk.file_path
        return f"{self.root}/{file_path}" if self.root else file_path


@dataclass(frozen=True, slots=True)
class Answer:
    """A page of hits, best first."""

    query: str
    found: tuple[Found, ...]
    offset: int
    more: bool  # further hits exist beyond these
    freshness: Freshness
    like: str = ""  # the place whose like was asked for
