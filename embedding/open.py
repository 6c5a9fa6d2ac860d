"""From settings to an Embedder: find the model, run it, put the cache before it. Fetches nothing."""

from __future__ import annotations

from pathlib import Path

from embedding.cache import CachedEmbedder, VectorCache
from embedding.client import LocalEmbedder
from embedding.embedder import Embedder
from embedding.errors import ModelMissingError
from embedding.model import ModelSpec, spec_for
from embedding.settings import MemorySettings, ModelSettings
from embedding.sources import locate, models_directory

NO_MODEL = "none"
CACHE_FILE = "vectors.sqlite3"


def open_embedder(model: ModelSettings, memory: MemorySettings, data_dir: Path, cache_dir: Path) -> Embedder:
    """The embedder the settings ask for; its children start at the first text.

    ``data_dir`` holds model files (where ``model.directory`` names no other place), ``cache_dir`` the vector cache.
    Raises ModelMissingError where the model is turned off, unknown or not on this machine, ModelInvalidError where
    its file is not what it claims to be.
    """
    spec = wanted_spec(model)
    path = locate(spec, models_directory(model, data_dir))
    if path is None:
        raise ModelMissingError(_how_to_get(spec, models_directory(model, data_dir)))
    embedder = LocalEmbedder(spec, path, model)
    if not memory.vector_cache_mb:
        return embedder
    return CachedEmbedder(embedder, VectorCache(cache_dir / CACHE_FILE, memory.vector_cache_mb << 20))


def wanted_spec(model: ModelSettings) -> ModelSpec:
    """What the settings ask for. Raises ModelMissingError where that is nothing, or nothing known."""
    if model.name.lower() == NO_MODEL:
        raise ModelMissingError(
            "Meaning is turned off (model.name is none); search by words and names goes on. "
            "Set model.name to all-minilm-l6-v2 to turn it on."
        )
    return spec_for(model.name)


def _how_to_get(spec: ModelSpec, directory: Path) -> str:
    if spec.path is not None:
        return f"There is no model file at {spec.path}; check model.name. Search by words and names goes on."
    return (
        f"The model {spec.name} is not in {directory}; run 'codeloupe models pull' once, with a network. "
        "Search by words and names goes on."
    )
