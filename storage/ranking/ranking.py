"""Candidates of all legs, ranked: the order of an answer, as small steps on numbers. Pure.

    evidence    what the legs say of a chunk: text and meaning, each as a share of its best, weighed and added
    definition  the chunk defines a name that was asked for; failing that, its name's words were
    file        a file's evidence is its best chunk's and, less and less, that of its other good chunks; its name counts
    place       tests, examples, prose stand behind (storage/ranking/places.py)
    diversity   each further chunk of one file counts half

Every number below has its reason beside it and its worth in docs/ranking.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from storage.chunk import Candidate, Outline
from storage.ranking.asking import Asked
from storage.ranking.places import PLACE_WEIGHT, Place, place_of
from storage.ranking.terms import fold, name_terms

# A score is the sum of its signals, times those of them that are named here.
FACTORS = frozenset(("place", "repeated", "depth"))
CONTAINERS = frozenset(("class", "struct", "interface", "trait", "enum", "type", "object", "module", "namespace"))


@dataclass(frozen=True, slots=True)
class Weights:
    """The numbers of the ranking, together, so that a benchmark can take one away."""

    text: float = 0.7  # of the evidence, where both legs speak
    vector: float = 0.3
    definition: float = 0.6  # of a name in prose; twice that where the query is the name
    name: float = 0.3  # of a chunk whose name's words all stand in the query
    others: float = 0.6  # of a file's further chunks' evidence
    fading: float = 0.6  # from one further chunk to the next
    further: int = 5  # chunks of a file that count beside its best
    stem: float = 1.0  # of a file whose whole name stands in the query
    exact: float = 0.7  # of a file that is named as an asked identifier; twice where the query is the name
    repeated: float = 0.5  # of a further chunk of a file in the answer


WEIGHTS = Weights()


@dataclass(frozen=True, slots=True)
class Evidence:
    """One chunk's signals, by name; their sum, before its file and place have their say."""

    outline: Outline
    signals: Mapping[str, float]
    found_by: tuple[str, ...]

    @property
    def total(self) -> float:
        """All signals together."""
        return sum(self.signals.values())


@dataclass(frozen=True, slots=True)
class Ranked:
    """One chunk's place in an answer: its score, which legs found it, and what made the score, by name."""

    outline: Outline
    score: float
    found_by: tuple[str, ...]
    signals: tuple[tuple[str, float], ...]


def rank(asked: Asked, legs: Mapping[str, Sequence[Candidate]], weights: Weights = WEIGHTS) -> list[Ranked]:
    """Every candidate once, best first; ties by path and place."""
    files: dict[str, list[Evidence]] = {}
    for evidence in gathered(asked, legs, weights):
        files.setdefault(evidence.outline.file_path, []).append(evidence)
    ranked = [one for evidence in files.values() for one in file_ranked(asked, evidence, weights)]
    return sorted(ranked, key=lambda one: (-one.score, one.outline.file_path, one.outline.chunk_index))


def gathered(asked: Asked, legs: Mapping[str, Sequence[Candidate]], weights: Weights) -> list[Evidence]:
    """Every candidate of every leg once, with what the legs and its definitions say of it."""
    shares = {leg: weigh(leg, legs, weights) for leg in legs}
    outlines = {candidate.outline.id: candidate.outline for leg in legs.values() for candidate in leg}
    found = []
    for chunk_id, outline in outlines.items():
        signals = {leg: share[chunk_id] for leg, share in shares.items() if chunk_id in share}
        found_by = tuple(leg for leg in signals if leg in ("text", "vector"))
        own = {
            "definition": definition(asked, outline) * weights.definition,
            "name": naming(asked, outline) * weights.name,
        }
        found.append(Evidence(outline, signals | {signal: worth for signal, worth in own.items() if worth}, found_by))
    return found


def weigh(leg: str, legs: Mapping[str, Sequence[Candidate]], weights: Weights) -> dict[str, float]:
    """A leg's scores as shares of its best, times the leg's weight among the legs that speak.

    BM25 is shared out from nothing: half the best score is half the terms. Cosines are shared out from half of the
    leg's least: models crowd them together far above zero, and only the differences tell.
    """
    candidates = legs[leg]
    if not candidates or leg not in ("text", "vector"):
        return {}
    alone = sum(1 for name in ("text", "vector") if legs.get(name)) == 1
    weight = 1.0 if alone else getattr(weights, leg)
    scores = [candidate.score for candidate in candidates]
    low = min(scores) / 2 if leg == "vector" and min(scores) > 0 else 0.0
    spread = (max(scores) - low) or 1.0
    return {candidate.outline.id: weight * (candidate.score - low) / spread for candidate in candidates}


def definition(asked: Asked, outline: Outline) -> float:
    """How much a chunk is the definition of an asked name: 0, to 1 in prose and to 2 where the query is the name."""
    best = 0.0
    for place, name in enumerate(outline.defines):
        if fold(name) in asked.names:
            own = 1.0 if fold(outline.name_path.rpartition("/")[2]) == fold(name) else 0.5
            best = max(best, own * (1.0 if place == 0 else 0.7))
    if asked.is_name:
        return 2 * best * (1.0 if outline.kind in CONTAINERS else 0.8)
    return best


def naming(asked: Asked, outline: Outline) -> float:
    """The share of the words of the chunk's own name that were asked for, 0 to 1."""
    terms = name_terms(outline.name_path.rpartition("/")[2])
    return sum(term in asked.terms for term in terms) / len(terms) if terms else 0.0


def file_ranked(asked: Asked, chunks: list[Evidence], weights: Weights) -> list[Ranked]:
    """One file's chunks: its evidence on its best chunk, and each further chunk with half of what it could have."""
    ordered = sorted(chunks, key=lambda evidence: (-evidence.total, evidence.outline.chunk_index))
    path, language = ordered[0].outline.file_path, ordered[0].outline.language
    totals = [evidence.total for evidence in ordered]
    others = weights.others * sum(
        total * weights.fading**place for place, total in enumerate(totals[1 : weights.further + 1])
    )
    named = file_name(asked, path, weights)
    place = place_of(path, language)
    factor = 1.0 if place in asked.wanted else PLACE_WEIGHT[place]
    ranked = []
    for number, evidence in enumerate(ordered):
        whole = (evidence.total + others + sum(named.values())) * factor * weights.repeated**number
        signals = {**evidence.signals, **named, **({"file": others} if others else {})}
        if place is not Place.CODE:
            signals["place"] = factor
        if number:
            signals["repeated"] = weights.repeated**number
        ranked.append(Ranked(evidence.outline, whole, evidence.found_by, tuple(signals.items())))
    return ranked


def file_name(asked: Asked, path: str, weights: Weights) -> dict[str, float]:
    """What the file's own name says: the share of its words that were asked for, and whether it is an asked name."""
    terms, folded = _stem_terms(path)
    signals = {}
    covered = sum(term in asked.terms for term in terms) / len(terms) if terms else 0.0
    if covered:
        signals["stem"] = weights.stem * covered
    if folded in asked.names:
        signals["exact"] = weights.exact * (2 if asked.is_name else 1)
    return signals


@lru_cache(maxsize=1 << 14)
def _stem_terms(path: str) -> tuple[tuple[str, ...], str]:
    """The terms of a file's name without its endings, and the name folded."""
    name = path.rpartition("/")[2].lstrip(".").partition(".")[0]
    return name_terms(name), fold(name)
