"""Chunks a second of the whole pipeline, beside what its embedder alone does with the same chunks.

    python -m benchmarks.pipeline DIRECTORY

Indexes the directory from nothing, into a store on disk and without the vector cache, phase by phase; then embeds the
same chunks once more and does nothing else. Whatever the pipeline adds to that is its own.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import platformdirs

from embedding.embedder import Embedder
from embedding.local import LocalEmbedder
from embedding.open import open_embedder
from embedding.settings import MemorySettings, ModelSettings
from indexer.chunker import chunker_fingerprint
from indexer.cutting import Cutting
from indexer.pipeline import Progress, refresh_text
from indexer.refine import Refiner
from indexer.settings import IndexSettings
from storage.backends import open_store
from storage.chunk import Chunk
from storage.fingerprint import Fingerprint
from storage.schema import SCHEMA
from storage.settings import StorageSettings
from storage.store import ChunkStore


def never() -> bool:
    return False


def unheard(_: Progress) -> None:
    return None


def line(what: str, chunks: int, seconds: float) -> None:
    print(f"{what:42} {seconds:8.2f} s {chunks / seconds:10,.0f} chunks/s", flush=True)


def index(root: Path, store: ChunkStore, embedder: Embedder) -> list[Chunk]:
    settings = IndexSettings()
    store.reset(Fingerprint(SCHEMA, chunker_fingerprint(settings), embedder.fingerprint, embedder.dim))
    began = time.perf_counter()
    text = refresh_text(root, store, Cutting(settings), unheard, never)
    line("walk, read, cut, write", text.chunks, time.perf_counter() - began)
    at = time.perf_counter()
    store.maintain()
    line("text index", text.chunks, time.perf_counter() - at)
    chunks = store.missing_vectors(text.chunks)
    at = time.perf_counter()
    Refiner().run(store, embedder, unheard, never)
    line("embed, write vectors", text.chunks, time.perf_counter() - at)
    line("all of it", text.chunks, time.perf_counter() - began)
    return chunks


def main() -> int:
    home = Path(platformdirs.user_data_dir("codeloupe", appauthor=False))
    with tempfile.TemporaryDirectory() as scratch:
        embedder = open_embedder(ModelSettings(shared=False), MemorySettings(vector_cache_mb=0), home, Path(scratch))
        assert isinstance(embedder, LocalEmbedder)
        embedder.embed_documents(["warm up"])
        with_store = open_store(StorageSettings(), Path(scratch) / "index")
        with with_store.writing():
            chunks = index(Path(sys.argv[1]), with_store, embedder)
        with_store.close()
        began = time.perf_counter()
        embedder.embed_documents([chunk.embedding_text() for chunk in chunks])
        line("limit: the embedder alone, all at once", len(chunks), time.perf_counter() - began)
        embedder.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
