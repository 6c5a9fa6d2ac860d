"""From settings to an Embedder (the model, run, with the cache before it) and to a LookupTable. Fetches nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from embedding.cache import VectorCache
from embedding.cached import CachedEmbedder
from embedding.client import ServiceEmbedder, SharedEmbedder
from embedding.embedder import Embedder
from embedding.errors import EmbeddingError, LookupTableError, ModelMissingError
from embedding.model import DEFAULT_MODEL, KNOWN_MODELS, ModelSpec, spec_for
from embedding.model_run import LARGE_FILE_BYTES
from embedding.settings import MemorySettings, ModelSettings
from embedding.shortened import Shortened
from embedding.sources import locate, models_directory

if TYPE_CHECKING:
    from embedding.lookup import LookupTable

NO_MODEL = "none"
NO_TABLE = "none"
SHIPPED_TABLE = Path(__file__).parent / "tables" / "all-minilm-l6-v2.embd"
CACHE_FILE = "vectors.sqlite3"


def open_embedder(model: ModelSettings, memory: MemorySettings, data_dir: Path, cache_dir: Path) -> Embedder:
    """The embedder the settings ask for; the service, and the model, start at the first text.

    ``data_dir`` holds model files (where ``model.directory`` names no other place), ``cache_dir`` the vector cache.
    Raises ModelMissingError where the model is turned off, unknown or not on this machine, ModelInvalidError where
    its file is not what it claims to be, EmbeddingError where it has no more components than are to be kept.
    """
    spec = wanted_spec(model)
    embedder: Embedder = _before_a_service(spec, model, memory, data_dir)
    if memory.vector_cache_mb:
        embedder = CachedEmbedder(embedder, VectorCache(cache_dir / CACHE_FILE, memory.vector_cache_mb << 20))
    return _shortened(embedder, model.dimensions, spec.shortest)


def _shortened(embedder: Embedder, dimensions: int, shortest: int) -> Embedder:
    """Before the cache, which keeps whole vectors."""
    if not dimensions:
        return embedder
    try:
        return Shortened(embedder, dimensions, shortest)
    except EmbeddingError:
        embedder.close()
        raise


def _before_a_service(spec: ModelSpec, model: ModelSettings, memory: MemorySettings, data_dir: Path) -> ServiceEmbedder:
    path = wanted_file(model, data_dir)
    if model.shared:
        return SharedEmbedder(spec, path, model, memory, data_dir)
    from embedding.local import LocalEmbedder  # a whole service, which few run in their own process

    return LocalEmbedder(spec, path, model, memory)


def wanted_spec(model: ModelSettings) -> ModelSpec:
    """What the settings ask for. Raises ModelMissingError where that is nothing, or nothing known."""
    if model.name.lower() == NO_MODEL:
        raise ModelMissingError(
            "Meaning is turned off (model.name is none); search by words and names goes on. "
            "Set model.name to all-minilm-l6-v2 to turn it on."
        )
    return spec_for(model.name)


def wanted_file(model: ModelSettings, data_dir: Path) -> Path:
    """The file of the model the settings ask for. Raises ModelMissingError where it is not on this machine."""
    spec, directory = wanted_spec(model), models_directory(model, data_dir)
    path = locate(spec, directory)
    if path is None:
        raise ModelMissingError(_how_to_get(spec, directory))
    return path


def is_large(model: ModelSettings, data_dir: Path) -> bool:
    """Whether the wanted model takes so much memory that it is loaded for those alone who ask it something."""
    try:
        return wanted_file(model, data_dir).stat().st_size > LARGE_FILE_BYTES
    except (ModelMissingError, OSError):
        return False


def open_table(model: ModelSettings, data_dir: Path) -> LookupTable:
    """The lookup table the settings ask for; no model is loaded, and none needs to be there.

    Raises LookupTableError where tables are turned off, or there is no whole one at ``table_path``.
    """
    path = table_path(model, data_dir)
    if path is None:
        raise LookupTableError(
            "Sketches are turned off (model.table is none); search goes on without them. "
            "Remove the setting to turn them on."
        )
    from embedding.lookup import LookupTable

    return LookupTable(path, _taught_by(path, model, data_dir))


def table_path(model: ModelSettings, data_dir: Path) -> Path | None:
    """Where the table the settings ask for lies, whether or not it is there; None where they ask for none.

    One named by its path comes first, then one that was made for the model, then the one that codeloupe brings.
    """
    if model.table:
        return None if model.table.lower() == NO_TABLE else Path(model.table).expanduser()
    try:
        own = own_table_path(wanted_spec(model), model, data_dir)
    except ModelMissingError:
        return SHIPPED_TABLE
    return own if own.is_file() else SHIPPED_TABLE


def own_table_path(spec: ModelSpec, model: ModelSettings, data_dir: Path) -> Path:
    """Where a table that was made for a model is kept: beside model files."""
    name = spec.name.replace("/", "--").replace(":", "--")  # names of the hub have them
    return models_directory(model, data_dir) / f"{name}.embd"


def _taught_by(table: Path, model: ModelSettings, data_dir: Path) -> Path | None:
    """The model file that holds what ``table`` lacks, where it is on this machine; the table knows whether it fits."""
    try:
        spec = KNOWN_MODELS[DEFAULT_MODEL] if table == SHIPPED_TABLE else wanted_spec(model)
    except ModelMissingError:
        return None
    return locate(spec, models_directory(model, data_dir))


def _how_to_get(spec: ModelSpec, directory: Path) -> str:
    if spec.path is not None:
        return f"There is no model file at {spec.path}; check model.name. Search by words and names goes on."
    name = f" {spec.name}" if spec.hub else ""
    if spec.hub and spec.hub.path and Path(spec.name).is_file():
        return f"{spec.name} names a file of the hub; write ./{spec.name} for the one that is here."
    return (
        f"The model {spec.name} is not in {directory}; run 'codeloupe models pull{name}' once, with a network. "
        "Search by words and names goes on."
    )
