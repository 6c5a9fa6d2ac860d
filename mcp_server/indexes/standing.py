"""How one root's index stands against its directory at one moment, and what an answer says of that. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mcp_server.freshness import Freshness, State
from mcp_server.indexes.drift import Drift
from mcp_server.indexes.indexing import REBUILD_REASONS
from mcp_server.indexes.job_view import JobView
from storage.fingerprint import IndexState
from storage.store import StoreStats

WORTH_SAYING_S = 2.0  # how old the last look at a directory that nobody listens to may be without a word


@dataclass(frozen=True, slots=True)
class Standing:
    """What is stored, what is being done about it, and what is known of the directory."""

    state: IndexState
    stats: StoreStats  # zeros where the index cannot be read
    view: JobView
    seen: Drift | None  # the last look at the directory
    pending: bool  # something was heard of it since
    listening: bool
    watch_error: str

    @property
    def level(self) -> bool:
        """Whether the index is known to have all that the directory has."""
        return self.seen is not None and not self.seen.changed and not self.pending

    def freshness(self) -> Freshness:
        """The figures of it, without its words."""
        stats, seen = self.stats, self.seen
        return Freshness(
            self._state(),
            stats.searchable_files,
            stats.searchable_files + (seen.new if seen else 0),
            stats.chunks,
            stats.vectors if self.state is not IndexState.STALE_MODEL else 0,
            stats.sketches if self.state is not IndexState.STALE_SKETCH else 0,
            seen.changed if seen else 0,
        )

    def _state(self) -> State:
        if not self.view.resting or self.pending:
            return "indexing"
        if self.stats.chunks == 0 and self.state is IndexState.MISSING:
            return "empty"
        if self.state is not IndexState.CURRENT or self.seen is None or self.seen.changed:
            return "stale"
        return "current"

    def notes(self, now: float, stalled: str) -> tuple[str, ...]:
        """What its figures do not say. ``now`` in monotonic seconds; ``stalled``: why vectors wait, "" where unsaid."""
        rebuilt = REBUILD_REASONS.get(self.state)
        notes = [
            f"the index is being rebuilt because {rebuilt}" if rebuilt else "",
            "the vectors are of another model and being made again" if self.state is IndexState.STALE_MODEL else "",
            self.view.error,
            self.view.busy,
            f"vectors wait: {stalled}" if stalled else "",
            self.watch_error,
            self._looked(now),
        ]
        return tuple(filter(None, notes))

    def _looked(self, now: float) -> str:
        """When the directory was looked at, where that is long ago or never, and nobody listens."""
        if self.seen is None:
            return "" if self.watch_error else "the directory is still being compared with the index"
        age_s = now - self.seen.at
        if self.listening or age_s <= WORTH_SAYING_S:
            return ""
        return f"the directory was compared with the index {age_s:.0f} s ago"
