"""LocalEmbedder: an Embedder whose model runs in child processes of this one."""

from __future__ import annotations

import hashlib
import math
import os
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

from embedding.batches import deal
from embedding.digest import remembered_sha256
from embedding.errors import EmbeddingError, ModelFailedError, ModelInvalidError
from embedding.gguf import complete_spec, read_header
from embedding.model import ModelSpec
from embedding.pool import ChildPool
from embedding.settings import ModelSettings
from embedding.wire import Frame, Load, texts_frame

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# A request of this many characters (about 5,000 tokens) takes MiniLM half a second and a 7B model two minutes: small
# enough to spread over children and to stop, large enough to fill batches with texts of like length.
SLICE_CHARACTERS = 16_384
IDLE_S = 300.0  # after this long without work a child ends and its memory is free
_REAP_EVERY_S = 30.0
DOCUMENT_NICE = 5  # queries, and the user's own work, get about three times the share of a core
_QUERY_THREADS = 4  # more do not shorten a query of a few tokens
# MiniLM answers a query in 4 ms with one thread and in 3.5 with two on a quiet machine: nothing to gain, and on a busy
# one two threads wait for each other (seen, but not measured like for like). A model this large takes most of a
# second, and halves it with two.
_LARGE_FILE_BYTES = 500_000_000
_SLOWEST_CHARACTERS_PER_S = 20.0  # under a 7B model on one loaded core; slower than this is taken for hung
_START_PATIENCE_S = 120.0


class LocalEmbedder:
    """Runs one model: single-thread children share the documents, and one child of its own answers queries.

    Single threads have no barriers to wait at, which is what collapses on a busy machine; the weights are mapped and
    so shared. A query never waits behind documents. Children start when needed and end after IDLE_S without work.
    """

    def __init__(self, spec: ModelSpec, path: Path, settings: ModelSettings) -> None:
        """Check the file and make ready; no child starts yet.

        Raises ModelMissingError, ModelInvalidError.
        """
        path = path.absolute()
        self._spec = complete_spec(spec, read_header(path), path)
        self._fingerprint = _fingerprint(self._spec, path)
        cores = usable_cores()
        processes = settings.processes or cores
        self._documents = ChildPool(_load(self._spec, path, threads=1, nice=DOCUMENT_NICE), processes)
        threads = settings.query_threads or query_threads(path.stat().st_size, cores)
        self._queries = ChildPool(_load(self._spec, path, threads=threads, nice=0), 1)
        self._threads = ThreadPoolExecutor(processes, "embed")
        self._closed = threading.Event()
        self._reaper: threading.Thread | None = None
        self._reaper_lock = threading.Lock()

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
        return self._documents.limit

    def remembered(self, texts: Sequence[str]) -> dict[int, Vectors]:  # noqa: ARG002 - the contract's
        """Nothing: a model has no memory."""
        return {}

    def pids(self) -> list[int]:
        """Process ids of the children that run now, for those who measure memory."""
        return self._documents.pids() + self._queries.pids()

    def embed_documents(self, texts: Sequence[str], timeout_s: float | None = None) -> Vectors:
        """See Embedder. Texts are dealt to the children in slices of like length."""
        import numpy as np

        vectors = np.zeros((len(texts), self.dim), np.float32)
        deadline = _deadline(timeout_s)
        slices = deal(texts, SLICE_CHARACTERS)
        if len(slices) <= 1:
            for part in slices:
                vectors[part] = self._ask(self._documents, "document", [texts[place] for place in part], deadline)
            return vectors
        futures = {self._submit([texts[place] for place in part], deadline): part for part in slices}
        for future, part in _finished(futures):
            vectors[part] = future.result()
        return vectors

    def _submit(self, texts: list[str], deadline: float) -> Future[Vectors]:
        try:
            return self._threads.submit(self._ask, self._documents, "document", texts, deadline)
        except RuntimeError:
            raise EmbeddingError("The embedder is closed; open another.") from None

    def embed_query(self, text: str, timeout_s: float | None = None) -> Vectors:
        """See Embedder."""
        vector: Vectors = self._ask(self._queries, "query", [text], _deadline(timeout_s))[0]
        return vector

    def _ask(self, pool: ChildPool, kind: str, texts: list[str], deadline: float) -> Vectors:
        self._keep_reaping()
        characters = sum(map(len, texts))
        patience = _START_PATIENCE_S + characters / _SLOWEST_CHARACTERS_PER_S
        return _vectors(pool.ask(texts_frame(kind, texts), deadline, patience), len(texts), self.dim)

    def end_idle(self, idle_s: float = IDLE_S) -> int:
        """End the children idle for ``idle_s`` seconds; how many are left. Happens by itself."""
        return self._documents.end_idle(idle_s) + self._queries.end_idle(idle_s)

    def _keep_reaping(self) -> None:
        with self._reaper_lock:
            if self._reaper is None and not self._closed.is_set():
                self._reaper = threading.Thread(target=self._reap, name="embedding idle", daemon=True)
                self._reaper.start()

    def _reap(self) -> None:
        while not self._closed.wait(_REAP_EVERY_S):
            self.end_idle()

    def close(self) -> None:
        """End the children; later calls raise EmbeddingError."""
        self._closed.set()
        self._documents.close()
        self._queries.close()
        self._threads.shutdown(wait=True, cancel_futures=True)


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


def query_threads(file_bytes: int, cores: int) -> int:
    """Threads for one query of a model whose file has that many bytes: one where it is small."""
    return min(cores, _QUERY_THREADS) if file_bytes > _LARGE_FILE_BYTES else 1


def usable_cores() -> int:
    """Cores this process may run on, at least 1."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _deadline(timeout_s: float | None) -> float:
    return math.inf if timeout_s is None else time.monotonic() + timeout_s


def _vectors(answer: Frame, count: int, dim: int) -> Vectors:
    import numpy as np

    if len(answer.body) != 4 * count * dim:
        raise ModelFailedError(
            f"The model's process returned {len(answer.body)} bytes for {count} vectors; report this."
        )
    return np.frombuffer(answer.body, "<f4").reshape(count, dim)


def _load(spec: ModelSpec, path: Path, *, threads: int, nice: int) -> Load:
    return Load(
        path=str(path),
        dim=spec.dim,
        pooling=str(spec.pooling),
        window=spec.window,
        add_eos=spec.add_eos,
        repack=spec.repack,
        threads=threads,
        nice=nice,
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
