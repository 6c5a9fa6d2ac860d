"""Backlog: what waits for a child of the model, bounded. No threads: the service locks it."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from contextlib import suppress

from embedding.errors import BusyError
from embedding.lanes.fair import FairQueue
from embedding.lanes.lane import Job

# In bytes of text: a client's refiner has a piece a child under way, 16 KiB each at most, and an embed tool's call some
# MB. Beyond that a client is told to come back.
CLIENT_BYTES, ALL_BYTES = 4 << 20, 16 << 20
MOST_QUERIES = 64  # each takes 4 ms to 2 s; who comes after so many would have given up before they are done
_LEAST_RETRY_S, _MOST_RETRY_S = 0.1, 30.0  # what a busy service asks for


class Backlog:
    """Queries in their order; documents in turns between clients."""

    def __init__(self) -> None:
        self._queries: deque[Job] = deque()
        self._documents: FairQueue[Job] = FairQueue(CLIENT_BYTES, ALL_BYTES)
        self._returned: deque[Job] = deque()  # documents taken before, to be done before all others

    def __len__(self) -> int:
        return len(self._queries) + self.documents

    @property
    def queries(self) -> int:
        """How many queries wait."""
        return len(self._queries)

    @property
    def documents(self) -> int:
        """How many requests for documents wait."""
        return len(self._documents) + len(self._returned)

    def put_query(self, job: Job) -> None:
        """Let it wait. Raises BusyError where MOST_QUERIES do."""
        if len(self._queries) >= MOST_QUERIES:
            raise BusyError(f"{MOST_QUERIES} queries wait for the model already; ask again in a second.")
        self._queries.append(job)

    def put_document(self, job: Job, bytes_per_s: float) -> None:
        """Let it wait. Raises BusyError where there is no room until about half of what waits is done."""
        if not self._documents.put(job.client, job, job.bytes):
            wait_s = self._documents.waiting_cost / 2 / max(1.0, bytes_per_s)
            raise BusyError(
                f"{self.documents} requests wait for the model already; ask again later.",
                min(max(wait_s, _LEAST_RETRY_S), _MOST_RETRY_S),
            )

    def take_query(self) -> Job | None:
        """The one that waited longest."""
        return self._queries.popleft() if self._queries else None

    def take_document(self) -> Job | None:
        """The next of the client that has had least."""
        return self._returned.popleft() if self._returned else self._documents.take()

    def put_back(self, job: Job) -> None:
        """It was taken, and could not be done; it is the next."""
        waiting = self._queries if job.is_query else self._returned
        waiting.appendleft(job)

    def remove(self, job: Job) -> None:
        """Forget one that waits, wherever it does."""
        if self._documents.remove(job):
            return
        for waiting in (self._queries, self._returned):
            with suppress(ValueError):
                waiting.remove(job)

    def drop(self, client: Hashable) -> list[Job]:
        """Forget what a client has waiting; it is returned for whoever hopes for it."""
        dropped = self._documents.drop(client)
        for waiting in (self._queries, self._returned):
            theirs = [job for job in waiting if job.client == client]
            for job in theirs:
                waiting.remove(job)
            dropped += theirs
        return dropped

    def clear(self) -> list[Job]:
        """Forget everything; it is returned."""
        jobs: list[Job] = []
        for take in (self.take_query, self.take_document):
            while (job := take()) is not None:
                jobs.append(job)
        return jobs
