"""Hits that are neighbours in a file become one place of an answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mcp_server.answers.answer import Found


@dataclass(frozen=True, slots=True)
class Block:
    """One place: its hits, best first, follow each other in the file; ``rank`` is the best one's, from 0."""

    rank: int
    members: tuple[Found, ...]

    @property
    def location(self) -> str:
        """``path:first-last``, lines 1-based and inclusive."""
        chunks = [member.hit.chunk for member in self.members]
        first, last = min(chunk.start_line for chunk in chunks), max(chunk.end_line for chunk in chunks)
        return f"{self.members[0].path}:{first}-{last}"

    @property
    def names(self) -> tuple[str, ...]:
        """What is named there, in file order; "Class/method"."""
        chunks = sorted((member.hit.chunk for member in self.members), key=lambda chunk: chunk.chunk_index)
        return tuple(dict.fromkeys(chunk.name_path for chunk in chunks if chunk.name_path))


def merged(found: Sequence[Found]) -> list[Block]:
    """The hits as blocks, best first. Every hit is in exactly one."""
    files: dict[str, list[tuple[int, Found]]] = {}
    for rank, one in enumerate(found):
        files.setdefault(one.path, []).append((rank, one))
    blocks = [_block(run) for hits in files.values() for run in _runs(hits)]
    return sorted(blocks, key=lambda block: block.rank)


def _runs(hits: list[tuple[int, Found]]) -> list[list[tuple[int, Found]]]:
    """One file's hits, cut where a chunk lies between two of them."""
    runs: list[list[tuple[int, Found]]] = []
    last = -2
    for hit in sorted(hits, key=lambda ranked: ranked[1].hit.chunk.chunk_index):
        index = hit[1].hit.chunk.chunk_index
        if index > last + 1:
            runs.append([])
        runs[-1].append(hit)
        last = index
    return runs


def _block(run: list[tuple[int, Found]]) -> Block:
    ranked = sorted(run, key=lambda hit: hit[0])
    return Block(ranked[0][0], tuple(one for _, one in ranked))
