"""Against the gguf package's own arithmetic, on blocks of random bits: every bit of a block has its say."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import gguf
import numpy as np
import pytest

from embedding.errors import ModelInvalidError, ModelMissingError
from embedding.files.header import ROWS_TENSOR
from embedding.gguf import read_header
from embedding.tables.quantised import FORMATS
from embedding.tables.token_rows import MAX_DIM, TokenRows
from tests.embedding.test_gguf import ARCHITECTURE, tensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

TYPES = {entry.name: number for number, entry in FORMATS.items()}
# Where a block's float16 scales lie; random bits there would give infinities and numbers of 60,000.
SCALES = {"F32": (), "F16": (), "Q8_0": (0,), "Q4_K": (0, 2), "Q6_K": (208,)}


def random_rows(name: str, rows: int, dim: int, seed: int = 7) -> NDArray[np.uint8]:
    """Encoded rows of random bits, with scales of -.05 to .05; shape (rows, bytes of a row)."""
    random = np.random.default_rng(seed)
    if name in ("F32", "F16"):
        values = random.normal(size=(rows, dim)).astype("<f4" if name == "F32" else "<f2")
        return values.view(np.uint8)
    entry = FORMATS[TYPES[name]]
    blocks = random.integers(0, 256, (rows * dim // entry.elements, entry.size), np.uint8)
    for place in SCALES[name]:
        scales = random.uniform(-0.05, 0.05, (len(blocks), 1)).astype("<f2")
        blocks[:, place : place + 2] = scales.view(np.uint8)
    return blocks.reshape(rows, -1)


def table_file(path: Path, name: str, encoded: NDArray[np.uint8], dim: int, table: str = ROWS_TENSOR) -> Path:
    """A GGUF file whose token table is ``encoded``, after another tensor of 4,096 bytes."""
    entries = [tensor("w", (32, 32), 0, 0), tensor(table, (dim, len(encoded)), TYPES[name], 4096)]
    header = b"GGUF" + struct.pack("<IQQ", 3, len(entries), 1) + ARCHITECTURE + b"".join(entries)
    path.write_bytes(header + bytes(-len(header) % 32) + bytes(4096) + encoded.tobytes())
    return path


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("dim", [256, 3584, 65_536])
def test_every_row_equals_the_reference(name: str, dim: int, tmp_path: Path) -> None:
    encoded = random_rows(name, 5, dim)
    expected = gguf.dequantize(encoded, gguf.GGMLQuantizationType(TYPES[name])).reshape(5, dim)
    with TokenRows(table_file(tmp_path / "m.gguf", name, encoded, dim)) as rows:
        assert (len(rows), rows.dim) == (5, dim)
        for token in (4, 0, 2, 1, 3):
            row = rows.row(token)
            assert row.dtype == np.float32
            assert np.abs(row - expected[token]).max() <= 1e-6


@pytest.mark.parametrize("name", TYPES)
def test_the_formats_have_the_sizes_of_the_reference(name: str) -> None:
    entry = FORMATS[TYPES[name]]
    assert (entry.elements, entry.size) == gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]]


def test_the_default_models_table_is_read_as_the_reference_reads_it(model_path: Path) -> None:
    table = next(entry for entry in gguf.GGUFReader(model_path).tensors if entry.name == ROWS_TENSOR)
    expected = gguf.dequantize(table.data, table.tensor_type)
    with TokenRows(model_path) as rows:
        assert (len(rows), rows.dim) == (30_522, 384)
        for token in (0, 101, 15_000, 30_521):
            assert np.array_equal(rows.row(token), expected[token])


def test_reading_takes_less_than_ten_megabytes(tmp_path: Path) -> None:
    path = table_file(tmp_path / "m.gguf", "Q4_K", random_rows("Q4_K", 64, MAX_DIM), MAX_DIM)
    tracemalloc.start()
    try:
        with TokenRows(path) as rows:
            for token in range(64):
                rows.row(token)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * 1024 * 1024


@pytest.mark.parametrize("token", [-1, 3])
def test_a_token_that_is_not_there_is_refused(token: int, tmp_path: Path) -> None:
    path = table_file(tmp_path / "m.gguf", "F16", random_rows("F16", 3, 64), 64)
    with TokenRows(path) as rows, pytest.raises(IndexError, match=f"no token {token}: .* has 3"):
        rows.row(token)


def test_a_file_without_a_table_of_tokens_is_refused(tmp_path: Path) -> None:
    path = table_file(tmp_path / "m.gguf", "F16", random_rows("F16", 3, 64), 64, table="other.weight")
    with pytest.raises(ModelInvalidError, match="it has no table of tokens"):
        TokenRows(path)


def test_a_format_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = table_file(tmp_path / "m.gguf", "Q4_K", random_rows("Q4_K", 3, 256), 256)
    whole = path.read_bytes()
    place = whole.index(ROWS_TENSOR.encode()) + len(ROWS_TENSOR) + 20
    path.write_bytes(whole[:place] + struct.pack("<I", 10) + whole[place + 4 :])
    with pytest.raises(ModelInvalidError, match="ggml's type 10, and F32, F16, Q8_0, Q4_K, Q6_K can be read"):
        TokenRows(path)


def test_rows_of_absurd_length_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = table_file(tmp_path / "m.gguf", "F16", random_rows("F16", 1, 2 * MAX_DIM), 2 * MAX_DIM)
    with pytest.raises(ModelInvalidError, match="131072 components, which is damage"):
        TokenRows(path)


def test_a_file_cut_after_it_was_opened_is_refused(tmp_path: Path) -> None:
    path = table_file(tmp_path / "m.gguf", "F16", random_rows("F16", 3, MAX_DIM), MAX_DIM)
    with TokenRows(path) as rows:
        rows.row(2)
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size - 1)
        rows.row(1)
        with pytest.raises(ModelInvalidError, match="become shorter"):
            rows.row(2)


def test_a_vector_with_an_infinity_is_refused(tmp_path: Path) -> None:
    encoded = random_rows("Q8_0", 3, 64)
    encoded[1, :2] = np.array([np.inf], "<f2").view(np.uint8)
    with TokenRows(table_file(tmp_path / "m.gguf", "Q8_0", encoded, 64)) as rows:
        assert np.isfinite(rows.row(0)).all()
        with pytest.raises(ModelInvalidError, match="token 1 holds a number that is none"):
            rows.row(1)


def test_a_missing_and_a_cut_file_are_refused_as_read_header_does(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError):
        TokenRows(tmp_path / "gone.gguf")
    path = table_file(tmp_path / "m.gguf", "F16", random_rows("F16", 3, 64), 64)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelInvalidError, match="shorter than its tensors"):
        TokenRows(path)
    assert read_header(table_file(path, "F16", random_rows("F16", 3, 64), 64)).tensors[1].name == ROWS_TENSOR
