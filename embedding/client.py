"""Embedders before an embedding service: ServiceEmbedder, and SharedEmbedder before the user's one."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

from embedding.child.batches import deal
from embedding.errors import BusyError, EmbeddingError, ModelFailedError, ModelInvalidError
from embedding.files.digest import remembered_sha256
from embedding.gguf import complete_spec, read_header
from embedding.model import ModelSpec
from embedding.model_run import ModelRun
from embedding.settings import MemorySettings, ModelSettings
from embedding.shared.channel import Channel, remaining
from embedding.shared.finding import SharedChannel
from embedding.shared.place import Place, place_of
from embedding.shared.state import ServiceState
from embedding.wire import Frame, Load, texts_frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# A request of so many characters (about 5,000 tokens) takes MiniLM half a second: small enough to spread over children
# and to stop, large enough to fill batches with texts of like length. A 7B model would take two minutes, and so long
# nobody else gets its child, or the memory of one too many; an eighth still fills its batches.
SLICE_CHARACTERS, LARGE_SLICE_CHARACTERS = 16_384, 2_048


class ServiceEmbedder:
    """An Embedder whose texts are embedded by a service, by way of ``channel``."""

    def __init__(self, run: ModelRun, spec: ModelSpec, fingerprint: str, channel: Channel) -> None:
        self._run = run
        self._spec = spec
        self._fingerprint = fingerprint
        self._channel = channel
        self._threads = ThreadPoolExecutor(run.most_children + 1, "embed")  # one waits while the others are at work
        self._closed = threading.Event()

    @property
    def spec(self) -> ModelSpec:
        """The model, completed by what its file says."""
        return self._spec

    @property
    def fingerprint(self) -> str:
        """Names everything that changes a vector: model file, pooling, window, dimension, prefixes."""
        return self._fingerprint

    @property
    def dim(self) -> int:
        """Components of each vector."""
        return self._spec.dim

    @property
    def min_similarity(self) -> float:
        """Cosine similarity under which a hit of this model is noise, 0 to 1."""
        return self._spec.min_similarity

    @property
    def parallel(self) -> int:
        """As many calls as there may be children."""
        return self._run.most_children

    def state(self) -> ServiceState | None:
        """How the service is; None where none runs. Raises EmbeddingError where it runs and does not answer."""
        return self._channel.state()

    def remembered(self, texts: Sequence[str]) -> dict[int, Vectors]:  # noqa: ARG002 - the contract's
        """Nothing: a model has no memory."""
        return {}

    def embed_documents(self, texts: Sequence[str], timeout_s: float | None = None) -> Vectors:
        """See Embedder. Texts are sent in slices of like length, a few at a time."""
        import numpy as np

        vectors = np.zeros((len(texts), self.dim), np.float32)
        deadline = _deadline(timeout_s)
        slices = deal(texts, LARGE_SLICE_CHARACTERS if self._run.is_large else SLICE_CHARACTERS)
        if len(slices) <= 1:
            for part in slices:
                vectors[part] = self._ask_patiently([texts[place] for place in part], deadline)
            return vectors
        futures = {self._submit([texts[place] for place in part], deadline): part for part in slices}
        for future, part in _finished(futures):
            vectors[part] = future.result()
        return vectors

    def _submit(self, texts: list[str], deadline: float) -> Future[Vectors]:
        try:
            return self._threads.submit(self._ask_patiently, texts, deadline)
        except RuntimeError:
            raise EmbeddingError("The embedder is closed; open another.") from None

    def _ask_patiently(self, texts: list[str], deadline: float) -> Vectors:
        """The vectors of documents; a service that is busy is asked again when it said, until the deadline."""
        while True:
            try:
                return self._ask("document", texts, deadline)
            except BusyError as busy:
                if time.monotonic() + busy.retry_after_s > deadline:
                    raise
                if self._closed.wait(busy.retry_after_s):
                    raise EmbeddingError("The embedder is closed; open another.") from busy

    def embed_query(self, text: str, timeout_s: float | None = None) -> Vectors:
        """See Embedder. Raises BusyError where too many wait."""
        vector: Vectors = self._ask("query", [text], _deadline(timeout_s))[0]
        return vector

    def _ask(self, kind: str, texts: list[str], deadline: float) -> Vectors:
        answer = self._channel.ask(texts_frame(kind, texts), remaining(deadline))
        return _vectors(answer, len(texts), self.dim)

    def close(self) -> None:
        """Ask no more; later calls raise EmbeddingError."""
        self._closed.set()
        self._channel.close()
        self._threads.shutdown(wait=True, cancel_futures=True)


class SharedEmbedder(ServiceEmbedder):
    """With the one service of this user and model, which is started where none runs."""

    def __init__(
        self, spec: ModelSpec, path: Path, settings: ModelSettings, memory: MemorySettings, data_dir: Path
    ) -> None:
        """Check the file; nothing is looked for or started before the first text.

        Raises ModelMissingError, ModelInvalidError.
        """
        run, spec, fingerprint = prepared(spec, path, settings, memory)
        self._shared = SharedChannel(run, place_of(data_dir, fingerprint))
        super().__init__(run, spec, fingerprint, self._shared)

    @property
    def place(self) -> Place:
        """Where the service is found."""
        return self._shared.place


def place_for(spec: ModelSpec, path: Path, data_dir: Path) -> Place:
    """Where the service of the model file at ``path`` is found, whether or not one runs.

    Raises ModelMissingError, ModelInvalidError.
    """
    path = path.absolute()
    return place_of(data_dir, _fingerprint(complete_spec(spec, read_header(path), path), path))


def prepared(
    spec: ModelSpec, path: Path, settings: ModelSettings, memory: MemorySettings
) -> tuple[ModelRun, ModelSpec, str]:
    """The model to run, its completed spec and its fingerprint."""
    path = path.absolute()
    spec = complete_spec(spec, read_header(path), path)
    return ModelRun(spec.name, _load(spec, path), settings, memory), spec, _fingerprint(spec, path)


def _finished(futures: dict[Future[Vectors], list[int]]) -> list[tuple[Future[Vectors], list[int]]]:
    """All of them, done; where one fails those not begun are taken back, and its error is raised."""
    done, unfinished = wait(futures, return_when=FIRST_EXCEPTION)
    for future in unfinished:
        future.cancel()
    for future in done:
        if not future.cancelled():
            future.result()
    if any(future.cancelled() for future in futures):
        raise EmbeddingError("The embedder was closed while it worked; open another.")
    return list(futures.items())


def _deadline(timeout_s: float | None) -> float:
    return math.inf if timeout_s is None else time.monotonic() + timeout_s


def _vectors(answer: Frame, count: int, dim: int) -> Vectors:
    import numpy as np

    if len(answer.body) != 4 * count * dim:
        raise ModelFailedError(
            f"The model's process returned {len(answer.body)} bytes for {count} vectors; report this."
        )
    return np.frombuffer(answer.body, "<f4").reshape(count, dim)


def _load(spec: ModelSpec, path: Path) -> Load:
    return Load(
        path=str(path),
        dim=spec.dim,
        pooling=str(spec.pooling),
        window=spec.window,
        add_eos=spec.add_eos,
        repack=spec.repack,
        threads=1,
        nice=0,
        query_prefix=spec.query_prefix,
        document_prefix=spec.document_prefix,
    )


def _fingerprint(spec: ModelSpec, path: Path) -> str:
    try:
        sha256 = remembered_sha256(path)
    except OSError as error:
        raise ModelInvalidError(f"The model file {path} cannot be read: {error.strerror}; mend that.") from error
    words = "\0".join((spec.query_prefix, spec.document_prefix, str(spec.add_eos)))
    prefixes = hashlib.sha256(words.encode()).hexdigest()[:8]
    return f"{spec.name}/{sha256[:16]}/{spec.pooling}/{spec.window}/{spec.dim}/{prefixes}"
