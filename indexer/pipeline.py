"""A directory into rows: what changed is read, cut and published.

Text comes first, for the whole tree; vectors follow (indexer/refine.py). Each batch is one commit, so a pipeline that
is stopped or killed anywhere leaves whole files behind and the next run does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.changes import Changes, known_within, plan_changes
from indexer.cutters import cut_files
from indexer.cutting import Cutting, skip_record
from indexer.settings import IndexSettings
from indexer.walker import Look, walk
from storage.chunk import FileRecord, FileRows
from storage.store import ChunkStore

# A commit costs about 25 ms for 1,000 rows (docs/storage.md). The first is small, so that a first search finds
# something within a second; then they double, so that a tree of a million chunks lies in a hundred files and not in
# thousands: what is read of it by id is in as many.
FIRST_BATCH_CHUNKS = 250
LARGEST_BATCH_CHUNKS = 16_000
# New rows are searched by a scan until the text index takes them in: 40 ms a query at 10,000 rows, 270 ms at 100,000.
# Taking them in writes the whole index again, so it is done when there are half as many again as are in it: a tree of
# any size pays three times for each chunk, and a query never scans more than three chunks in five.
UNINDEXED_CHUNKS = 10_000
UNINDEXED_GROWTH = 1.5


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is; ``total`` is 0 while it is not known."""

    phase: str  # "walk", "text", "vectors", "tidy"
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class TextSummary:
    """What a refresh of the text did."""

    read: int
    removed: int
    unchanged: int
    chunks: int
    skipped: Mapping[str, int]
    finished: bool


Report = Callable[[Progress], None]
Stop = Callable[[], bool]


def drift(root: Path, known: Mapping[str, FileRecord], settings: IndexSettings, look: Look | None = None) -> Changes:
    """What differs between the index and the tree, or the part of it that ``look`` names; reads no contents."""
    if look is not None and look.part is not None:
        known = known_within(known, look.part.paths)
    return plan_changes(known, walk(root, settings, look))


def refresh_text(
    root: Path, store: ChunkStore, cutting: Cutting, report: Report, stop: Stop, look: Look | None = None
) -> TextSummary:
    """Bring the text and the sketches of ``store`` up to date with ``root``; ``stop`` is asked between files.

    The table is the one that the store's fingerprint names. Where ``look`` says anew, what was indexed answers until
    its file's turn comes; where it names a part, nothing else is looked at.
    """
    report(Progress("walk", 0, 0))
    known = store.files()
    changes = drift(root, known, cutting.settings, look)
    if look is not None and look.anew:
        known, changes = {}, replace(drift(root, {}, cutting.settings, look), gone=changes.gone)
    total = len(changes.to_read)
    store.delete_files(changes.gone)
    if changes.skipped:
        store.replace_files([FileRows(skip_record(skip), ()) for skip in changes.skipped])
    done = chunks = unindexed = 0
    indexed = sum(record.chunk_count for record in known.values())
    skipped: dict[str, int] = {}
    for batch in batches(cut_files(changes.to_read, known, cutting, stop)):
        cut = [rows for rows in batch if isinstance(rows, FileRows)]
        store.replace_files(cut)
        store.refresh_records([record for record in batch if isinstance(record, FileRecord)])
        new = sum(len(rows.chunks) for rows in cut)
        chunks, unindexed = chunks + new, unindexed + new
        if unindexed >= max(UNINDEXED_CHUNKS, UNINDEXED_GROWTH * indexed):
            store.maintain()
            indexed, unindexed = indexed + unindexed, 0
        done += len(batch)
        report(Progress("text", done, total))
    for record in store.files().values():
        if record.skipped:
            skipped[record.skipped] = skipped.get(record.skipped, 0) + 1
    finished = done == total or not stop()  # what has gone since the walk is not waited for
    return TextSummary(done, len(changes.gone), changes.unchanged, chunks, skipped, finished)


def batches(
    files: Iterable[FileRows | FileRecord], first: int = FIRST_BATCH_CHUNKS, largest: int = LARGEST_BATCH_CHUNKS
) -> Iterator[list[FileRows | FileRecord]]:
    """Group files into commits of about ``first`` chunks, doubling up to ``largest``; a file is never divided."""
    batch: list[FileRows | FileRecord] = []
    weight, target = 0, first
    for rows in files:
        batch.append(rows)
        weight += 1 + (len(rows.chunks) if isinstance(rows, FileRows) else 0)  # a record is a row as well
        if weight >= target:
            yield batch
            batch, weight, target = [], 0, min(2 * target, largest)
    if batch:
        yield batch
