"""One file into its rows: read, cut, sketched."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from indexer.chunker import chunk_file
from indexer.imports import imported_paths
from indexer.languages import detect_language
from indexer.reading import read_source
from indexer.settings import IndexSettings
from indexer.source import Skip, SkipReason, SourceFile
from storage.chunk import FileRecord, FileRows
from storage.ranking.links import modules_named

if TYPE_CHECKING:
    from embedding.lookup import LookupTable


@dataclass(frozen=True, slots=True)
class Cutting:
    """How files become rows: which, how they are cut, and the table that sketches their chunks."""

    settings: IndexSettings
    table: LookupTable | None = None


def load(file: SourceFile, cutting: Cutting, known: FileRecord | None = None) -> FileRows | FileRecord | None:
    """One file's rows; its record alone where its content is the one ``known``; None for a file that is gone.

    A file that cannot be indexed has no chunks and a reason.
    """
    source = read_source(file, cutting.settings)
    if isinstance(source, Skip):
        return None if source.reason is SkipReason.VANISHED else FileRows(skip_record(source), ())
    if known is not None and known.file_hash == source.file_hash:
        return replace(known, size=source.size, mtime_ns=source.mtime_ns)
    chunks = chunk_file(file.path, source.text, source.file_hash, cutting.settings)
    language = chunks[0].language if chunks else detect_language(file.path, source.text)
    record = FileRecord(file.path, source.size, source.mtime_ns, source.file_hash, language, len(chunks))
    sketches = cutting.table.sketch([chunk.sketch_text() for chunk in chunks]).vectors if cutting.table else None
    return FileRows(record, chunks, tuple(modules_named(file.path, imported_paths(source.text))), sketches)


def skip_record(skip: Skip) -> FileRecord:
    """What is kept of a file that was left out."""
    return FileRecord(skip.path, skip.size, skip.mtime_ns, "", "", 0, str(skip.reason))
