"""Chunks, files and vectors for tests: small ones by hand, many out of Python's own sources."""

from __future__ import annotations

import sysconfig
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from storage.chunk import Chunk, FileRecord, FileRows, chunk_id, content_hash
from storage.fingerprint import Fingerprint
from storage.schema import SCHEMA

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIM = 16
FINGERPRINT = Fingerprint(SCHEMA, "cut-1", "model-1", DIM, "table-1", DIM)
TEXT_ONLY = Fingerprint(SCHEMA, "cut-1", sketch="table-1", sketch_dim=DIM)


def make_file(
    path: str, *contents: str, language: str = "python", kind: str = "function", skipped: str = ""
) -> FileRows:
    """A file whose chunks are ``contents``, one below the other."""
    whole = "\n".join(contents)
    file_hash = content_hash(whole)
    chunks: list[Chunk] = []
    line, byte, seen = 1, 0, Counter[str]()
    for content in contents:
        end, size = line + content.count("\n"), len(content.encode())
        chunks.append(
            Chunk(
                id=chunk_id(path, content, seen[content]),
                file_path=path,
                chunk_index=len(chunks),
                content=content,
                start_line=line,
                end_line=end,
                start_byte=byte,
                end_byte=byte + size,
                language=language,
                kind=kind,
                name_path="",
                defines=("a", "b") if content.startswith("def") else (),
                context="class C:" if chunks else "",
                content_hash=content_hash(content),
                file_hash=file_hash,
            )
        )
        seen[content] += 1
        line, byte = end + 1, byte + size + 1
    record = FileRecord(path, len(whole.encode()), 1_700_000_000_123_456_789, file_hash, language, len(chunks), skipped)
    return FileRows(record, tuple(chunks), sketches=vectors_of(chunks) if chunks else None)


def vector_of(text: str, dim: int = DIM) -> NDArray[np.float32]:
    """A unit vector that is near for texts that share runs of four characters."""
    vector = np.zeros(dim, np.float32)
    for at in range(max(1, len(text) - 3)):
        code = zlib.crc32(text[at : at + 4].encode())
        vector[code % dim] += 1 if code & 0x10000 else -1
    norm = float(np.linalg.norm(vector))
    return vector / norm if norm else np.full(dim, dim**-0.5, np.float32)


def vectors_of(chunks: list[Chunk], dim: int = DIM) -> NDArray[np.float32]:
    """``vector_of`` each chunk's text, shape (len(chunks), dim)."""
    return np.stack([vector_of(chunk.content, dim) for chunk in chunks])


def python_sources(chunks: int, lines: int = 12) -> list[FileRows]:
    """At least ``chunks`` chunks of real code: the standard library, cut every few lines."""
    root = Path(sysconfig.get_path("stdlib"))
    files: list[FileRows] = []
    count = 0
    for path in sorted(root.rglob("*.py")):
        text = path.read_text("utf-8", errors="replace").split("\n")
        pieces = ["\n".join(text[at : at + lines]) for at in range(0, len(text), lines)]
        files.append(make_file(path.relative_to(root).as_posix(), *(piece for piece in pieces if piece.strip())))
        count += len(files[-1].chunks)
        if count >= chunks:
            break
    return files
