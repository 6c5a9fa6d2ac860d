from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from embedding.errors import LookupTableError
from embedding.tables.table_file import MAX_TABLE_BYTES, Bridge, TableContents, map_table, write_table
from embedding.tables.words import token_hash

TOKENS = ["parse", "page", "index", "größe", "2"]
VECTORS = np.random.default_rng(5).normal(size=(5, 16)).astype(np.float32)
FREQUENCIES = np.array([1e-3, 1e-4, 0.02, 0.0, 1.0], np.float32)
CONTENTS = TableContents(TOKENS, VECTORS, FREQUENCIES)
BRIDGE = Bridge(0xFEEDFACE12345678, np.random.default_rng(6).normal(size=(4, 16)).astype(np.float32))
REFUSED = r"The lookup table .* was not opened: .*; delete it and make it again\."


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("table") / "whole.embd"
    write_table(path, CONTENTS)
    return path.read_bytes()


@pytest.fixture(scope="module", params=[None, BRIDGE], ids=["without a bridge", "with a bridge"])
def either(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("table") / "either.embd"
    write_table(path, replace(CONTENTS, bridge=request.param))
    return path.read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "damaged.embd"


def sealed(data: bytes) -> bytes:
    """``data`` with the checksum that fits it, as a careless other program might write it."""
    return data[:56] + struct.pack("<Q", xxhash.xxh64_intdigest(data[:56] + data[64:])) + data[64:]


def patched(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_table(tmp_path / "t.embd", CONTENTS)
    table = map_table(tmp_path / "t.embd")
    order = np.argsort([token_hash(token) for token in TOKENS])
    assert table.hashes.tolist() == sorted(map(token_hash, TOKENS))
    assert np.array_equal(table.frequencies, FREQUENCIES[order])
    assert table.sif == pytest.approx(1e-3)
    decoded = table.codes * table.scales[:, None]
    limit = np.abs(VECTORS[order]).max(axis=1, keepdims=True) / 254 + 1e-6
    assert (np.abs(decoded - VECTORS[order]) <= limit).all()
    assert (table.bridge.shape, table.model) == ((0, 16), 0)


def test_a_bridge_is_written_behind_the_tokens_and_read(tmp_path: Path, whole: bytes) -> None:
    write_table(tmp_path / "t.embd", replace(CONTENTS, bridge=BRIDGE))
    table = map_table(tmp_path / "t.embd")
    assert table.model == BRIDGE.model
    assert np.array_equal(table.bridge, BRIDGE.matrix.astype(np.float16))
    data = (tmp_path / "t.embd").read_bytes()
    assert struct.unpack_from("<IfQ", data, 24) == (4, 1.0, BRIDGE.model)
    assert data[64 : len(whole)] == whole[64:]
    assert data[len(whole) :] == BRIDGE.matrix.astype("<f2").tobytes()


def test_the_file_has_the_layout_that_is_documented(whole: bytes) -> None:
    assert whole[:4] == b"EMBD"
    assert struct.unpack_from("<IIIIf", whole, 4) == (2, 1, 5, 16, pytest.approx(1e-3))
    assert struct.unpack_from("<Q", whole, 56) == (xxhash.xxh64_intdigest(whole[:56] + whole[64:]),)
    assert len(whole) == 64 + 5 * (8 + 4 + 4 + 16)


def test_a_row_of_zeros_stays_one(tmp_path: Path) -> None:
    write_table(tmp_path / "t.embd", TableContents(["a"], np.zeros((1, 4), np.float32), np.zeros(1, np.float32)))
    assert not map_table(tmp_path / "t.embd").codes.any()


def test_an_empty_file_and_a_file_of_any_shorter_length_are_refused(either: bytes, place: Path) -> None:
    for length in range(len(either)):
        place.write_bytes(either[:length])
        with pytest.raises(LookupTableError, match=REFUSED):
            map_table(place)


@given(st.data())
def test_a_file_with_any_bit_flipped_is_refused(either: bytes, place: Path, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(either) - 1))
    bit = data.draw(st.integers(0, 7))
    place.write_bytes(patched(either, at, bytes([either[at] ^ 1 << bit])))
    with pytest.raises(LookupTableError, match=REFUSED):
        map_table(place)


@given(st.data())
def test_a_damaged_file_with_a_fitting_checksum_is_refused_or_holds_numbers(
    either: bytes, place: Path, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(either) - 1))
    damage = data.draw(st.binary(min_size=1, max_size=16))
    place.write_bytes(sealed(patched(either, at, damage)))
    try:
        table = map_table(place)
    except LookupTableError:
        return
    assert np.isfinite(table.codes * table.scales[:, None]).all()
    assert np.isfinite(table.bridge).all()
    assert np.isfinite(table.sif / (table.sif + table.frequencies)).all()
    assert (np.diff(table.hashes.astype(object)) > 0).all()


