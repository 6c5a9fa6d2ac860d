"""What a job is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class JobStatus(StrEnum):
    """Where a job is in its life."""

    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DEAD = "dead"


@dataclass(frozen=True)
class Job:
    """One row of the queue."""

    id: int
    queue: str
    handler: str
    run_at: datetime
    payload: dict[str, Any] = field(default_factory=dict)
    status: JobStatus = JobStatus.READY
    attempts: int = 0
    last_error: str = ""

    @property
    def is_finished(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.status in (JobStatus.DONE, JobStatus.DEAD)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Job:
        """A job from a database row; columns this version does not know are left out."""
        known = {name: row[name] for name in cls.__dataclass_fields__ if name in row}
        return cls(**known | {"status": JobStatus(known.get("status", "ready"))})
