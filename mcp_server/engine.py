"""The engine behind the tools and the commands: roots, their indexes, the model, and what is going on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from embedding.embedder import Embedder
from embedding.errors import EmbeddingError
from embedding.open import is_large
from mcp_server.answers.answer import Answer, Found
from mcp_server.asking import Asked, Asking
from mcp_server.errors import OutsideRootError, RequestError
from mcp_server.freshness import combine, counted
from mcp_server.home import data_directory
from mcp_server.indexes.jobs import Job
from mcp_server.indexes.root_index import RootIndex, StartJob
from mcp_server.indexes.starting import usual
from mcp_server.likeness import Example, find_example
from mcp_server.meaning import Meaning, open_meaning
from mcp_server.metrics import families
from mcp_server.metrics.figures import RootFigures
from mcp_server.metrics.meter import Meter
from mcp_server.metrics.wrappers import measured_meaning
from mcp_server.requests import SearchRequest
from mcp_server.served import look_at, uncached
from mcp_server.settings import Settings
from mcp_server.statuses import ModelStatus, Status
from storage.backends import preload
from storage.search import Mode, Query, Results

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embedding.shared.state import ServiceState

INCOMPLETE = (
    "the search was cut short by its time limit, so matches may be missing; narrow by paths or simplify the pattern"
)

MOST_NUMBERS = 400_000  # in one embed answer: 4 MB of JSON, sent as text and as structure; clients close at 10 MB

log = logging.getLogger(__name__)


class Engine:
    """Searches and indexes the allowed roots. Thread-safe; opens nothing until asked."""

    def __init__(
        self,
        roots: Sequence[Path],
        settings: Settings,
        start_job: StartJob | None = None,
        *,
        listening: bool = False,  # to changes in the roots, from their first use on: for a server
        meter: Meter | None = None,  # counts what this engine does
    ) -> None:
        self.settings = settings
        self.meter = meter or Meter()
        self._listening = listening
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="meaning")
        self._meaning: Future[Meaning] | None = None
        self._opening = threading.Lock()
        self._asking = Asking(self.meaning, settings.search, self.meter)
        start_job = start_job or usual(settings)
        self.roots = {root: RootIndex(root, settings, self.meaning, start_job, self.meter) for root in roots}

    def preload(self) -> None:
        """Bring into memory what a first search needs: the storage library, the model. Slow; called at idle.

        A large model stays where it is: an editor that was only opened must not take 4 GB.
        """
        preload(self.settings.storage)
        for root in self.roots.values():
            root.covered()
        if not is_large(self.settings.model, data_directory()):
            self._asking.warm_up()

    def meaning(self) -> Meaning:
        """The model, opened once."""
        with self._opening:
            if self._meaning is None:
                self._meaning = self._pool.submit(self._opened)
        return self._meaning.result()

    def _opened(self) -> Meaning:
        return measured_meaning(open_meaning(self.settings), self.meter)

    def search(self, request: SearchRequest) -> Answer:
        """Hits over all roots, best first, with what the answer could not see.

        Raises RequestError, StorageError or EmbeddingError with a sentence.
        """
        with self.meter.timed(families.SEARCH, request.mode):
            return self._search(request)

    def _search(self, request: SearchRequest) -> Answer:
        for root in self.roots.values():
            root.begin()
        example = find_example(request.like, self.roots) if request.like else None
        asked = self._asked(request, example)
        if asked.failed:
            self.meter.count(families.WITHOUT_VECTOR)
        query = self._query(request, example, asked)
        results = {root: root.search(query) for root in self.roots.values()}
        notes = (*asked.notes, *_notes(results.values()))
        freshness = combine([root.freshness(notes, model_failed=asked.failed) for root in self.roots.values()])
        self._listen(self.roots.values())
        found, more = _page(results, request)
        words = " ".join(filter(None, (query.text, query.like)))
        return Answer(words, found, request.offset, more, freshness, request.like)

    def start_index(self, path: str, *, force: bool = False) -> Job:
        """Start or refresh the index of the root that holds ``path``.

        Raises OutsideRootError or RequestError.
        """
        root = self.root_of(path)
        self._listen([root])
        return root.refresh(force=force)

    def root_of(self, path: str) -> RootIndex:
        """The allowed root that holds ``path``; "" is the first one."""
        if not path:
            return next(iter(self.roots.values()))
        first = next(iter(self.roots))
        try:
            wanted = (first / Path(path).expanduser()).resolve()
        except (OSError, ValueError, RuntimeError) as error:  # a zero byte, a loop of links, the home of nobody
            raise RequestError(f"{path!r} cannot be used as a path ({error}); name a directory.") from error
        for root, index in self.roots.items():
            if wanted == root or root in wanted.parents:
                if not wanted.is_dir():
                    raise RequestError(f"{path} is not a directory; name a directory under {root}.")
                return index
        allowed = ", ".join(str(root) for root in self.roots)
        raise OutsideRootError(
            f"{path} is outside the allowed roots ({allowed}); start codeloupe with --root {wanted} to allow it."
        )

    def embed(self, texts: Sequence[str], kind: str, *, cache: bool, timeout_s: float) -> dict[str, Any]:
        """Vectors of ``texts`` as plain lists, with the dimension and the model.

        Raises EmbeddingError where there is no model or it fails.
        """
        meaning = self.meaning()
        if meaning.embedder is None:
            raise EmbeddingError(meaning.off)
        embedder = meaning.embedder if cache else uncached(meaning.embedder)
        if len(texts) * embedder.dim > MOST_NUMBERS:
            raise RequestError(
                f"{len(texts):,} vectors of {embedder.dim:,} numbers are too many for one answer; "
                f"send {MOST_NUMBERS // embedder.dim:,} texts at a time."
            )
        if kind == "query":
            vectors = embed_queries(embedder, texts, timeout_s)
        else:
            vectors = list(embedder.embed_documents(texts, timeout_s))
        return {
            "vectors": [[round(float(number), 7) for number in vector] for vector in vectors],
            "dimension": embedder.dim,
            "model": embedder.fingerprint,
        }

    def status(self) -> Status:
        """What is indexed and what runs; opens the indexes, not the model."""
        import psutil  # a search has no use for it

        roots = tuple(root.status() for root in self.roots.values())
        model = self._model_status()
        others = model.service.pid if model.service else 0  # a service this server happened to start is everybody's
        return Status(roots, model, psutil.Process().memory_info().rss, children_bytes(leaving_out=others))

    @property
    def changes(self) -> object:
        """Something else whenever there is much new in ``figures``; waits for nothing."""
        return tuple(root.changes for root in self.roots.values())

    def figures(self) -> tuple[RootFigures, ...]:
        """Of each root, without a look at its directory."""
        return tuple(root.figures() for root in self.roots.values())

    def own_service(self) -> ServiceState | None:
        """The embedding service that runs in this process for it alone; None where there is none."""
        return None if self.settings.model.shared else self._model_status().service

    def close(self, *, wait: bool = True) -> None:
        """Stop jobs and children, without waiting for their end where ``wait`` is false; what was committed stays."""
        for root in self.roots.values():
            root.close(wait=wait)
        if self._meaning is not None and self._meaning.done() and (embedder := self._meaning.result().embedder):
            embedder.close()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._asking.close()

    def _listen(self, roots: Iterable[RootIndex]) -> None:
        if self._listening:
            for root in roots:
                root.listen()

    def _asked(self, request: SearchRequest, example: Example | None) -> Asked:
        some = any(root.covered() > 0 for root in self.roots.values())
        return self._asking.ask(request, example, any_vectors=some)

    def _query(self, request: SearchRequest, example: Example | None, asked: Asked) -> Query:
        """What each root is asked; several are asked for all pages up to this one, since any may hold the best."""
        mode = cast("Mode", request.mode if request.mode != "auto" else "hybrid")
        if asked.empty and mode in ("hybrid", "semantic"):
            mode = "text"
        offset = request.offset if len(self.roots) == 1 else 0
        query = Query(
            request.query,
            asked.vector,
            asked.sketch,
            mode,
            request.filters,
            request.offset + request.limit - offset,
            offset,
            asked.floor,
        )
        if example is None:
            return query
        return replace(query, like=example.terms, excluding=frozenset({example.chunk.id}))

    def _model_status(self) -> ModelStatus:
        if self._meaning is None or not self._meaning.done():
            return ModelStatus(self.settings.model.name, "not loaded")
        meaning = self._meaning.result()
        if meaning.embedder is None:
            return ModelStatus(self.settings.model.name, "off", meaning.off)
        return look_at(self.settings.model.name, meaning.embedder)


def _notes(results: Collection[Results]) -> tuple[str, ...]:
    """What the answer lacks, in words."""
    damaged = {path for one in results for path in one.damaged}
    cut_short = not all(one.complete for one in results)
    said = f"{counted(len(damaged), 'file')} left out whose stored text is damaged; being indexed again"
    return (*([INCOMPLETE] if cut_short else []), *([said] if damaged else []))


def children_bytes(*, leaving_out: int) -> int:
    """Resident memory of this process's children and theirs, without those of the child ``leaving_out``."""
    import psutil

    total = 0
    for child in psutil.Process().children():
        if child.pid != leaving_out:
            with suppress(psutil.Error):  # it has ended meanwhile
                total += sum(one.memory_info().rss for one in (child, *child.children(recursive=True)))
    return total


def _page(results: Mapping[RootIndex, Results], request: SearchRequest) -> tuple[tuple[Found, ...], bool]:
    """The hits of this page over all roots, best first, and whether more would follow."""
    more = any(one.more for one in results.values())
    if len(results) == 1:
        return tuple(Found(hit) for one in results.values() for hit in one.hits), more
    found = [Found(hit, root.path.name) for root, one in results.items() for hit in one.hits]
    found.sort(key=lambda one: -one.hit.score)
    end = request.offset + request.limit
    return tuple(found[request.offset : end]), more or len(found) > end


def embed_queries(
    embedder: Embedder, texts: Iterable[str], timeout_s: float, clock: Callable[[], float] = time.monotonic
) -> list[NDArray[np.float32]]:
    """One vector a text, all of them within ``timeout_s`` seconds. Raises EmbeddingTimeoutError past it."""
    end = clock() + timeout_s
    return [embedder.embed_query(text, max(0.0, end - clock())) for text in texts]