@given(st.binary(max_size=300))
def test_a_foreign_file_is_refused(place: Path, content: bytes) -> None:
    for data in (content, b"EMBD" + content, sealed(b"EMBD" + bytes(60) + content)):
        place.write_bytes(data)
        with pytest.raises(LookupTableError, match=REFUSED):
            map_table(place)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "it does not begin with EMBD": lambda whole: b"GGUF" + whole[4:],
    "it ends in the middle of its header": lambda whole: whole[:40],
    "its version is 1, and only 2 is understood": lambda whole: sealed(patched(whole, 4, b"\1")),
    "hashed by algorithm 9": lambda whole: sealed(patched(whole, 8, b"\x09")),
    "it claims 0 tokens of 16": lambda whole: sealed(patched(whole, 12, b"\0")),
    "it has 224 bytes where its header tells of 256": lambda whole: sealed(patched(whole, 12, b"\6")),
    "tells of 137,438,953,504": lambda whole: sealed(patched(whole, 12, b"\xff" * 4)),
    "it has 225 bytes where its header tells of 224": lambda whole: sealed(whole + b"\0"),
    "its checksum is wrong": lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
    "its SIF constant is nan": lambda whole: sealed(patched(whole, 20, struct.pack("<f", np.nan))),
    "its power of counts is 2": lambda whole: sealed(patched(whole, 28, struct.pack("<f", 2))),
    "the hashes of its tokens do not ascend": lambda whole: sealed(patched(whole, 64, b"\xff" * 8)),
    "the scale of a vector is not between": lambda whole: sealed(patched(whole, 104, struct.pack("<f", np.inf))),
    "a frequency is not between 0 and 1": lambda whole: sealed(patched(whole, 124, struct.pack("<f", -0.5))),
    "it has 224 bytes where its header tells of 256; delete": lambda whole: sealed(patched(whole, 24, b"\1")),
    "a number of its bridge is none": lambda whole: sealed(patched(whole, 24, b"\1") + b"\x00\x7c" * 16),
}


@pytest.mark.parametrize("cause", DAMAGE)
def test_damage_is_named(cause: str, whole: bytes, place: Path) -> None:
    place.write_bytes(DAMAGE[cause](whole))
    with pytest.raises(LookupTableError, match=cause):
        map_table(place)


def test_a_missing_file_and_a_directory_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(LookupTableError, match="There is no lookup table at"):
        map_table(tmp_path / "gone.embd")
    with pytest.raises(LookupTableError, match="it cannot be read"):
        map_table(tmp_path)


NONSENSE: dict[str, TableContents] = {
    r"5 tokens have vectors of shape \(4, 16\)": replace(CONTENTS, vectors=VECTORS[:4]),
    r"5 tokens have vectors of shape \(80,\)": replace(CONTENTS, vectors=VECTORS.ravel()),
    r"0 tokens have vectors of shape \(0, 16\)": TableContents([], VECTORS[:0], FREQUENCIES[:0]),
    r"5 tokens have frequencies of shape \(4,\)": replace(CONTENTS, frequencies=FREQUENCIES[:4]),
    "'Page' is no token": replace(CONTENTS, tokens=["parse", "Page", "index", "größe", "2"]),
    "two of its tokens are the same": replace(CONTENTS, tokens=["parse", "parse", "index", "größe", "2"]),
    "a component of a vector is no number": replace(CONTENTS, vectors=VECTORS * np.float32(np.nan)),
    "or over 1e": replace(CONTENTS, vectors=VECTORS * np.float32(1e9)),
    "a frequency is not between": replace(CONTENTS, frequencies=FREQUENCIES + 1),
    r"vectors of 16 components have a bridge of shape \(4, 15\)": replace(
        CONTENTS, bridge=Bridge(1, BRIDGE.matrix[:, 1:])
    ),
    "a number of its bridge is none, or over": replace(CONTENTS, bridge=Bridge(1, BRIDGE.matrix * np.float32(1e6))),
    "its power of counts is 0": replace(CONTENTS, power=0),
    "its power of counts is nan": replace(CONTENTS, power=np.nan),
    "its SIF constant is 0": replace(CONTENTS, sif=0),
    "more than 32 MiB": replace(CONTENTS, vectors=np.zeros((5, MAX_TABLE_BYTES // 5), np.float32)),
}


@pytest.mark.parametrize("cause", NONSENSE)
def test_what_is_no_table_is_not_written(cause: str, tmp_path: Path) -> None:
    with pytest.raises(LookupTableError, match=f"was not written: .*{cause}"):
        write_table(tmp_path / "t.embd", NONSENSE[cause])
    assert not list(tmp_path.iterdir())


def test_a_failure_while_publishing_leaves_the_table_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bytes
) -> None:
    path = tmp_path / "t.embd"
    write_table(path, CONTENTS)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LookupTableError, match="No space left on device"):
        write_table(path, replace(CONTENTS, vectors=VECTORS * 2))
    assert path.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a mapped file from being replaced")
def test_a_table_that_is_mapped_outlives_its_replacement(tmp_path: Path) -> None:
    path = tmp_path / "t.embd"
    write_table(path, CONTENTS)
    before = map_table(path)
    codes = before.codes.copy()
    write_table(path, replace(CONTENTS, vectors=-VECTORS))
    assert np.array_equal(before.codes, codes)
    assert np.array_equal(map_table(path).codes, -codes)
    assert path.stat().st_mode & 0o777 == 0o600
