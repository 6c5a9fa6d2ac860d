"""In which order files get their vectors; pure.

What was asked for comes first (indexer/refine.py knows of it); then what was changed lately, by hand; then what many
other files import; then the rest, by path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

# What was written within a fortnight is what its author asks about. A month's files would be most of an active project.
RECENT_S = 14 * 86_400
# A clone, a switch of branches or a formatter writes many files within a minute; a hand does not write a hundredth of a
# repository. Times of such a minute say nothing of what is being worked on.
_TOGETHER_S = 60
_FEWEST_TOGETHER = 20
_SHARE_TOGETHER = 0.01

_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Known:
    """What the order is made from: the time each file of the index was written, how central it is, and the time now."""

    written_ns: Mapping[str, int]
    links: Mapping[str, float]  # 0 to 1 (storage/ranking/links.py)
    now_ns: int


def embedding_order(paths: Collection[str], known: Known) -> list[str]:
    """``paths``, those first whose vectors will serve first."""
    recent = changed_by_hand(known.written_ns, known.now_ns)

    def place(path: str) -> tuple[int, float, str]:
        return -recent.get(path, 0), -known.links.get(path, 0.0), path

    return sorted(paths, key=place)


def changed_by_hand(written_ns: Mapping[str, int], now_ns: int) -> dict[str, int]:
    """The files written within RECENT_S, with their times, but for those written together with many others."""
    since = now_ns - RECENT_S * _NS
    minutes = Counter(written // (_TOGETHER_S * _NS) for written in written_ns.values())
    many = max(_FEWEST_TOGETHER, _SHARE_TOGETHER * len(written_ns))
    return {
        path: written
        for path, written in written_ns.items()
        if since <= written <= now_ns and minutes[written // (_TOGETHER_S * _NS)] <= many
    }
