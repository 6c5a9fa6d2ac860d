"""What speaks for a chunk or for a file, each as a number from 0 to about 1; ranking.py weighs them. Pure."""

from __future__ import annotations

from functools import lru_cache

from storage.chunk import Outline
from storage.ranking.asking import Asked
from storage.ranking.locations import nearness
from storage.ranking.terms import fold, name_terms

CONTAINERS = frozenset(("class", "struct", "interface", "trait", "enum", "type", "object", "module", "namespace"))

RESPELLED = 0.5  # of a name in another spelling: who asks for "Deserialize" means no method "deserialize"
MEMBER = 0.6  # of a function or field where the query is a name: a type of that name is meant more often
QUALIFIER = 0.4  # of what stands before the last part of a qualified name: "JobQueue" of "JobQueue.claim"
WHOLE_FROM = 4  # words of a question, of which a file's name must have one to count wholly
WHOLLY = 6.0  # how much more a definition tells where the query is that name and nothing else


def definition(asked: Asked, outline: Outline) -> float:
    """How much a chunk is the definition of an asked name: 0, to 1 in prose and to WHOLLY where the query is a name."""
    if not asked.names:
        return 0.0
    best = max((_defined(asked, name) for name in outline.defines), default=0.0)
    if not asked.is_name:
        return best
    return WHOLLY * best * (1.0 if outline.kind in CONTAINERS or len(asked.names) > 1 else MEMBER)


def _defined(asked: Asked, name: str) -> float:
    folded = fold(name)
    if folded not in asked.names:
        return 0.0
    worth = 1.0 if name.strip("$@?!") in asked.spelled else RESPELLED
    return worth if asked.leaf in ("", folded) else worth * QUALIFIER


def naming(asked: Asked, outline: Outline) -> float:
    """The share of the words of the chunk's own name that were asked for, 0 to 1."""
    return _covered(asked, name_terms(outline.name_path.rpartition("/")[2]))


def stem(asked: Asked, file_path: str) -> float:
    """The share of the words of a file's name that were asked for, 0 to 1.

    Less where they are under a quarter of what was asked: one word of a long question says little of the file.
    """
    terms = _called(file_path).terms
    met = sum(term in asked.terms for term in terms)
    return _covered(asked, terms) * min(1.0, WHOLE_FROM * met / max(1, len(asked.terms)))


def folder(asked: Asked, file_path: str) -> float:
    """The share of the words of the name of a file's folder that were asked for, 0 to 1."""
    return _covered(asked, _called(file_path).folder)


def exact(asked: Asked, file_path: str) -> float:
    """1 for a file that is called as an asked name, 2 where the query is that name; else 0."""
    if _called(file_path).folded not in asked.names:
        return 0.0
    return 2.0 if asked.is_name else 1.0


def pointed_at(asked: Asked, file_path: str) -> float:
    """How surely a path in the query means this file, 0 to 1."""
    return max((nearness(location, file_path) for location in asked.locations), default=0.0)


def _covered(asked: Asked, terms: tuple[str, ...]) -> float:
    return sum(term in asked.terms for term in terms) / len(terms) if terms else 0.0


class _Called:
    """The names on a file's path, split and folded once."""

    __slots__ = ("folded", "folder", "terms")

    def __init__(self, file_path: str) -> None:
        folders, _, name = file_path.rpartition("/")
        stem = name.lstrip(".").partition(".")[0]
        self.folded = fold(stem)
        self.terms = name_terms(stem)
        self.folder = name_terms(folders.rpartition("/")[2])


_called = lru_cache(maxsize=1 << 11)(_Called)
