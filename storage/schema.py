"""The stored form of chunks, vectors and files: Arrow schemas, rows from nouns and back, checksums.

History of SCHEMA, newest first; an index with another one is rebuilt, never read:
    4  chunks have a sketch
    3  terms mark what a chunk defines, and shortened words are spelled out; files know what they import
    2  terms without their endings
    1  chunks, vectors and files in three tables, joined by the chunk's id
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import xxhash

from storage.chunk import Chunk, FileRecord, FileRows, Outline
from storage.errors import IndexUnusableError
from storage.ranking.terms import index_terms

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

SCHEMA = "4"

CHUNK_FIELDS = tuple(Chunk.__dataclass_fields__)
OUTLINE_FIELDS = tuple(Outline.__dataclass_fields__)
FILE_FIELDS = tuple(FileRecord.__dataclass_fields__)
_CHUNK_VALUES = attrgetter(*CHUNK_FIELDS)
_FILE_VALUES = attrgetter(*FILE_FIELDS)
_INTEGERS = ("chunk_index", "start_line", "end_line", "start_byte", "end_byte", "chunk_count")
_LONG_INTEGERS = ("size", "mtime_ns")
MOST_LINES = 2**31 - 1  # of a file, as stored
# Only the text index reads terms, from one end to the other: 246 bytes a row compressed, 654 without, built as fast.
_COMPRESSED = {
    "lance-encoding:compression": "zstd",
    "lance-encoding:compression-level": "3",
    "lance-encoding:structural-encoding": "miniblock",
}


def chunk_schema(sketch_dim: int) -> pa.Schema:
    """All of Chunk, ``terms`` for the text index, the row's checksum, and its sketch unless ``sketch_dim`` is 0.

    Sketches keep half precision: a scan of 60,000 x 160 takes 15 ms where single precision takes 25.
    """
    import pyarrow as pa

    terms = _field("terms").with_metadata(_COMPRESSED)
    fields = [*map(_field, CHUNK_FIELDS), terms, pa.field("checksum", pa.uint64(), nullable=False)]
    if sketch_dim:
        fields.append(pa.field("sketch", pa.list_(pa.float16(), sketch_dim), nullable=False))
    return pa.schema(fields)


def vector_schema(dim: int) -> pa.Schema:
    """A chunk's vector, and what a search filters by before it looks at vectors.

    Single precision, though half would do for recall: on half precision product quantisation trains ten times longer
    (10,000 x 384: 37 s of processor time against 4) and an exact scan takes 8 ms instead of 5. Price: 768 bytes a row.
    """
    import pyarrow as pa

    return pa.schema(
        [
            *map(_field, ("id", "file_path", "language", "kind")),
            pa.field("embedding", pa.list_(pa.float32(), dim), nullable=False),
            pa.field("checksum", pa.uint64(), nullable=False),
        ]
    )


def file_schema() -> pa.Schema:
    """All of FileRecord, and the modules the file imports."""
    import pyarrow as pa

    return pa.schema(list(map(_field, (*FILE_FIELDS, "imports"))))


def _field(name: str) -> pa.Field:
    import pyarrow as pa

    if name in _INTEGERS:
        return pa.field(name, pa.int32(), nullable=False)
    if name in _LONG_INTEGERS:
        return pa.field(name, pa.int64(), nullable=False)
    if name in ("defines", "imports"):
        return pa.field(name, pa.list_(pa.string()), nullable=False)
    return pa.field(name, pa.string(), nullable=False)


def chunk_rows(files: Iterable[FileRows], sketch_dim: int) -> pa.Table:
    """Rows of ``chunk_schema`` from the chunks of files."""
    files = list(files)
    chunks = [chunk for rows in files for chunk in rows.chunks]
    columns = _columns(CHUNK_FIELDS, map(_CHUNK_VALUES, chunks))
    columns["terms"] = [index_terms(chunk) for chunk in chunks]
    columns["checksum"] = list(map(chunk_checksum, chunks))
    if sketch_dim:
        columns["sketch"] = _sketch_column(files, sketch_dim)
    return _table(columns, chunk_schema(sketch_dim))


def _sketch_column(files: Iterable[FileRows], dim: int) -> pa.FixedSizeListArray:
    import numpy as np
    import pyarrow as pa

    none = np.zeros((0, dim), np.float16)
    rows = [one.sketches if one.sketches is not None else np.zeros((len(one.chunks), dim)) for one in files]
    stored = np.concatenate([none, *(row.astype("<f2") for row in rows)])
    return pa.FixedSizeListArray.from_arrays(pa.array(stored.reshape(-1)), dim)


def record_rows(records: Iterable[FileRecord]) -> pa.Table:
    """Rows of ``file_schema`` without what was read of the files."""
    schema = file_schema()
    columns = _columns(FILE_FIELDS, map(_FILE_VALUES, records))
    import pyarrow as pa

    return _table(columns, pa.schema([schema.field(name) for name in FILE_FIELDS]))


def file_rows(files: Iterable[FileRows]) -> pa.Table:
    """Rows of ``file_schema`` from files."""
    files = list(files)
    columns = _columns(FILE_FIELDS, (_FILE_VALUES(rows.record) for rows in files))
    columns["imports"] = [rows.imports for rows in files]
    return _table(columns, file_schema())


def label_rows(chunks: Sequence[Chunk]) -> pa.Table:
    """The part of vector rows that filters look at, without the vectors."""
    schema = vector_schema(1)
    names = ("id", "file_path", "language", "kind")
    import pyarrow as pa

    columns = {name: [getattr(chunk, name) for chunk in chunks] for name in names}
    return _table(columns, pa.schema([schema.field(name) for name in names]))


def vector_rows(chunks: Sequence[Outline], vectors: NDArray[np.float32]) -> pa.Table:
    """Rows of ``vector_schema`` from outlines and their vectors, shape (len(chunks), dim)."""
    import numpy as np
    import pyarrow as pa

    stored = np.ascontiguousarray(vectors, dtype="<f4")
    columns: dict[str, Any] = {
        name: [getattr(chunk, name) for chunk in chunks] for name in ("id", "file_path", "language", "kind")
    }
    columns["embedding"] = pa.FixedSizeListArray.from_arrays(pa.array(stored.reshape(-1)), stored.shape[1])
    columns["checksum"] = [vector_checksum(chunk.id, row.tobytes()) for chunk, row in zip(chunks, stored, strict=True)]
    return _table(columns, vector_schema(stored.shape[1]))


def vector_bytes(embeddings: pa.FixedSizeListArray) -> list[bytes]:
    """Each stored vector's bytes."""
    return [row.tobytes() for row in matrix_from(embeddings)]


