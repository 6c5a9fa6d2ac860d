"""Children lent one request at a time, started when needed, ended when idle."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from embedding.errors import EmbeddingError, EmbeddingTimeoutError, ModelFailedError
from embedding.process import Child, ChildDiedError
from embedding.wire import Frame, Load

_log = logging.getLogger(__name__)

Clock = Callable[[], float]


@dataclass(slots=True)
class _Idle:
    child: Child
    since: float


@dataclass(slots=True)
class ChildPool:
    """At most ``limit`` children of one model. Thread-safe; the child used last is lent first, so spares grow idle."""

    load: Load
    limit: int
    clock: Clock = time.monotonic
    _idle: list[_Idle] = field(default_factory=list)
    _lent: set[Child] = field(default_factory=set)
    _starting: int = 0
    _closed: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def ask(self, request: Frame, deadline: float, patience_s: float) -> Frame:
        """The answer of some child. One that dies is replaced and asked once more.

        ``deadline`` is the caller's, by ``clock``; ``patience_s`` is how long one child may take before it counts as
        hung. Raises EmbeddingTimeoutError past the deadline, ModelFailedError after the second failure.
        """
        try:
            return self._ask_one(request, deadline, patience_s)
        except ChildDiedError as death:
            _log.warning("%s; it is asked once more in a new one.", death)
            first = death
        try:
            return self._ask_one(request, deadline, patience_s)
        except ChildDiedError as death:
            raise ModelFailedError(
                f"{death}, after: {first}. The request failed twice and was given up; "
                "run 'codeloupe doctor', fetch the model again or choose another."
            ) from death

    def _ask_one(self, request: Frame, deadline: float, patience_s: float) -> Frame:
        with self._borrowed(deadline) as child:
            answer = child.ask(request, max(0.0, min(deadline - self.clock(), patience_s)))
            if "error" in answer.header:
                raise ChildDiedError(f"The model {self.load.path} failed: {answer.header['error']}")
            return answer

    @contextmanager
    def _borrowed(self, deadline: float) -> Iterator[Child]:
        child = self._take(deadline)
        try:
            yield child
        except BaseException:
            self._drop(child)
            raise
        self._put_back(child)

    def _take(self, deadline: float) -> Child:
        with self._changed:
            while not self._closed and self.clock() < deadline:
                if self._idle:
                    return self._lend(self._idle.pop().child)
                if len(self._lent) + self._starting < self.limit:
                    self._starting += 1
                    break
                self._changed.wait(_remaining(deadline - self.clock()))
            else:
                raise self._refusal()
        return self._start(deadline)

    def _refusal(self) -> EmbeddingError:
        if self._closed:
            return EmbeddingError("The embedder is closed; open another.")
        return EmbeddingTimeoutError(
            "The deadline passed before a process of the model was free; ask again with a longer timeout."
        )

    def _start(self, deadline: float) -> Child:
        child = None
        try:
            child = Child(self.load, timeout_s=_remaining(deadline - self.clock()))
        finally:
            with self._changed:
                self._starting -= 1
                if child is not None:
                    self._lend(child)
                self._changed.notify()
        if self._closed:  # closed while it started, when nobody could find it to kill it
            self._drop(child)
            raise self._refusal()
        return child

    def _lend(self, child: Child) -> Child:
        self._lent.add(child)
        return child

    def _drop(self, child: Child) -> None:
        child.kill()
        with self._changed:
            self._lent.discard(child)
            self._changed.notify()

    def _put_back(self, child: Child) -> None:
        with self._changed:
            self._lent.discard(child)
            if not self._closed:
                self._idle.append(_Idle(child, self.clock()))
                self._changed.notify()
                return
        child.kill()

    def pids(self) -> list[int]:
        """Process ids of the children that run now."""
        with self._changed:
            return [idle.child.pid for idle in self._idle] + [child.pid for child in self._lent]

    def end_idle(self, idle_s: float) -> int:
        """End the children that had nothing to do for ``idle_s`` seconds; how many are left."""
        now = self.clock()
        with self._changed:
            ended = [idle for idle in self._idle if now - idle.since >= idle_s]
            self._idle = [idle for idle in self._idle if now - idle.since < idle_s]
            left = len(self._idle) + len(self._lent) + self._starting
        for idle in ended:
            idle.child.close()
        return left

    def close(self) -> None:
        """End every child, also those at work; callers that wait get EmbeddingError."""
        with self._changed:
            self._closed = True
            children = [idle.child for idle in self._idle] + list(self._lent)
            self._idle = []
            self._changed.notify_all()
        for child in children:
            child.kill()


def _remaining(seconds: float) -> float | None:
    """What a wait understands: None for a deadline at infinity, else not below 0."""
    return None if seconds == float("inf") else max(0.0, seconds)
