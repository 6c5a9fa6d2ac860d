"""ChunkStore: the contract between the index and everything else, and its promises.

One writer at a time (storage/lock.py), any number of readers, in any number of processes. Whatever kills a writer,
a reader sees each file's chunks from before or after a commit, never a mixture.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from storage.chunk import Candidate, Chunk, FileRecord, FileRows, Filters
from storage.fingerprint import Fingerprint, IndexState

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from storage.chunk import Sample


@dataclass(frozen=True, slots=True)
class Pattern:
    """What an exact or regular-expression search looks for, line by line."""

    text: str
    is_regex: bool
    ignore_case: bool = False
    timeout_s: float = 5.0  # of matching, all chunks together


@dataclass(frozen=True, slots=True)
class Match:
    """A chunk with the 1-based lines of the file on which the pattern matched."""

    chunk: Chunk
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """Matches in file order, at most as many as asked for; ``complete`` is false where a limit or time ended it."""

    found: tuple[Match, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Sizes as of one moment; ``files`` counts all that were looked at, ``skipped`` those left out, by reason."""

    files: int
    chunks: int
    vectors: int
    sketches: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    vector_index: str = "exact"  # "exact", "ivf_pq", "ivf_rq", "ivf_hnsw_sq"
    text_index: str = "none"  # "none" (scanned), "bm25"
    disk_bytes: int = 0

    @property
    def searchable_files(self) -> int:
        """Files that were not skipped."""
        return self.files - sum(self.skipped.values())


@dataclass(frozen=True, slots=True)
class Damage:
    """Rows whose checksum or reference does not hold; ``path`` is the file to index again, "" the whole index."""

    path: str
    reason: str


class ChunkStore(Protocol):
    """Chunks, their vectors and the files they came from, for one root. Thread-safe.

    Before the first ``reset`` there is nothing to find, and writing raises IndexUnusableError. Every method that writes
    takes the writer's lock for its own duration and raises IndexBusyError where another process has it; every method
    raises IndexUnusableError where stored files cannot be read, and StorageFullError where they cannot be written.
    """

    def writing(self) -> AbstractContextManager[None]:
        """Be the one writer until the end of the block, over several calls.

        Raises IndexBusyError, naming the holder, where another process writes this index.
        """
        ...

    def state(self, wanted: Fingerprint) -> IndexState:
        """Whether what is stored can serve ``wanted``."""
        ...

    def reset(self, fingerprint: Fingerprint) -> None:
        """Drop everything and begin an empty index made with ``fingerprint``."""
        ...

    def reset_vectors(self, fingerprint: Fingerprint) -> None:
        """Drop the vectors alone: the model changed, the text did not."""
        ...

    def files(self) -> dict[str, FileRecord]:
        """Every file ever looked at and still there, by path, skipped ones included."""
        ...

    def replace_files(self, files: Sequence[FileRows]) -> None:
        """Publish these files' rows, sketches included, in place of all earlier rows of the same paths, in one commit.

        Vectors of chunks whose id stays are kept; those of ids that vanish go.
        """
        ...

    def refresh_records(self, records: Sequence[FileRecord]) -> None:
        """Put these records in place of those of the same paths, whose content is the same: chunks and vectors stay."""
        ...

    def delete_files(self, paths: Collection[str]) -> None:
        """Forget these paths; unknown ones are ignored."""
        ...

    def vectorless(self) -> dict[str, int]:
        """How many chunks of each path have no vector; a path whose chunks all have one is absent."""
        ...

    def missing_vectors(
        self, limit: int, *, paths: Collection[str] | None = None, ids: Collection[str] | None = None
    ) -> list[Chunk]:
        """Up to ``limit`` chunks that have no vector, by path and place: of all, or of these paths, or these ids."""
        ...

    def embedded(self, ids: Collection[str]) -> set[str]:
        """Those of ``ids`` that have a vector."""
        ...

    def add_vectors(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Store vectors, shape (len(ids), dim), rows of norm 1; ids that are unknown or have one are ignored."""
        ...

    def find_text(self, terms: Sequence[str], limit: int, filters: Filters) -> list[Candidate]:
        """Chunks by BM25 over split identifiers (storage/ranking/terms.py), best first; no terms find nothing."""
        ...

    def find_sketch(self, vector: NDArray[np.float32], limit: int, filters: Filters) -> list[Candidate]:
        """Chunks whose sketch is nearest to ``vector`` of shape (sketch_dim,), norm 1, by cosine, best first."""
        ...

    def find_near(self, vector: NDArray[np.float32], limit: int, filters: Filters) -> list[Candidate]:
        """Nearest chunks to ``vector`` of shape (dim,); the score is the cosine similarity, -1 to 1, best first."""
        ...

    def find_matches(self, pattern: Pattern, limit: int, filters: Filters) -> Matches:
        """Chunks with a line that matches, ordered by path and place.

        Raises InvalidPatternError where ``pattern`` is no regular expression.
        """
        ...

    def chunks(self, ids: Collection[str]) -> dict[str, Chunk]:
        """The chunks of these ids; unknown ids are absent."""
        ...

    def shown(self, ids: Collection[str]) -> tuple[dict[str, Chunk], frozenset[str]]:
        """The chunks of these ids as they were written, for an answer, and the paths of those that are damaged.

        Damaged ones are left out, and the writer's next run makes them again.
        """
        ...

    def chunk_at(self, file_path: str, line: int) -> Chunk | None:
        """The chunk of ``file_path`` that holds its 1-based ``line``, the first of several; None where none does."""
        ...

    def links(self, paths: Collection[str]) -> dict[str, float]:
        """How central these files are: 0, imported by no other, to 1, by as many as any (storage/ranking/links.py)."""
        ...

    def sample(self, most: int) -> Sample:
        """All chunks with their sketches and vectors, or about ``most`` of them, drawn evenly, where there are more."""
        ...

    def stats(self) -> StoreStats:
        """Counts and index kinds as of now."""
        ...

    def maintain(self) -> None:
        """Bring indexes up to date, compact, prune old versions. Slow: for a writer with nothing better to do."""
        ...

    def check(self) -> list[Damage]:
        """Read every row and hold it against its checksum; returns what to index again."""
        ...

    def mend(self, *, thorough: bool = False, stop: Callable[[], bool] = lambda: False) -> list[Damage]:
        """Bring back what is damaged; returns what was. Looks only where a search found something, or if ``thorough``.

        The files of damaged rows are forgotten, so that the next run reads them again. Where that is not enough, the
        index is corrupt afterwards. ``stop`` ends the looking early.
        """
        ...

    def close(self) -> None:
        """Let go of files and memory; later calls are errors."""
        ...
