"""LocalEmbedder: an Embedder with an embedding service of its own, in this process."""

from __future__ import annotations

from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path

from embedding.client import ServiceEmbedder, prepared
from embedding.errors import EmbeddingTimeoutError
from embedding.model import ModelSpec
from embedding.service import EmbeddingService
from embedding.settings import MemorySettings, ModelSettings
from embedding.shared.state import ServiceState
from embedding.wire import Frame

# The service ends what passes its deadline with a sentence of its own; this long is waited for that.
GRACE_S = 0.25
LATE = "The deadline passed before a process of the model was free; ask again with a longer timeout."


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
            self.service.withdraw(job)
            raise EmbeddingTimeoutError(LATE) from None

    def state(self) -> ServiceState:
        """See Channel."""
        return self.service.state()

    def close(self) -> None:
        """End the service."""
        self.service.close()


class LocalEmbedder(ServiceEmbedder):
    """With a service of its own, in this process. Children start when needed and end when idle."""

    def __init__(
        self, spec: ModelSpec, path: Path, settings: ModelSettings, memory: MemorySettings | None = None
    ) -> None:
        """Check the file and make ready; no child starts yet.

        Raises ModelMissingError, ModelInvalidError.
        """
        run, spec, fingerprint = prepared(spec, path, settings, memory or MemorySettings())
        self._service = EmbeddingService(run)
        super().__init__(run, spec, fingerprint, PrivateChannel(self._service))

    @property
    def service(self) -> EmbeddingService:
        """Its own."""
        return self._service

    def pids(self) -> list[int]:
        """Process ids of the children that run now, for those who measure memory."""
        return self._service.pids()

    def end_idle(self, idle_s: float) -> int:
        """End the children idle for ``idle_s`` seconds; how many are left. Happens by itself."""
        return self._service.end_idle(idle_s)
