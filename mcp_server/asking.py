"""What a search asks by meaning: its vector by the model, its sketch by the table, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embedding.embedder import Embedder
from embedding.errors import EmbeddingError
from mcp_server.errors import RequestError
from mcp_server.likeness import Example
from mcp_server.meaning import Meaning
from mcp_server.metrics.meter import Meter
from mcp_server.metrics.wrappers import Remembering
from mcp_server.requests import SearchRequest
from mcp_server.settings import SearchSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embedding.lookup import LookupTable

REMEMBERED_QUERIES = 256  # the next page of an answer asks the same again; a vector is some kilobytes
LATE = (
    "this answer is without vectors: the model gave none within {waited:g} s, it is loading or has much to do; "
    "ask again, or set search.model_wait_s higher"
)
MOST_S = 180.0  # a thread waits for a vector, for the next who asks: as long as a large model loads from a slow disk
WITHOUT_MEANING = ("text", "exact", "regex")  # modes that ask for none


@dataclass(frozen=True, slots=True)
class Asked:
    """A query's vector and sketch, both of norm 1, where there are any; ``notes`` say what could not be asked."""

    vector: NDArray[np.float32] | None = None
    sketch: NDArray[np.float32] | None = None
    floor: float = -1.0
    notes: tuple[str, ...] = ()
    failed: bool = False  # the model did not give the vector it was asked for; a note says why

    @property
    def empty(self) -> bool:
        """Whether nothing can be asked by meaning."""
        return self.vector is None and self.sketch is None


class Asking:
    """Queries into vectors. Thread-safe; waits for the model no longer than a search may."""

    def __init__(self, meaning: Callable[[], Meaning], settings: SearchSettings, meter: Meter | None = None) -> None:
        self._meaning = meaning
        self._settings = settings
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="model")
        self._embedded = Remembering(self._embed, REMEMBERED_QUERIES, meter or Meter())

    def ask(self, request: SearchRequest, example: Example | None, *, any_vectors: bool) -> Asked:
        """What to look for in indexes of which ``any_vectors`` says whether they have some.

        Raises RequestError where meaning alone is wanted and there is none.
        """
        if request.mode in WITHOUT_MEANING:
            return Asked()
        meaning = self._meaning()
        text = example.text if example else ""
        vector, note = self._vector_or_note(request, text, meaning, any_vectors=any_vectors)
        failed = bool(note) and meaning.embedder is not None
        sketch, doubts = None, ""
        if meaning.table is not None:
            sketch, doubts = _sketched(meaning.table, request.query, text)
        if request.mode == "semantic" and meaning.embedder is None and meaning.table is None:
            raise RequestError(f"Search by meaning is off: {meaning.off}")
        notes = (note, doubts if vector is None else "", meaning.table_off if vector is None else "")
        return Asked(vector, sketch, self._floor(request, meaning.embedder), tuple(filter(None, notes)), failed)

    def warm_up(self) -> None:
        """Load the model, and embed something by it."""
        if self._meaning().embedder is not None:
            self._vector("warm up", "")

    def close(self) -> None:
        """Ask no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _vector_or_note(
        self, request: SearchRequest, example: str, meaning: Meaning, *, any_vectors: bool
    ) -> tuple[NDArray[np.float32] | None, str]:
        if meaning.embedder is None:
            return None, f"{'meaning is rough, by sketches' if meaning.table else 'meaning is off'}: {meaning.off}"
        return self._vector(request.query, example) if any_vectors else (None, "")

    def _vector(self, query: str, example: str) -> tuple[NDArray[np.float32] | None, str]:
        """The vector within the time a search may wait; the model goes on with it, for the next one that asks."""
        pending = self._pool.submit(self._embedded, query, example)
        try:
            return pending.result(self._settings.model_wait_s), ""
        except FutureTimeoutError:
            pending.cancel()  # where it has not begun: behind others that wait
            return None, LATE.format(waited=self._settings.model_wait_s)
        except EmbeddingError as error:
            return None, f"this answer is without vectors: {error}"

    def _embed(self, query: str, example: str) -> NDArray[np.float32]:
        """The vector of a query, of an example, or half way between the two."""
        embedder = self._meaning().embedder
        assert embedder is not None
        if not example:
            return embedder.embed_query(query, MOST_S)
        vector: NDArray[np.float32] = embedder.embed_documents([example], MOST_S)[0]
        return _between(vector, embedder.embed_query(query, MOST_S)) if query else vector

    def _floor(self, request: SearchRequest, embedder: Embedder | None) -> float:
        if request.min_similarity is not None:
            return request.min_similarity
        if self._settings.min_similarity != -1.0 or embedder is None:
            return self._settings.min_similarity
        return embedder.min_similarity


def _sketched(table: LookupTable, query: str, example: str) -> tuple[NDArray[np.float32] | None, str]:
    """The sketch of a query, of an example, or half way between; and what the table does not know of them."""
    asked = table.sketch_query(query)
    known, words = int((asked.known + asked.mapped).sum()), int(asked.tokens.sum())
    doubts = f"the lookup table knows {known} of {words} words of the query" if known < words else ""
    vector = _between(*asked.vectors, *(table.sketch([example]).vectors if example else ()))
    return (vector if vector.any() else None), doubts


def _between(*vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Half way between vectors of norm 1 or 0, at norm 1."""
    total: NDArray[np.float32] = sum(vectors[1:], start=vectors[0])
    norm = float(total @ total) ** 0.5
    return total / norm if norm else total
