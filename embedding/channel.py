"""How requests reach the service that answers them: Channel, and the one to a service in this very process."""

from __future__ import annotations

import time
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Protocol

from embedding.errors import EmbeddingTimeoutError
from embedding.service import EmbeddingService
from embedding.state import ServiceState
from embedding.wire import Frame

# The service ends what passes its deadline with a sentence of its own; this long is waited for that.
GRACE_S = 0.25
LATE = "The deadline passed before a process of the model was free; ask again with a longer timeout."


class Channel(Protocol):
    """A way to an embedding service. Thread-safe."""

    def ask(self, request: Frame, timeout_s: float | None = None) -> Frame:
        """The answer. Raises EmbeddingError, of the kind that fits."""
        ...

    def state(self) -> ServiceState | None:
        """How the service is; None where none runs. Starts nothing."""
        ...

    def close(self) -> None:
        """Ask no more; a service of this channel's own ends."""
        ...


class PrivateChannel:
    """To a service that runs in this process, for it alone."""

    def __init__(self, service: EmbeddingService) -> None:
        self.service = service

    def ask(self, request: Frame, timeout_s: float | None = None) -> Frame:
        """See Channel."""
        job = self.service.ask(self, request, timeout_s)
        try:
            return job.answer.result(None if timeout_s is None else timeout_s + GRACE_S)
        except FutureTimeoutError:
            job.answer.cancel()
            raise EmbeddingTimeoutError(LATE) from None

    def state(self) -> ServiceState:
        """See Channel."""
        return self.service.state()

    def close(self) -> None:
        """End the service."""
        self.service.close()


def remaining(deadline: float) -> float | None:
    """Seconds until ``deadline`` of time.monotonic, not below 0; None where it is infinite."""
    return None if deadline == float("inf") else max(0.0, deadline - time.monotonic())
