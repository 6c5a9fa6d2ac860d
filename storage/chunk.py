r"""The nouns of the program: what is indexed and what is found.

Positions are stated once, here: lines are 1-based and inclusive; bytes are 0-based and half-open, counted in the
file's text after decoding to UTF-8 with ``\n`` line ends. Paths are relative to the indexed root, with ``/``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import xxhash

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def chunk_id(file_path: str, read: str, occurrence: int) -> str:
    """The 32 hexadecimal digits that name a chunk: its path, what a model reads of it, and which of equal ones it is.

    Lines are left out on purpose: a chunk that only moved keeps its id, and with it its vector.
    """
    return xxhash.xxh3_128_hexdigest(f"{file_path}\0{occurrence}\0{read}".encode())


def with_context(context: str, content: str) -> str:
    """What a model reads: the lines an inner piece would be meaningless without, then the piece."""
    return f"{context}\n{content}" if context else content


def content_hash(content: str) -> str:
    """32 hexadecimal digits (xxh3, 128 bits) of a text's UTF-8 bytes."""
    return xxhash.xxh3_128_hexdigest(content.encode())


@dataclass(frozen=True, slots=True)
class Outline:
    """A chunk without its text: what ranking looks at, for candidates of which few will be shown."""

    id: str
    file_path: str
    chunk_index: int
    language: str
    kind: str
    name_path: str
    defines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of one file that an answer can point at; each non-blank line of a file is in exactly one."""

    id: str
    file_path: str
    chunk_index: int  # 0-based, in file order
    content: str
    start_line: int
    end_line: int
    start_byte: int
    end_byte: int
    language: str  # "python"; "text" where none is known
    kind: str  # "function", "method", "class", "type", "module", "section", "block", ... (indexer/languages.py)
    name_path: str  # "Class/method", "" where nothing is named
    defines: tuple[str, ...]  # simple names of all definitions that begin in the chunk, in file order
    context: str  # the signature lines above an inner piece of a large unit, "" elsewhere
    content_hash: str
    file_hash: str

    @property
    def outline(self) -> Outline:
        """The chunk without its text."""
        return Outline(
            self.id, self.file_path, self.chunk_index, self.language, self.kind, self.name_path, self.defines
        )

    def embedding_text(self) -> str:
        """What a model reads of this chunk."""
        return with_context(self.context, self.content)

    def sketch_text(self) -> str:
        """What a lookup table reads of it: where it stands, too, which a sum of words takes well."""
        return f"{self.file_path}\n{self.name_path}\n{self.embedding_text()}"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What the index knows of one file; ``skipped`` is the reason it has no chunks, or ""."""

    path: str
    size: int  # bytes
    mtime_ns: int
    file_hash: str  # xxh3, 128 bits, of the raw bytes; "" where the file was not read
    language: str
    chunk_count: int
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class FileRows:
    """One file's whole truth: published together or not at all."""

    record: FileRecord
    chunks: tuple[Chunk, ...]
    imports: tuple[str, ...] = ()  # the modules it names, as storage/ranking/links.py calls them
    # Shape (len(chunks), sketch_dim), rows of norm 1, or of zeros where nothing in a chunk is known; None: all zeros.
    sketches: NDArray[np.float32] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search may return; an empty tuple allows everything. Applied before any limit."""

    paths: tuple[str, ...] = ()  # gitignore-style globs; a leading "!" excludes
    languages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk as one leg of a search saw it: higher scores are better, and only comparable within the leg."""

    outline: Outline
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk in an answer: higher is better, always; ``found_by`` names the tiers that spoke for it."""

    chunk: Chunk
    score: float
    found_by: tuple[str, ...]  # of "text", "sketch", "vector", "exact", "regex"
    matched_lines: tuple[int, ...] = ()  # 1-based lines with an exact or regex match
    signals: tuple[tuple[str, float], ...] = ()  # what made the score, by name (storage/ranking/ranking.py)


@dataclass(frozen=True, slots=True)
class Sample:
    """Chunks by path and place, and a row of each in both spaces; a row of zeros where a chunk has no place there."""

    chunks: tuple[Chunk, ...]
    sketches: NDArray[np.float32]  # shape (len(chunks), sketch_dim)
    vectors: NDArray[np.float32]  # shape (len(chunks), dim)
