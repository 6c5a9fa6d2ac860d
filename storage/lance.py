"""LanceDB behind a synchronous door: the only file that imports it. Tables, rows and errors; no chunks, no policy.

The library is asynchronous inside; its coroutines run on one loop of ours, in a thread of its own, so that these
functions may be called from any thread but that one. Its exceptions become ours in storage/lance_errors.py.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Coroutine, Iterator, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from storage.ann import AnnPlan, AnnQuery
from storage.lance_errors import translated
from storage.loading import unnoticed

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

T = TypeVar("T")

# Old versions are kept this long for readers that stand on them. Nothing reads for longer than a few seconds. What
# there is of them costs each reader 3 KB a commit (11 MB more after 3,000 within an hour), and the disk their files.
KEEP_VERSIONS = timedelta(minutes=10)

# Indexes that are not in force and younger are kept: one may be in the making. A reader that stood on one that goes
# asks the newest then; in an hour a first index of a large tree would leave half as much again as it holds.
KEEP_INDEXES = timedelta(minutes=2)

# What a connection keeps of indexes and of tables' descriptions. The library's own limits are 6 GB and 1 GB.
INDEX_CACHE_BYTES = 256 << 20
METADATA_CACHE_BYTES = 16 << 20  # every commit leaves 80 KB here, which nobody asks for after the next
_HIGHEST = 2**64 - 1  # commit
INDEXING_MB = 256  # that building a text index takes; half of it is as fast


@cache
def _library() -> Any:
    os.environ.setdefault("LANCEDB_LOG", "error")  # its warnings would go to the user's terminal, several a query
    with unnoticed():
        import lancedb
    return lancedb


def preload() -> None:
    """Import the library now, on the caller's thread, so that the first search need not; other threads keep running."""
    _library()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="storage-lance", daemon=True).start()
    return loop


def _run(work: Coroutine[Any, Any, T]) -> T:
    future = asyncio.run_coroutine_threadsafe(work, _loop())
    try:
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        raise


