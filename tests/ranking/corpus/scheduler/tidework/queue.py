"""The queue: jobs go in by enqueue, come out by claim."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from tidework.db import ConnectionPool, transaction
from tidework.models import Job, JobStatus

CLAIM = """
    UPDATE jobs SET status = 'running', locked_by = %(worker)s, attempts = attempts + 1
    WHERE id IN (SELECT id FROM jobs WHERE queue = ANY(%(queues)s) AND status = 'ready' AND run_at <= now()
                 ORDER BY run_at LIMIT %(count)s FOR UPDATE SKIP LOCKED)
    RETURNING *
"""


class UnknownQueueError(ValueError):
    """A queue that is not configured."""


class JobQueue:
    """Jobs of some queues in one database."""

    def __init__(self, pool: ConnectionPool, known: Collection[str]) -> None:
        self._pool = pool
        self._known = frozenset(known)

    def enqueue(self, queue: str, handler: str, payload: dict[str, Any], delay: timedelta = timedelta()) -> int:
        """Put a job at the end of a queue; returns its id. It runs no earlier than ``delay`` from now."""
        if queue not in self._known:
            raise UnknownQueueError(f"unknown queue {queue!r}; configured are {sorted(self._known)}")
        run_at = datetime.now(UTC) + delay
        with transaction(self._pool) as cursor:
            cursor.execute(
                "INSERT INTO jobs (queue, handler, payload, run_at) VALUES (%s, %s, %s, %s) RETURNING id",
                (queue, handler, json.dumps(payload), run_at),
            )
            return int(cursor.fetchone()["id"])

    def claim(self, worker: str, count: int) -> list[Job]:
        """Take up to ``count`` jobs that are due, so that no other worker gets them."""
        with transaction(self._pool) as cursor:
            cursor.execute(CLAIM, {"worker": worker, "queues": sorted(self._known), "count": count})
            return [Job.from_row(row) for row in cursor.fetchall()]

    def finish(self, job: Job, status: JobStatus, error: str = "") -> None:
        """Write down how a job ended."""
        with transaction(self._pool) as cursor:
            cursor.execute("UPDATE jobs SET status = %s, last_error = %s WHERE id = %s", (status, error, job.id))

    def release(self, job: Job, delay: timedelta) -> None:
        """Give a claimed job back, to be claimed again after ``delay``."""
        with transaction(self._pool) as cursor:
            cursor.execute(
                "UPDATE jobs SET status = 'ready', locked_by = NULL, run_at = now() + %s WHERE id = %s",
                (delay, job.id),
            )

    def dead_letters(self, limit: int = 100) -> list[Job]:
        """Jobs that were given up, the latest first."""
        with transaction(self._pool) as cursor:
            cursor.execute("SELECT * FROM jobs WHERE status = 'dead' ORDER BY id DESC LIMIT %s", (limit,))
            return [Job.from_row(row) for row in cursor.fetchall()]
