"""What meaning is found by: the model and the lookup table of these settings, or the sentences that say why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from embedding.embedder import Embedder
from embedding.errors import EmbeddingError
from embedding.open import open_embedder, open_table
from indexer.chunker import chunker_fingerprint
from mcp_server.home import cache_directory, data_directory
from mcp_server.settings import Settings
from storage.fingerprint import Fingerprint
from storage.schema import SCHEMA

if TYPE_CHECKING:
    from embedding.lookup import LookupTable


@dataclass(frozen=True, slots=True)
class Meaning:
    """The model and the lookup table, or the sentences that say why there are none."""

    embedder: Embedder | None
    off: str = ""
    table: LookupTable | None = None
    table_off: str = ""


def open_meaning(settings: Settings) -> Meaning:
    """The configured model if it is on this machine, never fetched; and the table that needs no model."""
    table, embedder, table_off, off = None, None, "", ""
    try:
        table = open_table(settings.model, data_directory())
    except EmbeddingError as error:
        table_off = str(error)
    try:
        embedder = open_embedder(settings.model, settings.memory, data_directory(), cache_directory())
    except EmbeddingError as error:
        off = str(error)
    return Meaning(embedder, off, table, table_off)


def wanted_fingerprint(settings: Settings, meaning: Meaning) -> Fingerprint:
    """What an index must have been made with to serve these settings."""
    model = (meaning.embedder.fingerprint, meaning.embedder.dim) if meaning.embedder else ("", 0)
    table = (meaning.table.fingerprint, meaning.table.dim) if meaning.table else ("", 0)
    return Fingerprint(SCHEMA, chunker_fingerprint(settings.index), *model, *table)