class Database:
    """A directory of tables. Close it to give back what maintenance leaks: files stay open until then."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        with translated(str(directory)):
            self._connection = _run(
                _library().connect_async(
                    str(directory),
                    read_consistency_interval=timedelta(0),
                    session=_library().Session(INDEX_CACHE_BYTES, METADATA_CACHE_BYTES),
                )
            )  # 0: every read sees the newest commit; else stale data, and errors once another process has pruned

    def open(self, name: str) -> Table:
        """An existing table. Raises IndexUnusableError where it cannot be opened."""
        label = f"The table {name} in {self._directory}"
        with translated(label):
            return Table(label, self._directory / f"{name}.lance", _run(self._connection.open_table(name)))

    def create(self, name: str, schema: pa.Schema, key: str) -> Table:
        """A new empty table; ``key`` names the column of which no two rows are equal."""
        label = f"The table {name} in {self._directory}"
        with translated(label, writing=True):
            table = _run(self._connection.create_table(name, schema=schema))
            _run(table.set_unenforced_primary_key(key))
            return Table(label, self._directory / f"{name}.lance", table)

    def close(self) -> None:
        """Let go of the connection; its tables are of no use afterwards."""
        self._connection.close()


class Table:
    """Rows, addressed by SQL conditions; "" as a condition means all of them. Each writing method is one commit."""

    def __init__(self, label: str, directory: Path, table: Any) -> None:
        self._label = label
        self._commits = directory / "_versions"
        self._indexes = directory / "_indices"
        self._table = table

    def add(self, rows: pa.Table) -> None:
        """Append rows."""
        self._write(self._table.add(rows))

    def merge(self, rows: pa.Table, key: str, where_gone: str = "") -> None:
        """Put ``rows`` in place of those with the same ``key``; drop others under ``where_gone``, all in one commit.

        ``rows`` may leave columns out; the stored ones are then kept.
        """
        merge = self._table.merge_insert(key).when_matched_update_all()
        if set(rows.schema.names) == set(self.columns):
            merge = merge.when_not_matched_insert_all()
        if where_gone:
            merge = merge.when_not_matched_by_source_delete(where_gone)
        self._write(merge.execute(rows))

    def delete(self, where: str) -> None:
        """Drop rows."""
        self._write(self._table.delete(where))

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._read(self._table.schema()).names)

    def count(self, where: str = "") -> int:
        """How many rows there are."""
        return int(self._read(self._table.count_rows(where or None)))

    def version(self) -> int:
        """The newest commit's number."""
        return int(self._read(self._table.version()))

    def commits(self) -> frozenset[str]:
        """Names of the commits there are: others after each commit. Looks at the disk alone, in a tenth of the time."""
        with translated(self._label):
            return frozenset(os.listdir(self._commits))  # noqa: PTH208 - a Path of each name would cost more than all else

    def newest(self) -> int:
        """The newest commit's number by the names on disk, which count down from the highest; 0 where there is none."""
        names = [name.removesuffix(".manifest") for name in self.commits() if name.endswith(".manifest")]
        return _HIGHEST - min(map(int, filter(str.isdecimal, names)), default=_HIGHEST)

    def select(self, columns: Sequence[str], where: str = "") -> pa.Table:
        """All rows, in no particular order."""
        return self._read(self._query(columns, where).to_arrow())

    def stream(self, columns: Sequence[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
        """All rows, a batch at a time, in bounded memory."""
        batches = self._read(self._query(columns, "").to_batches(max_batch_length=batch_rows))
        while (batch := self._read(_next(batches))) is not None:
            yield batch

    def match(self, terms: str, columns: Sequence[str], where: str, limit: int) -> pa.Table:
        """Rows by BM25 over the column ``terms``, best first, with ``_score``; rows not indexed yet are found too."""
        match = _library().query.MatchQuery(terms, "terms")
        query = self._query([*columns, "_score"], where).nearest_to_text(match)
        return self._read(query.limit(limit).to_arrow())

    def near(
        self, vector: NDArray[np.float32], columns: Sequence[str], where: str, limit: int, ask: AnnQuery | None
    ) -> pa.Table:
        """Rows by cosine distance of ``embedding``, nearest first, with ``_distance``; exact where ``ask`` is None."""
        query = self._query([*columns, "_distance"], where).nearest_to(vector).distance_type("cosine").limit(limit)
        return self._nearest(query, ask)

    def alike(
        self, vector: NDArray[np.float32], columns: Sequence[str], where: str, limit: int, ask: AnnQuery | None
    ) -> pa.Table:
        """Rows by ``sketch``, as ``near``; by 1 less the product, which rows of zeros have too."""
        query = self._query([*columns, "_distance"], where).nearest_to(vector).column("sketch")
        return self._nearest(query.distance_type("dot").limit(limit), ask)

    def _nearest(self, query: Any, ask: AnnQuery | None) -> pa.Table:
        if ask is None:
            return self._read(query.bypass_vector_index().to_arrow())
        return self._read(query.nprobes(ask.nprobes).refine_factor(ask.refine_factor).to_arrow())

    def index_keys(self, *columns: str) -> None:
        """Sorted indexes, for equality, lists and prefixes."""
        for column in columns:
            self._write(self._table.create_index(column, config=_library().index.BTree()))

    def index_labels(self, *columns: str) -> None:
        """Bitmap indexes, for columns with few values."""
        for column in columns:
            self._write(self._table.create_index(column, config=_library().index.Bitmap()))

    def index_terms(self) -> None:
        """The text index on ``terms``: split at white space, nothing folded, stemmed or left out."""
        config = _library().index.FTS(
            base_tokenizer="whitespace",
            lower_case=False,
            stem=False,
            remove_stop_words=False,
            ascii_folding=False,
            max_token_length=None,
            memory_limit=INDEXING_MB,
        )
        self._write(self._table.create_index("terms", config=config))

    def index_vectors(self, plan: AnnPlan) -> None:
        """An index on ``embedding`` as planned, in place of the one there is."""
        self._write(self._table.create_index("embedding", config=_vector_index(plan), replace=True))

    def index_sketches(self, plan: AnnPlan) -> None:
        """An index on ``sketch`` as planned, in place of the one there is."""
        config = _library().index.IvfRq(
            distance_type="dot", num_partitions=plan.partitions, max_iterations=20, sample_rate=128
        )
        self._write(self._table.create_index("sketch", config=config, replace=True))

    def drop_index(self, column: str) -> None:
        """Do without the index on ``column``, if there is one."""
        name = f"{column}_idx"
        if name in {index.name for index in self._read(self._table.list_indices())}:
            self._write(self._table.drop_index(name))

    def unindexed(self, column: str) -> int | None:
        """How many rows the index on ``column`` does not know yet; None where there is no index."""
        name = f"{column}_idx"
        statistics = self._read(self._table.index_stats(name))
        return None if statistics is None else int(statistics.num_unindexed_rows)

    def small_fragments(self) -> int:
        """How many files of rows are small enough to be joined."""
        return int(self._read(self._table.stats())["fragment_stats"]["num_small_fragments"])

    def optimize(self) -> None:
        """Join small files, bring every index up to date, prune old versions."""
        self._read(self._table.checkout_latest())  # on a stale handle optimize does nothing, silently
        self._write(self._table.optimize(cleanup_older_than=KEEP_VERSIONS))

    def drop_old_indexes(self) -> None:
        """Remove the files of indexes that are not in force, but for those just built."""
        known = self._read(self._table.list_indices())
        if any(index.num_segments != 1 for index in known):
            return  # then one name does not tell of all its files; optimize prunes them
        in_force = {index.index_uuid for index in known}
        oldest = time.time() - KEEP_INDEXES.total_seconds()
        for path in self._indexes.iterdir():
            if path.name not in in_force and path.stat().st_mtime < oldest:
                shutil.rmtree(path, ignore_errors=True)

    def _query(self, columns: Sequence[str], where: str) -> Any:
        query = self._table.query().select(list(columns))
        return query.where(where) if where else query

    def _read(self, work: Coroutine[Any, Any, T]) -> T:
        with translated(self._label):
            return _run(work)

    def _write(self, work: Coroutine[Any, Any, T]) -> T:
        with translated(self._label, writing=True):
            return _run(work)


async def _next(batches: Any) -> Any:
    return await anext(batches, None)


def _vector_index(plan: AnnPlan) -> Any:
    index = _library().index

    if plan.kind == "ivf_pq":
        return index.IvfPq(distance_type="cosine", num_partitions=plan.partitions, num_sub_vectors=plan.sub_vectors)
    if plan.kind == "ivf_rq":
        return index.IvfRq(distance_type="cosine", num_partitions=plan.partitions)
    return index.HnswSq(distance_type="cosine")
