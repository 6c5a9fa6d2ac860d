"""One search over a store: legs, fusion, floor, page. Plain fusion; what ranks better goes into storage/ranking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from storage.chunk import Candidate, Chunk, Filters, Hit
from storage.ranking.fusion import Leg, fuse
from storage.ranking.terms import query_terms
from storage.store import ChunkStore, Pattern

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Mode = Literal["hybrid", "semantic", "text", "exact", "regex"]

# How many candidates each leg gives for the first pages. A chunk past the fiftieth place of both legs has a fused
# score under 1/55 and no business on a first page; each candidate costs 10 to 50 µs to read.
DEPTH = 50


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked. ``vector`` (shape (dim,), norm 1) is None where there is no model: meaning is then left out."""

    text: str
    vector: NDArray[np.float32] | None = None
    mode: Mode = "hybrid"
    filters: Filters = field(default_factory=Filters)
    limit: int = 10
    offset: int = 0
    min_similarity: float = 0.0  # cosine similarity under which the vector leg's candidates are noise
    ignore_case: bool = False  # of exact and regex
    timeout_s: float = 5.0  # of exact and regex


@dataclass(frozen=True, slots=True)
class Results:
    """One page, best first; ``more`` when another would not be empty; ``complete`` unless a pattern ran out of time."""

    hits: tuple[Hit, ...]
    more: bool
    complete: bool = True


def search(store: ChunkStore, query: Query) -> Results:
    """Answer ``query``. Pages of the same query follow each other without gap or repetition while the index stays.

    Raises InvalidPatternError for a glob or an expression that does not parse.
    """
    if query.mode in ("exact", "regex"):
        return _find_pattern(store, query)
    wanted = query.offset + query.limit + 1
    ranked = _ranked(_legs(store, query, _depths(wanted)[-1]), wanted)
    return _page(ranked, query)


def _find_pattern(store: ChunkStore, query: Query) -> Results:
    wanted = query.offset + query.limit + 1
    pattern = Pattern(query.text, query.mode == "regex", query.ignore_case, query.timeout_s)
    matches = store.find_matches(pattern, wanted, query.filters)
    hits = [Hit(match.chunk, 1.0, (query.mode,), match.lines) for match in matches.found]
    page = _page(hits, query)
    return Results(page.hits, page.more, matches.complete or page.more)


def _page(ranked: Sequence[Hit], query: Query) -> Results:
    end = query.offset + query.limit
    return Results(tuple(ranked[query.offset : end]), more=query.limit > 0 and len(ranked) > end)


def _legs(store: ChunkStore, query: Query, depth: int) -> dict[str, list[Candidate]]:
    """Each tier's candidates; two tiers are asked at the same time, since each waits for the table most of its time."""
    if query.mode == "text" or query.vector is None:
        return {"text": _text_leg(store, query, depth)} if query.mode != "semantic" else {}
    if query.mode == "semantic":
        return {"vector": _vector_leg(store, query, depth)}
    with ThreadPoolExecutor(1, "text-leg") as other:
        text = other.submit(_text_leg, store, query, depth)
        vector = _vector_leg(store, query, depth)
        return {"text": text.result(), "vector": vector}


def _text_leg(store: ChunkStore, query: Query, depth: int) -> list[Candidate]:
    return _settled(store.find_text(query_terms(query.text), depth, query.filters))


def _vector_leg(store: ChunkStore, query: Query, depth: int) -> list[Candidate]:
    assert query.vector is not None
    near = store.find_near(query.vector, depth, query.filters)
    return _settled([candidate for candidate in near if candidate.score >= query.min_similarity])


def _settled(leg: list[Candidate]) -> list[Candidate]:
    """Best first, and equal scores in an order that does not depend on who was asked."""
    return sorted(leg, key=lambda candidate: (-candidate.score, *_place(candidate.chunk)))


def _ranked(legs: dict[str, list[Candidate]], wanted: int) -> list[Hit]:
    """The hits of all depths, shallow ones first: what a deeper page needs never changes the pages before it."""
    ranked: dict[str, Hit] = {}
    for depth in _depths(wanted):
        for hit in _fused({name: leg[:depth] for name, leg in legs.items()}):
            ranked.setdefault(hit.chunk.id, hit)
    return list(ranked.values())


def _fused(legs: dict[str, list[Candidate]]) -> list[Hit]:
    if len(legs) == 1:
        return [Hit(candidate.chunk, candidate.score, (name,)) for name, leg in legs.items() for candidate in leg]
    chunks = {candidate.chunk.id: candidate.chunk for leg in legs.values() for candidate in leg}
    fused = fuse(Leg(name, [candidate.chunk.id for candidate in leg]) for name, leg in legs.items())
    hits = [Hit(chunks[chunk_id], place.score, place.found_by) for chunk_id, place in fused.items()]
    return sorted(hits, key=lambda hit: (-hit.score, *_place(hit.chunk)))


def _place(chunk: Chunk) -> tuple[str, int]:
    return chunk.file_path, chunk.chunk_index


def _depths(wanted: int) -> list[int]:
    """50, 100, 200 ... until ``wanted`` hits fit."""

    def doubling() -> Iterator[int]:
        depth = DEPTH
        yield depth
        while depth < wanted:
            depth *= 2
            yield depth

    return list(doubling())
