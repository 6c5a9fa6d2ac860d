"""Which store keeps an index: chosen here, by settings, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from storage.settings import StorageSettings
    from storage.store import ChunkStore


def preload(settings: StorageSettings) -> None:
    """Import now, on the caller's thread, what the store's first use would; other threads keep running."""
    if settings.backend == "lancedb":
        from storage.lance import preload as import_library

        import_library()


def open_store(settings: StorageSettings, directory: Path) -> ChunkStore:
    """The store of one root's index; ``directory`` is its own and made when first written to.

    Nothing is opened yet and no heavy library loaded for the one on disk.
    """
    if settings.backend == "memory":
        from storage.memory import MemoryStore

        return MemoryStore()
    from storage.lance_store import LanceStore

    return LanceStore(directory, vector_index=settings.vector_index)
