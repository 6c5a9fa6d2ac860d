"""`codeloupe models distil`: a lookup table out of a model, by what the model says of chunks of code.

Texts come from directories or from what is indexed, cut as the indexer cuts them; embedding/ makes the table.
"""

from __future__ import annotations

import heapq
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click
import xxhash

from embedding.embedder import Embedder
from embedding.open import open_embedder, own_table_path, wanted_file, wanted_spec
from indexer.cutting import Cutting, load
from indexer.source import SourceFile
from indexer.walker import walk
from mcp_server import settings
from mcp_server.errors import RequestError
from mcp_server.freshness import counted
from mcp_server.home import cache_directory, data_directory, kept_indexes
from mcp_server.roots import checked_root
from storage.chunk import FileRows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from embedding.tables.making import MadeTable

    Floats = NDArray[np.float32]

LEAST_TEXTS = 500  # a table has 256 directions, and fewer texts hardly tell them apart
_ASKED_AT_ONCE = 1_000  # texts whose vectors are looked up together
_CHARACTERS_A_CHILD = 12_000  # a batch is kept when it is done: with a model of 7 B parameters, half a minute's work


@dataclass(frozen=True, slots=True)
class DistilArguments:
    """What the command line asks for; without directories, texts are those that are indexed and embedded."""

    model: str = ""
    directories: tuple[str, ...] = ()
    out: str = ""
    limit: int = 20_000


def distil(overrides: Sequence[str], wanted: DistilArguments) -> int:
    """Make the table, print how well it agrees with its model, and say where it is."""
    chosen = _chosen(wanted.model, overrides)
    spec, file = wanted_spec(chosen.model), wanted_file(chosen.model, data_directory())
    embedder = open_embedder(chosen.model, chosen.memory, data_directory(), cache_directory())
    from embedding.tables.making import make_table, says_much_of_words, vocabulary_for
    from embedding.tables.teaching import Lesson

    try:
        texts = sample(_candidates(embedder, wanted.directories, overrides), wanted.limit)
        if len(texts) < LEAST_TEXTS:
            raise RequestError(_too_few(len(texts), spec.name, wanted.directories))
        vectors, vocabulary = _embedded(embedder, texts, "texts"), vocabulary_for(texts)
        alone = _embedded(embedder, vocabulary.tokens, "words") if says_much_of_words(spec, file) else None
    finally:
        embedder.close()
    click.echo(f"Fitting a table to {counted(len(texts), 'text')}; that takes some minutes.", err=True)
    target = Path(wanted.out).expanduser() if wanted.out else own_table_path(spec, chosen.model, data_directory())
    click.echo(_told(make_table(target, vocabulary, Lesson(texts, vectors, alone), file), spec.name, target))
    return 0


def sample(texts: Iterable[str], most: int) -> list[str]:
    """At most ``most`` of the distinct texts, drawn by their hashes: always the same of the same, in the same order.

    So a run that was stopped, or is repeated over more directories, asks for vectors that the cache has by then.
    """
    kept: dict[int, str] = {}
    worst: list[int] = []  # the negatives of what is kept, so that the largest comes first
    for text in texts:
        place = xxhash.xxh64_intdigest(text.encode("utf-8", "surrogatepass"))
        if place in kept or (len(kept) == most and place >= -worst[0]):
            continue
        kept[place] = text
        if len(kept) <= most:
            heapq.heappush(worst, -place)
        else:
            del kept[-heapq.heappushpop(worst, -place)]
    return [kept[place] for place in sorted(kept)]


def _chosen(name: str, overrides: Sequence[str]) -> settings.Settings:
    """The settings, with the model that the table is to be of, and its whole vectors."""
    found = settings.load(None, overrides).settings
    model = found.model.model_copy(update={"name": name or found.model.name, "dimensions": 0})
    return found.model_copy(update={"model": model})


def _candidates(embedder: Embedder, directories: Sequence[str], overrides: Sequence[str]) -> Iterator[str]:
    """All texts of the directories; without any, those texts of indexed roots whose vectors are known."""
    if directories:
        for root in [checked_root(directory) for directory in directories]:
            yield from _chunk_texts(root, overrides)
        return
    for kept in kept_indexes(settings.load(None, overrides).settings):
        texts = _chunk_texts(kept.root, overrides) if kept.root.is_dir() else iter(())
        while some := list(islice(texts, _ASKED_AT_ONCE)):
            yield from (some[place] for place in embedder.remembered(some))


def _chunk_texts(root: Path, overrides: Sequence[str]) -> Iterator[str]:
    """What a model reads of each chunk under ``root``, cut by the root's own settings."""
    cutting = Cutting(settings.load(root, overrides).settings.index)
    for file in walk(root, cutting.settings):
        rows = load(file, cutting) if isinstance(file, SourceFile) else None
        if isinstance(rows, FileRows):
            yield from (chunk.embedding_text() for chunk in rows.chunks)


def _embedded(embedder: Embedder, texts: Sequence[str], what: str) -> Floats:
    """The vectors of the texts, shape (len(texts), dim), with a bar on a terminal; the cache keeps each batch."""
    import numpy as np

    parts = [np.zeros((0, embedder.dim), np.float32)]
    with click.progressbar(length=len(texts), label=f"embedding {what}", file=sys.stderr) as bar:
        for batch in _batches(texts, _CHARACTERS_A_CHILD * embedder.parallel):
            parts.append(embedder.embed_documents(batch))
            bar.update(len(batch))
    return np.concatenate(parts)


def _batches(texts: Sequence[str], characters: int) -> Iterator[list[str]]:
    """The texts in order, about so many characters together."""
    batch: list[str] = []
    weight = 0
    for text in texts:
        batch.append(text)
        weight += len(text)
        if weight >= characters:
            yield batch
            batch, weight = [], 0
    if batch:
        yield batch


def _too_few(count: int, model: str, directories: Sequence[str]) -> str:
    if directories:
        return f"Only {counted(count, 'text')} found, and {LEAST_TEXTS} are the least; name more directories."
    return (
        f"{counted(count, 'vector')} of {model} are known of what is indexed, and {LEAST_TEXTS} are the least; "
        "name directories with --texts, whose chunks are embedded then."
    )


def _told(made: MadeTable, model: str, target: Path) -> str:
    known = made.bridge_error is not None
    rare = f", {made.bridge_error:.3f} for words that only the model knows" if known else ""
    return (
        f"The table of {model} has {made.tokens:,} tokens of {made.dim} components and takes "
        f"{made.size / 2**20:.1f} MiB at {target}.\n"
        f"Error on texts it has not seen {made.held_out_error:.3f}, on those it has {made.trained_error:.3f}{rare} "
        "(1 - cosine; 0 is the model itself)." + ("" if known else f"\nRare words stay unknown: {made.no_bridge}")
    )
