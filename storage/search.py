"""One search over a store: what each tier, each name and each place in the query finds, its order, a page of it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeVar

from storage.chunk import Candidate, Chunk, Filters, Hit, Outline
from storage.ranking.asking import Asked, understand
from storage.ranking.locations import nearness
from storage.ranking.ranking import Gathered, Ranked, rank
from storage.ranking.terms import query_terms
from storage.store import ChunkStore, Pattern

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")
Mode = Literal["hybrid", "semantic", "text", "exact", "regex"]

# Candidates a leg gives for the first pages; each costs 10 to 50 µs to read. Words alone gain by depth (nDCG@10 .823
# with 50, .837 with 200); beside meaning they do not (.848 with 50 a leg, .843 with 100): docs/ranking.md.
DEPTH_ALONE = 200
DEPTH_TOGETHER = 50
DEPTH_NAMED = 50  # definitions of an asked name, and chunks of a file called so
NEAR = 100  # chunks that a search says it found or nearly found, shown or not: as many as two tiers' candidates
FILES_POINTED_AT = 3  # that an asked path with a line may mean


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked. ``vector`` (shape (dim,), norm 1) is None where there is no model: meaning is then left out."""

    text: str
    vector: NDArray[np.float32] | None = None
    sketch: NDArray[np.float32] | None = None  # shape (sketch_dim,), norm 1; None where there is no table
    mode: Mode = "hybrid"
    filters: Filters = field(default_factory=Filters)
    limit: int = 10
    offset: int = 0
    min_similarity: float = 0.0  # cosine similarity under which candidates by vector or sketch are noise
    ignore_case: bool = False  # of exact and regex
    timeout_s: float = 5.0  # of exact and regex
    like: str = ""  # words of a chunk whose like is asked for: they find, and are not taken for what was asked
    excluding: frozenset[str] = frozenset()  # ids of chunks that are not wanted: that one
    covered: float = 1.0  # the share of the store's chunks that have a vector, 0 to 1

    @property
    def legs(self) -> tuple[str, ...]:
        """The tiers this query asks; by meaning alone, sketches stand in for vectors that are not there yet."""
        rough = self.mode == "hybrid" or (self.mode == "semantic" and self.reach < 1)
        asks = {
            "text": self.mode != "semantic",
            "sketch": rough and self.sketch is not None,
            "vector": self.mode != "text" and self.vector is not None,
        }
        return tuple(leg for leg, asked in asks.items() if asked)

    @property
    def reach(self) -> float:
        """The share of the chunks that this query's vector can find, 0 to 1."""
        return self.covered if self.vector is not None else 0.0


@dataclass(frozen=True, slots=True)
class Results:
    """One page, best first; ``more`` when another would not be empty; ``complete`` unless a pattern ran out of time."""

    hits: tuple[Hit, ...]
    more: bool
    complete: bool = True
    near: tuple[str, ...] = ()  # ids of the best chunks, shown or not, best first
    damaged: frozenset[str] = frozenset()  # files of which a chunk was left out because its stored text is damaged


def search(store: ChunkStore, query: Query) -> Results:
    """Answer ``query``. Pages of the same query follow each other without gap or repetition while the index stays.

    Raises InvalidPatternError for a glob or an expression that does not parse.
    """
    if query.mode in ("exact", "regex"):
        return _find_pattern(store, query)
    asked = understand(query.text)
    depths = _depths(_first_depth(query), query.offset + query.limit + 1)
    found = gather(store, query, asked, depths[-1])
    ranked = _ranked(asked, found, depths)
    shown, more = _page(ranked, query)
    near = tuple(one.outline.id for one in ranked[:NEAR])
    known, damaged = store.shown([one.outline.id for one in shown])
    return Results(_hits(known, shown), more, near=near, damaged=damaged)


def _find_pattern(store: ChunkStore, query: Query) -> Results:
    wanted = query.offset + query.limit + 1
    pattern = Pattern(query.text, query.mode == "regex", query.ignore_case, query.timeout_s)
    matches = store.find_matches(pattern, wanted, query.filters)
    shown, more = _page(matches.found, query)
    known, damaged = store.shown([match.chunk.id for match in shown])
    whole = [match for match in shown if match.chunk.id in known]
    hits = tuple(Hit(match.chunk, 1.0, (query.mode,), match.lines) for match in whole)
    near = tuple(match.chunk.id for match in matches.found)
    return Results(hits, more, matches.complete or more, near, damaged)


def _page(ranked: Sequence[T], query: Query) -> tuple[Sequence[T], bool]:
    """The part that is shown, and whether more would follow."""
    end = query.offset + query.limit
    return ranked[query.offset : end], query.limit > 0 and len(ranked) > end


def _hits(known: Mapping[str, Chunk], ranked: Sequence[Ranked]) -> tuple[Hit, ...]:
    """What is shown, with its text; without what is damaged or went out of the index since it was found."""
    return tuple(
        Hit(known[one.outline.id], one.score, one.found_by, signals=one.signals)
        for one in ranked
        if one.outline.id in known
    )


def gather(store: ChunkStore, query: Query, asked: Asked, depth: int) -> Gathered:
    """All that the store says to the query, before it is ordered."""
    legs = _legs(store, query, depth)
    found = Gathered(legs, _named(store, query, asked), reach=_reach(store, query, legs))
    # Of the first depth alone: what only a deeper page knows must not change the pages before it.
    first = _cut(found, _first_depth(query)).outlines.values()
    paths = dict.fromkeys(outline.file_path for outline in first)
    pointed = [outline for outline in _pointed(store, asked, paths) if _allowed(query, outline)]
    found = replace(found, named=[*found.named, *pointed], pointed=frozenset(outline.id for outline in pointed))
    outlines = found.outlines
    links = store.links({outline.file_path for outline in outlines.values()})
    return replace(found, links=links, phrases=_phrases(store, asked, outlines))


