"""Tuner: how a service runs its model. Found once, before documents are begun; queries are answered meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from embedding.child.trial import Start, tuned, worth_trying
from embedding.child.tuning import Tuning, remembered
from embedding.errors import EmbeddingError
from embedding.model_run import ModelRun, usable_cores
from embedding.process import Child
from embedding.wire import Load

_log = logging.getLogger(__name__)

# Of all children together: each has a repacked copy of its own, while the mapped weights stay beside them. A model of
# 4.4 GB is not tried so: its copies would be what a machine has no memory for.
_MOST_REPACKED_BYTES = 3 << 30


class Tuner:
    """Thread-safe. What is remembered of the model is taken at once, else it is tried, where that may gain anything."""

    def __init__(self, run: ModelRun, start: Start, over: Callable[[bool], object]) -> None:
        """``start`` starts a child, or raises an EmbeddingError.

        ``over`` is called when documents may be begun, with whether the tuning is another now.
        """
        self._run = run
        self._start = start
        self._over = over
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._child: Child | None = None  # on trial
        self._stopped = False
        self._settled = False
        self._tuning = remembered(run.path, usable_cores()) or run.default_tuning

    @property
    def tuning(self) -> Tuning:
        """As far as is known now."""
        return self._tuning

    @property
    def why(self) -> str:
        """Why documents wait; "" where they need not, or nobody has asked."""
        waits = self._thread is not None and not self._settled
        return "the model is being tried in several ways, once, to find the quickest on this machine" if waits else ""

    @property
    def child(self) -> Child | None:
        """The one on trial, for those who count memory."""
        return self._child

    def settled(self) -> bool:
        """Whether documents may be begun; where not, it is seen to, and ``over`` says when."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._settle, name="tuning", daemon=True)
                self._thread.start()
            return self._settled

    def _settle(self) -> None:
        before = self._tuning
        try:
            if worth_trying(self._run.path):
                load = self._run.for_documents(before)
                self._tuning = tuned(load, usable_cores(), before, self._may_repack, self._started)
        except EmbeddingError as error:  # what is wrong with the model is told by whoever runs it for real
            _log.info("The tuning of %s was not found: %s", self._run.path, error)
        finally:
            self._child = None
            self._settled = True
            self._over(self._tuning != before)

    def _may_repack(self, private_bytes: int) -> bool:
        """Whether all children could have copies; memory for one of them is asked for where it is started."""
        return private_bytes * self._run.most_children <= _MOST_REPACKED_BYTES

    def _started(self, load: Load) -> Child:
        child = self._start(load)
        with self._lock:
            self._child = child
            if self._stopped:
                child.kill()
        return child

    def stop(self) -> None:
        """End a trial that is under way; what is known by then must do."""
        with self._lock:
            if self._thread is not None and not self._settled:
                self._stopped = True
                if self._child is not None:
                    self._child.kill()
