"""EmbeddingService: one model at work for many clients.

Queries go first: they have a child of their own, and while it works the document children stand still. Documents wait
in one bounded queue that is fair between clients, and are embedded by as many single-thread children as the governor
allows. What fails again and again is left alone. shared/serving.py puts it behind a socket, local.py runs it in
a process of its caller's.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

from embedding.child.tuner import Tuner
from embedding.errors import (
    EmbeddingError,
    EmbeddingTimeoutError,
    MemoryShortError,
    ModelLeftAloneError,
)
from embedding.governor import Decision
from embedding.lanes.backlog import Backlog
from embedding.lanes.governing import Governing, Read
from embedding.lanes.kept_breaker import KeptBreaker
from embedding.lanes.lane import ChildTakenError, Job, Lane, Unsettled
from embedding.lanes.lanes import Lanes, close
from embedding.lanes.remembered import RememberedVectors
from embedding.machine.page_cache import let_go
from embedding.model_run import ModelRun
from embedding.pressure import Gauge
from embedding.process import Child
from embedding.shared.state import ServiceState
from embedding.wire import Frame, Load

Clock = Callable[[], float]

_log = logging.getLogger(__name__)

_FIRST_BYTES_PER_S = 1_000.0
_CLOSED = "The embedder is closed; open another."
_LATE = "The deadline passed before a process of the model was free; ask again with a longer timeout."


@dataclass(slots=True)
class _Counts:
    """What was done since the start."""

    queries: int = 0
    documents: int = 0
    tokens: int = 0
    failures: int = 0
    bytes: int = 0  # of documents
    seconds: float = 0.0  # of children at work on them


class EmbeddingService:
    """Thread-safe. Children start when needed, and end when idle, when memory is short, and with ``close``."""

    def __init__(
        self,
        run: ModelRun,
        breaker: KeptBreaker | None = None,
        own: Sequence[int] = (),
        read: Read | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        """Make ready; no child and no thread is started before the first request.

        ``own`` are the ids of processes that count as the model's beside its children; ``read`` tells of memory.
        """
        self._run = run
        self._breaker = breaker or KeptBreaker()
        self._clock = clock
        self._began = clock()
        self._changed = threading.Condition()
        self._backlog = Backlog()
        self._lanes = Lanes(self, run.most_children)
        self._tuner = Tuner(run, lambda load: Child(self._governing.permitted(load, 1)), self._tuned)
        self._governing = Governing(run, lambda: [*own, *self.pids()], self._tend, read or Gauge().read)
        self._remembered = RememberedVectors(self._governing.decision.cache_bytes)
        self._counts = _Counts()
        self._begun = self._closed = False
        self._has_left = False  # for want of memory

    # For clients

    def ask(self, client: Hashable, request: Frame, timeout_s: float | None = None) -> Job:
        """Take up a request for vectors; its ``answer`` is a future of a frame, or of an EmbeddingError.

        Raises BusyError where too much waits, ModelLeftAloneError while the model is left alone, EmbeddingError once
        the service is closed.
        """
        job = Job(client, request, math.inf if timeout_s is None else self._clock() + timeout_s)
        with self._changed:
            self._begin()
            if self._breaker.is_resting():
                raise ModelLeftAloneError(self._breaker.sentence())
            if not job.is_query:
                self._backlog.put_document(job, self._bytes_per_s())
            elif (known := self._remembered.find(job.key)) is not None:
                self._counts.queries += 1
                job.succeed(Frame({"count": len(request.header["sizes"]), "tokens": 0}, known))
            else:
                self._backlog.put_query(job)
            self._changed.notify_all()
        return job

    def _begin(self) -> None:
        if self._closed:
            raise EmbeddingError(_CLOSED)
        if not self._begun:
            self._begun = True
            self._lanes.begin()
            self._governing.begin()

    def _bytes_per_s(self) -> float:
        """What all children together do of documents; a guess before the first."""
        counts = self._counts
        return len(self._lanes.documents) * counts.bytes / counts.seconds if counts.seconds else _FIRST_BYTES_PER_S

    def drop(self, client: Hashable) -> None:
        """Forget what a client has waiting: it has gone. What is at work for it ends unheard."""
        with self._changed:
            waiting = self._backlog.drop(client)
        for job in waiting:
            job.answer.cancel()

    def withdraw(self, job: Job) -> None:
        """Nobody wants the answer of ``job`` any more: it need not wait, and takes no room from others."""
        job.answer.cancel()
        with self._changed:
            self._backlog.remove(job)

    def reset(self) -> None:
        """Try the model again at once, whatever it did before."""
        self._breaker.reset()

    @property
    def closed(self) -> bool:
        """Whether nothing more is done."""
        return self._closed

    @property
    def working(self) -> bool:
        """Whether anything is asked that is not answered."""
        with self._changed:
            return bool(self._backlog) or self._lanes.busy

    def pids(self) -> list[int]:
        """Process ids of the children that run now, for those who measure memory."""
        trial = self._tuner.child
        return [*self._lanes.pids(), *([trial.pid] if trial is not None else [])]

    def state(self, clients: int = 1) -> ServiceState:
        """How it is just now."""
        reading, decision = self._governing.look()
        with self._changed:
            waiting, counts = len(self._backlog), replace(self._counts)
        return ServiceState(
            pid=os.getpid(),
            model=self._run.name,
            clients=clients,
            children=len(self.pids()),
            children_allowed=self._allowed(decision),
            level=str(decision.level),
            why=decision.why,
            paused=self._governing.paused or self._tuner.why,
            left_alone=self._breaker.sentence(),
            waiting=waiting,
            queries=counts.queries,
            documents=counts.documents,
            tokens=counts.tokens,
            restarts=counts.failures,
            private_bytes=reading.private_bytes,
            shared_bytes=reading.shared_bytes,
            budget_bytes=self._governing.budget_bytes,
            seconds=self._clock() - self._began,
        )

    def end_idle(self, idle_s: float) -> int:
        """End the children that had nothing to do for ``idle_s`` seconds; how many are left. Happens by itself."""
        with self._changed:
            children = self._lanes.give_up(self._lanes.idle_since(self._clock() - idle_s))
        close(children)
        return len(self.pids())

    def close(self) -> None:
        """End the children, also those at work; what waits fails, and so does what is asked later."""
        with self._changed:
            self._closed = True
            waiting = self._backlog.clear()
            self._changed.notify_all()
        for job in waiting:
            job.fail(EmbeddingError(_CLOSED))
        self._governing.close()
        self._tuner.stop()
        self._lanes.end()

    # For lanes (embedding/lanes/lane.py: Desk)

    def order(self, lane: Lane) -> Job | None:
        """What ``lane`` does next; waits for it. None: nothing any more."""
        job = self._ordered(lane, wait=False)
        if job is None:
            if lane is self._lanes.asker:  # also where queries did wait, and are wanted no more
                self._lanes.hold(held=False)
            job = self._ordered(lane, wait=True)
        if job is not None:
            if lane is self._lanes.asker:
                self._lanes.hold(held=True)
            else:
                self._lanes.follow(lane)
        return job

    def _ordered(self, lane: Lane, *, wait: bool) -> Job | None:
        with self._changed:
            lane.busy = False
            lane.idle_since = self._clock()
            while not self._closed:
                if (job := self._next(lane)) is not None:
                    lane.busy = True
                    lane.taken += 1
                    return job
                if not wait:
                    return None
                self._changed.wait()
        return None

    def _next(self, lane: Lane) -> Job | None:
        """The next job that is still wanted, and may be done."""
        while (job := self._backlog.take_query() if lane is self._lanes.asker else self._document(lane)) is not None:
            if job.answer.done():
                continue
            if self._clock() >= job.deadline:
                job.fail(EmbeddingTimeoutError(_LATE))
            elif not self._breaker.may_try():
                job.fail(ModelLeftAloneError(self._breaker.sentence()))
            else:
                return job
        return None

    def _document(self, lane: Lane) -> Job | None:
        """Children that work already come first: a further one starts where there is more than they can take."""
        if lane.number >= self._allowed(self._governing.decision) or lane.refused:
            return None
        if self._backlog.documents <= self._lanes.idle_before(lane) or not self._tuner.settled():
            return None
        return self._backlog.take_document()

    def _allowed(self, decision: Decision) -> int:
        return 0 if decision.paused else min(decision.children, len(self._lanes.documents))

    def load(self, lane: Lane) -> Load:
        """How to start a child now. Raises MemoryShortError, and what reading the model's file does."""
        try:
            if lane is self._lanes.asker:
                return self._governing.permitted(self._run.for_queries(self._tuner.tuning), children=0)
            children = 1 + sum(other.child is not None for other in self._lanes.documents)
            return self._governing.permitted(self._run.for_documents(self._tuner.tuning), children)
        except EmbeddingError:
            self._breaker.withdrawn()
            raise

    def started(self, lane: Lane) -> None:
        """A child of ``lane`` is there."""
        self._lanes.follow(lane)

    def seconds_for(self, job: Job) -> float:
        """Until the deadline of ``job``."""
        return max(0.0, job.deadline - self._clock())

    def succeeded(self, job: Job, answer: Frame, seconds: float) -> None:
        """The child gave vectors, in so long."""
        self._breaker.succeeded()
        with self._changed:
            self._counts.tokens += answer.header["tokens"]
            if job.is_query:
                self._counts.queries += 1
                self._remembered.keep(job.key, answer.body)
            else:
                self._counts.documents += answer.header["count"]
                self._counts.bytes += len(job.request.body)
                self._counts.seconds += seconds

    def failed(self, why: str) -> None:
        """A child died, or answered nonsense."""
        self._counts.failures += 1
        self._breaker.failed(why)

    def unsettled(self, lane: Lane, job: Job, error: Unsettled) -> None:
        """``job`` came to nothing, and nothing is known of the model by that."""
        self._breaker.withdrawn()
        lane.refused = isinstance(error, MemoryShortError) and not job.is_query
        with self._changed:
            if self._closed:
                job.fail(EmbeddingError(_CLOSED))
            elif isinstance(error, ChildTakenError) or (lane.refused and getattr(error, "ever", False)):
                self._backlog.put_back(job)
            else:
                job.fail(error)

    def _tuned(self, changed: bool) -> None:
        """Documents may begin. A query child that runs otherwise goes, and comes back when it is asked."""
        with self._changed:
            children = self._lanes.give_up([self._lanes.asker] if changed else [])
            self._changed.notify_all()
        close(children)

    # For the governor (embedding/lanes/governing.py)

    def _tend(self, decision: Decision) -> None:
        """Do what was decided: called every second while children run, and when memory is short."""
        spare = self._lanes.all if decision.unload else self._lanes.documents[self._allowed(decision) :]
        with self._changed:
            self._remembered.limit(decision.cache_bytes)
            for lane in self._lanes.documents:
                lane.refused = False
            if not self._backlog.documents:
                self._governing.forget_refusal()
            children = self._lanes.give_up([*spare, *(lane for lane in self._lanes.all if lane.has_ended)])
            self._changed.notify_all()
        close(children)
        if decision.paused:  # one at work may hold its memory for minutes yet; what it works on is done again
            self._tuner.stop()
            for lane in spare:
                lane.kill()
        for why in self._lanes.end_hung():
            _log.warning("A process of %s was ended: %s.", self._run.name, why)
        self.end_idle(self._run.settings.idle_unload_s)
        self._leave(unload=decision.unload)

    def _leave(self, *, unload: bool) -> None:
        """Once the last child has gone for want of memory, have the model's file leave it too."""
        gone = unload and not self.pids()
        if gone and not self._has_left:
            let_go(self._run.path)
        self._has_left = gone