def _legs(store: ChunkStore, query: Query, depth: int) -> dict[str, list[Candidate]]:
    """Each tier's candidates; tiers are asked at the same time, since each waits for the table most of its time."""
    ask = {"text": _text_leg, "sketch": _sketch_leg, "vector": _vector_leg}
    if not query.legs:
        return {}
    *others, last = query.legs
    with ThreadPoolExecutor(max(1, len(others)), "leg") as pool:
        asked = {leg: pool.submit(ask[leg], store, query, depth) for leg in others}
        answer = ask[last](store, query, depth)
        return {leg: pending.result() for leg, pending in asked.items()} | {last: answer}


def _reach(store: ChunkStore, query: Query, legs: Mapping[str, Sequence[Candidate]]) -> float:
    """The share of what the other tiers found that has a vector, or of all chunks, if that is more.

    What was asked before has them, however few others do (indexer/refine.py): asked again, nDCG@10 is .857 for .852.
    """
    if query.reach in (0.0, 1.0):
        return query.reach
    depth = _first_depth(query)
    ids = {one.outline.id for leg, found in legs.items() if leg != "vector" for one in found[:depth]}
    return max(query.reach, len(store.embedded(ids)) / max(1, len(ids)))


def _named(store: ChunkStore, query: Query, asked: Asked) -> list[Outline]:
    """Definitions of what was asked for by name, which words alone may not bring among the candidates."""
    if "text" not in query.legs or not asked.markers:
        return []
    return [one.outline for one in _settled(store.find_text(asked.markers, DEPTH_NAMED, query.filters), query)]


def _pointed(store: ChunkStore, asked: Asked, paths: Collection[str]) -> list[Outline]:
    """The chunks that hold the lines which the query names, in the files most surely meant; ``paths`` best first."""
    chunks = []
    for location in asked.locations:
        near = {path: nearness(location, path) for path in paths} if location.line else {}
        surest = max(near.values(), default=0.0)
        meant = [path for path, certainty in near.items() if surest and certainty == surest]
        chunks += [store.chunk_at(path, location.line) for path in meant[:FILES_POINTED_AT]]
    return [chunk.outline for chunk in chunks if chunk is not None]


def _allowed(query: Query, outline: Outline) -> bool:
    """Whether a chunk of a file that passes the query's filters passes them as well."""
    kinds = query.filters.kinds
    return outline.id not in query.excluding and (not kinds or outline.kind in kinds)


def _phrases(store: ChunkStore, asked: Asked, outlines: Collection[str]) -> dict[str, float]:
    """How much of what the query quotes each candidate has; their texts are read for such a query alone."""
    if not asked.repeated.pairs:
        return {}
    return {chunk.id: asked.repeated.share(chunk.content) for chunk in store.chunks(outlines).values()}


def _text_leg(store: ChunkStore, query: Query, depth: int) -> list[Candidate]:
    return _settled(store.find_text(query_terms(f"{query.text} {query.like}"), depth, query.filters), query)


def _sketch_leg(store: ChunkStore, query: Query, depth: int) -> list[Candidate]:
    assert query.sketch is not None
    near = store.find_sketch(query.sketch, depth, query.filters)
    floor = max(0.0, query.min_similarity)  # at nought are chunks of which the table knows nothing
    return _settled([candidate for candidate in near if candidate.score > floor], query)


def _vector_leg(store: ChunkStore, query: Query, depth: int) -> list[Candidate]:
    assert query.vector is not None
    near = store.find_near(query.vector, depth, query.filters)
    return _settled([candidate for candidate in near if candidate.score >= query.min_similarity], query)


def _settled(leg: list[Candidate], query: Query) -> list[Candidate]:
    """What is wanted, best first, and equal scores in an order that does not depend on who was asked."""
    wanted = [candidate for candidate in leg if candidate.outline.id not in query.excluding]
    return sorted(wanted, key=lambda candidate: (-candidate.score, *_place(candidate.outline)))


def _ranked(asked: Asked, found: Gathered, depths: Sequence[int]) -> list[Ranked]:
    """The candidates of all depths, shallow ones first: what a deeper page needs never changes the pages before it."""
    ranked: dict[str, Ranked] = {}
    for depth in depths:
        # A score is a share of its own depth's best; from one depth to the next only the order goes on.
        least = min((one.score for one in ranked.values()), default=math.inf)
        for one in rank(asked, _cut(found, depth)):
            ranked.setdefault(one.outline.id, _at_most(one, least))
    return list(ranked.values())


def _cut(found: Gathered, depth: int) -> Gathered:
    """What was found with no more than ``depth`` candidates a leg."""
    return replace(found, legs={name: leg[:depth] for name, leg in found.legs.items()})


def _at_most(one: Ranked, least: float) -> Ranked:
    """The candidate with no higher score than ``least``; its signals still make the score."""
    if one.score <= least:
        return one
    return replace(one, score=least, signals=(*one.signals, ("depth", least / one.score)))


def _place(outline: Outline) -> tuple[str, int]:
    return outline.file_path, outline.chunk_index


def _first_depth(query: Query) -> int:
    return DEPTH_TOGETHER if len(query.legs) > 1 else DEPTH_ALONE


def _depths(first: int, wanted: int) -> list[int]:
    """``first``, and twice as many until ``wanted`` hits fit."""
    depths = [first]
    while depths[-1] < wanted:
        depths.append(2 * depths[-1])
    return depths
