"""Channel: how requests reach the service that answers them, in this process or in another (finding.py)."""

from __future__ import annotations

import time
from typing import Protocol

from embedding.shared.state import ServiceState
from embedding.wire import Frame


class Channel(Protocol):
    """A way to an embedding service. Thread-safe."""

    def ask(self, request: Frame, timeout_s: float | None = None) -> Frame:
        """The answer. Raises EmbeddingError, of the kind that fits."""
        ...

    def state(self) -> ServiceState | None:
        """How the service is; None where none runs. Starts nothing.

        Raises EmbeddingError where it runs and does not answer.
        """
        ...

    def close(self) -> None:
        """Ask no more; a service of this channel's own ends."""
        ...


def remaining(deadline: float) -> float | None:
    """Seconds until ``deadline`` of time.monotonic, not below 0; None where it is infinite."""
    return None if deadline == float("inf") else max(0.0, deadline - time.monotonic())
