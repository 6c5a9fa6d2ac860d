"""What an indexing job shows of itself at one moment, in values and words, and how an event changes it: no threads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from embedding.lanes.breaker import span_in_words
from mcp_server.freshness import counted, percent

# Embedding takes some nine tenths of a first run; tidying shows no progress of its own and comes twice.
PHASE_SHARES = {"walk": (0.0, 0.0), "text": (0.0, 0.1), "vectors": (0.1, 1.0)}
PHASES = {
    "starting": "starting",
    "walk": "looking for files",
    "text": "indexing text",
    "vectors": "embedding",
    "tidy": "tidying",
}


@dataclass(frozen=True, slots=True)
class JobView:
    """A job at one moment; ``number`` grows with every change."""

    number: int = 0
    phase: str = "starting"
    done: int = 0
    total: int = 0
    resting: bool = False  # nothing runs now
    runs: int = 0  # finished ones
    error: str = ""
    busy: str = ""  # another process writes the index
    summary: dict[str, Any] | None = None
    interrupted: bool = False  # the last run was ended before it was done, and nothing was begun since

    @property
    def share(self) -> float:
        """How far the run is, 0 to 1, by the time its phases take; never falls while a run goes on."""
        begin, end = PHASE_SHARES.get(self.phase, (0.0, 0.0))
        part = self.done / self.total if self.total else 0.0
        return begin + (end - begin) * min(part, 1.0)

    @property
    def takes_changes(self) -> bool:
        """Whether a refresh would begin at once: nothing runs, or what can wait; another writer is told."""
        return self.resting or bool(self.busy) or self.phase == "vectors"

    @property
    def stalled(self) -> str:
        """Why the last run made no more vectors, and when they are tried again by themselves; "" where it made all."""
        summary = self.summary or {}
        if not self.resting or self.interrupted or not summary.get("meaning_off"):
            return ""
        retry_s = summary.get("retry_after_s", 0.0)
        retried = f" Indexing tries again within {span_in_words(retry_s)}." if retry_s else ""
        return f"{summary['meaning_off']}{retried}"

    def has_text(self, runs: int) -> bool:
        """Whether the run after ``runs`` finished ones has published the text."""
        return self.resting or self.runs > runs or (self.runs == runs and self.phase in ("vectors", "tidy"))

    def sentence(self) -> str:
        """What is going on, in one line."""
        if self.error:
            return self.error
        if self.busy and not self.resting:
            return self.busy
        if self.resting and self.summary:
            return summary_sentence(self.summary)
        share = f" {percent(self.done / self.total)} ({self.done:,} of {self.total:,})" if self.total else ""
        return f"Indexing: {PHASES.get(self.phase, self.phase)}{share}."


def summary_sentence(summary: dict[str, Any]) -> str:
    """A finished run in one line."""
    skipped = sum(summary["skipped"].values())
    sizes = f"{counted(summary['files'], 'file')} in {counted(summary['chunks'], 'chunk')}"
    parts = [
        f"Indexed {sizes}, {summary['vectors']:,} with vectors",
        f"{counted(summary['read'], 'file')} read and {summary['removed']:,} removed in {summary['seconds']:.1f} s",
    ]
    if skipped:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(summary["skipped"].items()))
        parts.append(f"{skipped:,} skipped ({reasons})")
    if summary["rebuilt"]:
        parts.append(f"rebuilt because {summary['rebuilt']}")
    return "; ".join(parts) + "." + (f" {summary['meaning_off']}" if summary["meaning_off"] else "")


def after(view: JobView, event: dict[str, Any]) -> JobView:
    """The view that follows ``view`` when ``event`` comes in."""
    view = replace(view, number=view.number + 1)
    if "summary" in event:
        ended = replace(view, summary=event["summary"], runs=view.runs + 1, error="", busy="", phase="starting")
        return replace(ended, resting=event["summary"]["finished"])
    if "error" in event:
        return replace(view, error=event["error"], resting=True, runs=view.runs + 1, busy="")
    if "busy" in event:
        return replace(view, busy=event["busy"], resting=False)
    if "asked" in event:
        return replace(view, resting=False, error="", phase="starting", done=0, total=0, interrupted=False)
    if "ended" in event:
        waited = bool((view.summary or {}).get("retry_after_s"))  # for another try, which nobody makes now
        interrupted = view.interrupted or not view.resting or waited
        return replace(view, resting=True, busy="", error=event["ended"] or view.error, interrupted=interrupted)
    return replace(view, phase=event["phase"], done=event["done"], total=event["total"], resting=False, busy="")
