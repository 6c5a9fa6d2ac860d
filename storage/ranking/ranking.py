"""Candidates of all legs into one order: signals, weighed and added, as small steps on numbers. Pure.

    evidence   what the legs say of a chunk, each as a share of its best; whether it defines, is called or repeats what
               was asked (signals.py, phrases.py)
    file       the evidence of its other good chunks, less and less of each; its name, its folder, who imports it
    place      tests, examples, prose, old versions stand behind (places.py)
    diversity  each further chunk of a file has less of the file's standing

Every number below has its reason beside it and its worth in docs/ranking.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from storage.chunk import Candidate, Outline
from storage.ranking import signals
from storage.ranking.asking import Asked
from storage.ranking.places import ASKED_FOR, PLACE_WEIGHT, Place, place_of, superseded

# A score is the sum of its signals, times those of them that are named here.
FACTORS = frozenset(("place", "depth"))


@dataclass(frozen=True, slots=True)
class Weights:
    """The numbers of the ranking, together, so that a benchmark can take one away."""

    text: float = 0.7  # of the evidence, where other legs speak
    vector: float = 0.3
    sketch: float = 0.3  # where no chunk has a vector
    beside: float = 0.1  # of sketches where every chunk has one
    definition: float = 0.4  # of a chunk that defines an asked name
    name: float = 0.3  # of a chunk whose name's words all stand in the query
    phrase: float = 4.0  # of a chunk with all that the query quotes
    line: float = 1.0  # of the chunk that holds a line the query names
    others: float = 0.4  # of a file's further chunks' evidence
    fading: float = 0.6  # from one further chunk to the next
    stem: float = 1.0  # of a file whose whole name stands in the query
    folder: float = 0.3  # of a file in a folder whose whole name stands in the query
    exact: float = 0.7  # of a file that is named as an asked identifier
    path: float = 2.0  # of a file whose path stands in the query
    links: float = 0.3  # of the file that most others import
    place: float = 1.0  # the power of a place's factor (places.py)
    shared: float = 0.4  # of a file's standing, that each further chunk of it keeps


WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a store says to a query, before it is ordered."""

    legs: Mapping[str, Sequence[Candidate]]  # "text", "sketch" and "vector", best first
    named: Sequence[Outline] = ()  # chunks that define what was asked for, found without a score
    pointed: frozenset[str] = frozenset()  # ids of chunks that hold an asked line
    phrases: Mapping[str, float] = field(default_factory=dict)  # id -> how much of what is quoted it has, 0 to 1
    links: Mapping[str, float] = field(default_factory=dict)  # path -> how central the file is, 0 to 1
    reach: float = 1.0  # the share of what other legs found that the vector can find, 0 to 1

    @property
    def outlines(self) -> dict[str, Outline]:
        """Every candidate once, by id."""
        scored = (candidate.outline for leg in self.legs.values() for candidate in leg)
        return {outline.id: outline for outlines in (scored, self.named) for outline in outlines}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One chunk's signals, by name; their sum, before its file and place have their say."""

    outline: Outline
    signals: Mapping[str, float]

    @property
    def total(self) -> float:
        """All signals together."""
        return sum(self.signals.values())

    @property
    def found_by(self) -> tuple[str, ...]:
        """The tiers that spoke for it; what was found by its name alone was found in the text."""
        return tuple(leg for leg in ("text", "sketch", "vector") if leg in self.signals) or ("text",)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One chunk's place in an answer: its score, which legs found it, and what made the score, by name."""

    outline: Outline
    score: float
    found_by: tuple[str, ...]
    signals: tuple[tuple[str, float], ...]


def rank(asked: Asked, found: Gathered, weights: Weights = WEIGHTS) -> list[Ranked]:
    """Every candidate once, best first; ties by path and place."""
    files: dict[str, list[Evidence]] = {}
    for evidence in gathered(asked, found, weights):
        files.setdefault(evidence.outline.file_path, []).append(evidence)
    old = superseded(files.keys())
    ranked: list[Ranked] = []
    for path, chunks in files.items():
        standing = file_standing(asked, chunks, found, weights)
        place = place_weight(asked, chunks[0].outline, old.get(path)) ** weights.place
        ranked += spread(chunks, standing, place, weights)
    return sorted(ranked, key=lambda one: (-one.score, one.outline.file_path, one.outline.chunk_index))


