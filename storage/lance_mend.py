"""What is left of an index whose files are damaged, and how it is brought back without a loss.

Commits can be stepped back from, indexes made anew from the rows, vectors fetched again from the cache. Rows themselves
are only made again from the files of the root, and then all of them: which were lost, nobody can tell.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from storage.errors import IndexUnusableError
from storage.lance import Database
from storage.lance_tables import create_vectors, index_chunks, index_files, index_vectors
from storage.layout import IndexFile, Layout

_log = logging.getLogger(__name__)


def mend_tables(layout: Layout, file: IndexFile, damaged: Collection[str]) -> None:
    """Do without what is ``damaged`` (paths in the index directory). Raises IndexUnusableError where rows are lost.

    For the writer, who then asks which files tell different stories. Also steps back from commits that are empty: the
    library never forces its files to the disk, so after a power cut the newest one may be there without its bytes.
    """
    for path in damaged:
        _log.warning("The file %s of the index in %s is not what was written.", path, layout.directory)
    lost = {table for table, kind in map(_kind, damaged) if kind == "rows"}
    lost |= {name for name in file.tables if not _step_back(layout.directory / f"{name}.lance", damaged)}
    if lost - {file.vectors}:
        raise IndexUnusableError(f"The index in {layout.directory} has lost rows ({sorted(lost)}): index again.")
    if lost:
        create_vectors(layout, file, file.fingerprint)
    reindex(layout, {table for table, kind in map(_kind, damaged) if kind == "index"} - lost)


def reindex(layout: Layout, tables: Collection[str]) -> None:
    """Make the indexes of these tables anew, from their rows."""
    file = layout.read_index()
    if file is None or not tables:
        return
    database = Database(layout.directory)
    try:
        if file.chunks in tables:
            chunks = database.open(file.chunks)
            chunks.drop_index("sketch")  # made again by the next upkeep, where it pays
            index_chunks(chunks)
            file = replace(file, sketch_index_rows=0)
        if file.files in tables:
            index_files(database.open(file.files))
        if file.vectors and file.vectors in tables:
            vectors = database.open(file.vectors)
            vectors.drop_index("embedding")  # likewise
            index_vectors(vectors)
            file = replace(file, vector_index="exact", vector_index_rows=0)
        layout.write_index(file)
    finally:
        database.close()


def _kind(path: str) -> tuple[str, str]:
    """The table that a damaged file belongs to, and what of it: "commit", "index" or "rows"."""
    table, folder, *_ = path.split("/")
    return table.removesuffix(".lance"), {"_versions": "commit", "_indices": "index"}.get(folder, "rows")


def _step_back(table: Path, damaged: Collection[str]) -> bool:
    """Remove the newest commits of ``table`` that are damaged or empty; whether one remains."""
    hint = table / "_versions" / "latest_version_hint.json"
    if any(path.startswith(f"{table.name}/_versions/") for path in damaged):
        hint.unlink(missing_ok=True)  # it names one that is not to be used, or not even there
    for commit in sorted((table / "_versions").glob("*.manifest")):  # named so that the newest sorts first
        if commit.stat().st_size and f"{table.name}/_versions/{commit.name}" not in damaged:
            return True
        _log.warning("The commit %s of %s is damaged; the one before it is used.", commit.name, table.name)
        commit.unlink()
        hint.unlink(missing_ok=True)
    return False
