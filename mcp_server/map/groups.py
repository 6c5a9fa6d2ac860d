"""Directories as groups of one colour: few enough to tell apart, none so large that it hides what is in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# Colours that people tell apart, also those who see few of them (mcp_server/map/page/page.css); the rest is grey.
MOST = 8
LEAST_SHARE = 0.02  # of all chunks: what is smaller is not worth a colour
HOLDS_ALL = 0.9  # a directory with so much of what is around it says nothing; one within it may


@dataclass(frozen=True, slots=True)
class Group:
    """A directory, without those within it that are groups themselves."""

    directory: str  # with "/", "" for the root
    chunks: int


def grouped(chunks: Mapping[str, int]) -> list[Group]:
    """Groups for paths with so many ``chunks`` each: what is in no other group first, then by name."""
    totals = _totals(chunks)
    left, taken = Counter(totals), [""]
    while len(taken) <= MOST:
        splitting = (one for one in left if _splits(one, taken, totals, left))
        best = max(splitting, key=lambda one: (left[one], one), default="")
        if not best or left[best] < LEAST_SHARE * totals[""]:
            break
        holder = _holder(best, taken)
        for above in _above(best):
            if above.startswith(holder):
                left[above] -= left[best]
        taken.append(best)
    return [Group(one, left[one]) for one in sorted(taken)]


def group_of(path: str, groups: list[Group]) -> int:
    """The index of the innermost of ``groups`` that holds ``path``."""
    holding = [place for place, group in enumerate(groups) if path.startswith(group.directory)]
    return max(holding, key=lambda place: len(groups[place].directory))


def _totals(chunks: Mapping[str, int]) -> Counter[str]:
    """Chunks under each directory, however deep."""
    totals = Counter({"": 0})
    for path, count in chunks.items():
        for directory in _above(path):
            totals[directory] += count
    return totals


def _above(path: str) -> Iterator[str]:
    """Every directory that holds ``path``, the root first."""
    yield ""
    at = path.find("/")
    while 0 <= at < len(path) - 1:
        yield path[: at + 1]
        at = path.find("/", at + 1)


def _splits(directory: str, taken: list[str], totals: Mapping[str, int], left: Mapping[str, int]) -> bool:
    """Whether a group of its own would say more than the group that it is in, and leave that one worth its colour."""
    holder = _holder(directory, taken)
    rest = left[holder] - left[directory]
    worth = not holder or rest == 0 or rest >= LEAST_SHARE * totals[""]
    return directory not in taken and totals[directory] < HOLDS_ALL * totals[holder] and worth


def _holder(directory: str, taken: list[str]) -> str:
    """The innermost of the ``taken`` directories that holds ``directory``."""
    return max((one for one in taken if directory.startswith(one)), key=len)