def matrix_from(embeddings: pa.FixedSizeListArray | pa.ChunkedArray) -> NDArray[np.float32]:
    """Stored vectors or sketches, shape (rows, dim)."""
    import numpy as np

    flat = embeddings.combine_chunks().flatten() if hasattr(embeddings, "combine_chunks") else embeddings.flatten()
    matrix: NDArray[np.float32] = flat.to_numpy(zero_copy_only=False).reshape(-1, embeddings.type.list_size)
    return matrix.astype(np.float32, copy=False)


def ids_from(column: pa.ChunkedArray | pa.StringArray) -> NDArray[np.bytes_]:
    """Stored ids, shape (rows,): 32 bytes each, where Python's strings in a list take 89."""
    import numpy as np
    import pyarrow as pa

    return np.array(column.cast(pa.binary()).to_pylist(), dtype=np.bytes_)


def _columns(names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    return dict(zip(names, zip(*rows, strict=True), strict=False)) or dict.fromkeys(names, ())


def _table(columns: dict[str, Any], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    arrays = (columns[field.name] for field in schema)
    return pa.table(
        [
            one if isinstance(one, pa.Array) else pa.array(one, field.type)
            for one, field in zip(arrays, schema, strict=True)
        ],
        schema=schema,
    )


def chunks_from(rows: pa.Table) -> list[Chunk]:
    """Chunks from rows that have at least CHUNK_FIELDS. Raises IndexUnusableError where text is not UTF-8 any more."""
    return [Chunk(*values) for values in _values(rows, CHUNK_FIELDS)]


def outlines_from(rows: pa.Table) -> list[Outline]:
    """Outlines from rows that have at least OUTLINE_FIELDS. Raises IndexUnusableError as ``chunks_from`` does."""
    return [Outline(*values) for values in _values(rows, OUTLINE_FIELDS)]


def _values(rows: pa.Table, fields: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    try:
        columns = [rows.column(name).to_pylist() for name in fields]
    except UnicodeDecodeError as error:
        raise IndexUnusableError(f"Stored text of the index is damaged ({error}): check the index.") from error
    defines = fields.index("defines")
    columns[defines] = [tuple(names) for names in columns[defines]]
    return zip(*columns, strict=True)


def files_from(rows: pa.Table) -> list[FileRecord]:
    """Records from rows that have FILE_FIELDS."""
    return [
        FileRecord(*values) for values in zip(*(rows.column(name).to_pylist() for name in FILE_FIELDS), strict=True)
    ]


def chunk_checksum(chunk: Chunk) -> int:
    """xxh64 over every field of a chunk."""
    return xxhash.xxh64_intdigest(repr(_CHUNK_VALUES(chunk)).encode("utf-8", "surrogatepass"))


def vector_checksum(chunk_id: str, vector: bytes) -> int:
    """xxh64 over a chunk's id and its vector as stored, little-endian singles."""
    return xxhash.xxh64_intdigest(chunk_id.encode() + vector)
