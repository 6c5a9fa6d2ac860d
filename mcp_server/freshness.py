"""How current and how complete an answer is: said in every one, in words and in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

State = Literal["current", "indexing", "stale", "empty"]
_WORST_FIRST: tuple[State, ...] = ("empty", "indexing", "stale", "current")


@dataclass(frozen=True, slots=True)
class Freshness:
    """The index against the directory as it was when the answer was made."""

    state: State
    files: int  # searchable
    files_expected: int  # as many as the directory has, as far as known
    chunks: int
    vectors: int
    sketches: int = 0
    changed_files: int = 0  # changed, new or gone since they were indexed
    notes: tuple[str, ...] = ()
    branch: str = ""  # what git has checked out in the directory, a commit's first letters without one; "" without git

    @property
    def text_share(self) -> float:
        """Share of the directory's files whose text is searchable, 0 to 1."""
        return self._share(self.files, self.files_expected)

    @property
    def sketch_share(self) -> float:
        """Share of the chunks that have a sketch, 0 to 1."""
        return self._share(self.sketches, self.chunks) if self.chunks else self.text_share

    @property
    def vector_share(self) -> float:
        """Share of the chunks that have a vector, 0 to 1."""
        return self._share(self.vectors, self.chunks) if self.chunks else self.text_share

    def _share(self, part: int, whole: int) -> float:
        """Of nothing all is there, but only where it is known that there is nothing."""
        return min(1.0, part / whole) if whole else float(self.state == "current")

    def as_json(self) -> dict[str, Any]:
        """For ``structuredContent`` and ``--json``."""
        return {
            "state": self.state,
            "text": round(self.text_share, 4),
            "sketch": round(self.sketch_share, 4),
            "vectors": round(self.vector_share, 4),
            "files": self.files,
            "changed_files": self.changed_files,
            "branch": self.branch,
            "notes": list(self.notes),
        }

    def sentence(self) -> str:
        """One line for a reader."""
        tiers = {"text": self.text_share, "sketch": self.sketch_share, "vectors": self.vector_share}
        parts = [f"{self.state}; " + ", ".join(f"{tier} {percent(share)}" for tier, share in tiers.items())]
        if self.changed_files:
            doing = "being indexed" if self.state == "indexing" else "not indexed yet"
            parts.append(f"{counted(self.changed_files, 'file')} changed since, {doing}")
        return "; ".join([*parts, *self.notes])


def combine(several: Sequence[Freshness]) -> Freshness:
    """One statement for an answer from several roots: sums, and the worst state."""
    if len(several) == 1:
        return several[0]
    states, branches = {one.state for one in several}, {one.branch for one in several}
    return Freshness(
        state=next((state for state in _WORST_FIRST if state in states), "empty"),
        files=sum(one.files for one in several),
        files_expected=sum(one.files_expected for one in several),
        chunks=sum(one.chunks for one in several),
        vectors=sum(one.vectors for one in several),
        sketches=sum(one.sketches for one in several),
        changed_files=sum(one.changed_files for one in several),
        notes=tuple(dict.fromkeys(note for one in several for note in one.notes)),
        branch=branches.pop() if len(branches) == 1 else "",
    )


def percent(share: float) -> str:
    """Whole per cent, rounded down: 100 % means all of it."""
    return f"{int(share * 100)} %"


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 file``, ``2 files``, ``1,200 files``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