def gathered(asked: Asked, found: Gathered, weights: Weights) -> list[Evidence]:
    """Every candidate with what speaks for the chunk itself, best first within each file."""
    shares = {leg: weigh(leg, found, weights) for leg in found.legs}
    evidence = []
    for chunk_id, outline in found.outlines.items():
        told = {leg: share[chunk_id] for leg, share in shares.items() if chunk_id in share}
        own = {
            "definition": weights.definition * signals.definition(asked, outline),
            "name": weights.name * signals.naming(asked, outline),
            "phrase": weights.phrase * found.phrases.get(chunk_id, 0.0),
            "line": weights.line * (chunk_id in found.pointed),
        }
        evidence.append(Evidence(outline, told | _telling(own)))
    return sorted(evidence, key=lambda one: (-one.total, one.outline.chunk_index))


def weigh(leg: str, found: Gathered, weights: Weights) -> dict[str, float]:
    """A leg's scores as shares of its best, times the leg's weight among the legs that speak.

    BM25 is shared out from nothing: half the best score is half the terms. Cosines are shared out from half of the
    leg's least: models crowd them together far above zero, and only the differences tell. Where some are below zero, as
    without a floor, from the least.
    """
    candidates = found.legs[leg]
    if not candidates:
        return {}
    weight = leg_weight(leg, found, weights)
    scores = [candidate.score for candidate in candidates]
    least = min(scores)
    low = min(least, least / 2) if leg != "text" else 0.0
    width = (max(scores) - low) or 1.0
    return {candidate.outline.id: weight * (candidate.score - low) / width for candidate in candidates}


def leg_weight(leg: str, found: Gathered, weights: Weights) -> float:
    """What a leg's best candidate gets: 1 where no other leg found anything.

    Vectors of a part of the candidates know nothing of the others, where the best may be: they weigh as much as the
    part is large. Sketches, which every chunk has, weigh less beside vectors than in their stead.
    """
    if sum(map(bool, found.legs.values())) == 1:
        return 1.0
    reach = found.reach
    parts = {"sketch": weights.sketch * (1 - reach) + weights.beside * reach, "vector": weights.vector * reach}
    return parts.get(leg, weights.text)


def file_standing(asked: Asked, chunks: Sequence[Evidence], found: Gathered, weights: Weights) -> dict[str, float]:
    """What speaks for a file as a whole: its further chunks' evidence, its name and folder, who imports it."""
    path = chunks[0].outline.file_path
    further = [evidence.total for evidence in chunks[1:]]
    return _telling(
        {
            "stem": weights.stem * signals.stem(asked, path),
            "folder": weights.folder * signals.folder(asked, path),
            "exact": weights.exact * signals.exact(asked, path),
            "path": weights.path * signals.pointed_at(asked, path),
            "links": weights.links * found.links.get(path, 0.0),
            "file": weights.others * sum(total * weights.fading**rank for rank, total in enumerate(further)),
        }
    )


def place_weight(asked: Asked, outline: Outline, old_version: str | None) -> float:
    """What all of a file is multiplied by for where it stands, and for whether the query speaks of such places."""
    place = place_of(outline.file_path, outline.language)
    if place is Place.CODE and old_version is not None and old_version not in asked.versions:
        place = Place.LEGACY
    asked_for = place in asked.wanted or (place is Place.PROSE and outline.language in asked.languages)
    return ASKED_FOR if asked_for else PLACE_WEIGHT[place]


def spread(chunks: Sequence[Evidence], standing: Mapping[str, float], place: float, weights: Weights) -> list[Ranked]:
    """One file's chunks, each with its own evidence and with what is left of the file's standing, less for each."""
    ranked = []
    for number, evidence in enumerate(chunks):
        left = {name: worth * weights.shared**number for name, worth in standing.items()}
        told = {**evidence.signals, **left, **({"place": place} if place != 1.0 else {})}
        score = (evidence.total + sum(left.values())) * place
        ranked.append(Ranked(evidence.outline, score, evidence.found_by, tuple(told.items())))
    return ranked


def _telling(worths: Mapping[str, float]) -> dict[str, float]:
    return {name: worth for name, worth in worths.items() if worth}
