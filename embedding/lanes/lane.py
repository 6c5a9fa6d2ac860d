"""A lane: one thread and the one child of the model that it keeps at work."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Hashable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from embedding.errors import EmbeddingError, EmbeddingTimeoutError, MemoryShortError, ModelFailedError
from embedding.process import Child, ChildDiedError
from embedding.wire import Frame, Load

_log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Job:
    """One request of one client, to be answered once."""

    client: Hashable
    request: Frame
    deadline: float  # on the service's clock; infinity for none
    answer: Future[Frame] = field(default_factory=Future)

    @property
    def is_query(self) -> bool:
        """Whether it goes before all documents."""
        return bool(self.request.header["embed"] == "query")

    @property
    def key(self) -> bytes:
        """What it asks, as bytes: equal ones have equal answers."""
        return f"{self.request.header['sizes']}".encode() + self.request.body

    @property
    def bytes(self) -> int:
        """What it holds in memory, about."""
        return len(self.request.body) + 64

    def succeed(self, answer: Frame) -> None:
        """Answer it, unless that was done, or given up."""
        with suppress(InvalidStateError):
            self.answer.set_result(answer)

    def fail(self, error: EmbeddingError) -> None:
        """Say why there is no answer."""
        with suppress(InvalidStateError):
            self.answer.set_exception(error)


class ChildTakenError(EmbeddingError):
    """The child was ended on purpose, for want of memory or at the end; nothing is wrong with the model."""


Unsettled = ChildTakenError | EmbeddingTimeoutError | MemoryShortError  # they say nothing of the model


class Desk(Protocol):
    """Who gives the lanes their work; embedding/service.py is."""

    def order(self, lane: Lane) -> Job | None:
        """What is next; waits for it. None: the lane ends."""
        ...

    def load(self, lane: Lane) -> Load:
        """How to start a child now. Raises EmbeddingError where none may be started."""
        ...

    def started(self, lane: Lane) -> None:
        """A child is there, and nothing was asked of it yet."""
        ...

    def seconds_for(self, job: Job) -> float:
        """Until the job's deadline."""
        ...

    def succeeded(self, job: Job, answer: Frame, seconds: float) -> None:
        """The child gave vectors, in so long."""
        ...

    def failed(self, why: str) -> None:
        """A child died, or answered nonsense."""
        ...

    def unsettled(self, lane: Lane, job: Job, error: Unsettled) -> None:
        """No answer, for a reason that says nothing of the model: time, memory, or the child was taken away."""
        ...


class Lane:
    """Works until its desk gives it nothing more. What ends its child from outside is ``kill`` and ``give_up``.

    ``busy``, ``idle_since``, ``taken`` (jobs so far) and ``refused`` (no child may be started for want of memory) are
    the desk's.
    """

    def __init__(self, desk: Desk, number: int, name: str) -> None:
        self.number = number
        self.busy = False
        self.taken = 0
        self.idle_since = 0.0
        self.refused = False
        self._desk = desk
        self._child: Child | None = None
        self._killed: Child | None = None  # on purpose: its death is no failure of the model
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"{name} {number}", daemon=True)

    @property
    def child(self) -> Child | None:
        """The child that runs now."""
        return self._child

    @property
    def has_ended(self) -> bool:
        """Whether there is a child that runs no more."""
        child = self._child
        return child is not None and not child.is_alive

    def begin(self) -> None:
        """Start working."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the end, once the desk has said it."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def kill(self) -> None:
        """End the child now, also at work: the job is then the desk's again."""
        with self._lock:
            if self._child is not None:
                self._killed = self._child
                self._child.kill()

    def give_up(self) -> Child | None:
        """Part with the child, which has nothing to do; whoever takes it closes it."""
        with self._lock:
            child, self._child = self._child, None
            return child

    def _run(self) -> None:
        while (job := self._desk.order(self)) is not None:
            try:
                self._work(job)
            except BaseException as bug:
                job.fail(ModelFailedError(f"The embedding service failed ({bug!r}); report this."))
                raise
        if (child := self.give_up()) is not None:
            child.kill()

    def _work(self, job: Job) -> None:
        began = time.monotonic()
        try:
            answer = self._answered(job)
        except (ChildTakenError, EmbeddingTimeoutError, MemoryShortError) as error:
            self._desk.unsettled(self, job, error)
        except EmbeddingError as error:
            job.fail(error)
        else:
            self._desk.succeeded(job, answer, time.monotonic() - began)
            job.succeed(answer)

    def _answered(self, job: Job) -> Frame:
        """A child that dies is replaced and asked once more; where that dies too the job has failed."""
        try:
            return self._once(job)
        except ChildDiedError as death:
            _log.warning("%s; it is asked once more in a new one.", death)
            first = death
        try:
            return self._once(job)
        except ChildDiedError as death:
            raise ModelFailedError(
                f"{death}, after: {first}. The request failed twice and was given up; "
                "run 'codeloupe doctor', fetch the model again or choose another."
            ) from death

    def _once(self, job: Job) -> Frame:
        child = self._at_hand() or self._started()
        left_s = self._desk.seconds_for(job)
        if left_s <= 0:  # the child, which took so long to load, stays for the next
            raise EmbeddingTimeoutError("The deadline passed while the model was loaded; ask again.")
        try:
            return _answer(child, job.request, left_s)
        except ChildDiedError as death:
            self._drop(child)
            if self._killed is child:
                raise ChildTakenError("The process of the model was ended on purpose.") from death
            self._desk.failed(str(death))
            raise
        except EmbeddingTimeoutError:
            self._drop(child)
            raise

    def _at_hand(self) -> Child | None:
        """The child, unless it ended while nothing was asked of it: that says nothing of the model."""
        child = self._child
        if child is None or child.is_alive:
            return child
        _log.warning("The idle process %d of the model has ended; another takes its place.", child.pid)
        self._drop(child)
        return None

    def _started(self) -> Child:
        load = self._desk.load(self)
        try:
            child = Child(load)
        except EmbeddingError as error:
            self._desk.failed(str(error))
            raise
        with self._lock:
            self._child = child
        self._desk.started(self)
        return child

    def _drop(self, child: Child) -> None:
        child.kill()
        with self._lock:
            self._child = None


def _answer(child: Child, request: Frame, timeout_s: float) -> Frame:
    answer = child.ask(request, timeout_s)
    if "error" in answer.header:
        raise ChildDiedError(f"The model {child.path} failed: {answer.header['error']}")
    return answer
