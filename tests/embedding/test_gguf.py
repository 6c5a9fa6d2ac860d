from __future__ import annotations

import re
import shutil
import struct
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.large import header_growth
from embedding.errors import ModelInvalidError, ModelMissingError
from embedding.gguf import MAX_KEYS, MAX_TENSORS, complete_spec, read_header
from embedding.local import LocalEmbedder
from embedding.model import ModelSpec, Pooling, spec_for
from embedding.settings import ModelSettings


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def tensor(name: str, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    return text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


ARCHITECTURE = pair("general.architecture", 8, text("bert"))
TOKENS = pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 2) + text("a") + text("b"))


def file_of(path: Path, pairs: list[bytes], tensors: list[bytes], data: int = 4096, start: bytes | None = None) -> Path:
    """A GGUF file of these parts; ``start`` replaces the first 24 bytes."""
    head = start or b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs))
    header = head + b"".join(pairs) + b"".join(tensors)
    path.write_bytes(header + bytes(-len(header) % 32) + bytes(data))
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return file_of(tmp_path / "small.gguf", [ARCHITECTURE, TOKENS], [tensor("w", (32, 32), 0, 0)])


def test_the_default_model_says_what_it_is(model_path: Path) -> None:
    header = read_header(model_path)
    assert (header.architecture, header.embedding_length, header.context_length) == ("bert", 384, 512)
    assert header.pooling is Pooling.MEAN
    assert header.vocab_size == 30_522
    assert len(header.tensors) == 101
    assert header.data_offset + sum(tensor.size for tensor in header.tensors) <= model_path.stat().st_size


def test_a_small_file_is_read(small: Path) -> None:
    header = read_header(small)
    assert header.vocab_size == 2
    assert [(entry.name, entry.size) for entry in header.tensors] == [("w", 4096)]


def test_a_file_cut_anywhere_is_refused_in_words(small: Path, tmp_path: Path) -> None:
    whole = small.read_bytes()
    start = len(whole) - 4096
    for length in [*range(start), *range(start, len(whole), 512), len(whole) - 1]:
        cut = tmp_path / "cut.gguf"
        cut.write_bytes(whole[:length])
        with pytest.raises(ModelInvalidError, match=r"was not loaded: .*; delete it and fetch it again"):
            read_header(cut)


def test_the_real_model_cut_in_half_is_refused_with_what_is_missing(model_path: Path, tmp_path: Path) -> None:
    half = tmp_path / model_path.name
    half.write_bytes(model_path.read_bytes()[: model_path.stat().st_size // 2])
    with pytest.raises(ModelInvalidError, match=r"\d\d,\d{3},\d{3} bytes shorter than its tensors"):
        read_header(half)


HUGE = (1 << 63) - 1
DAMAGE: dict[str, Callable[[Path], Path]] = {
    "it does not begin with GGUF": lambda path: file_of(path, [], [], start=b"<html><body>Not found   "),
    "its GGUF version is 1": lambda path: file_of(path, [], [], start=b"GGUF" + struct.pack("<IQQ", 1, 0, 0)),
    "it claims 9223372036854775807 tensors": lambda path: file_of(
        path, [], [], start=b"GGUF" + struct.pack("<IQQ", 3, HUGE, 0)
    ),
    "has the unknown type 77": lambda path: file_of(path, [pair("x", 77, b"")], []),
    "a text in its header claims": lambda path: file_of(path, [struct.pack("<Q", HUGE)], []),
    "a list claims": lambda path: file_of(path, [pair("x", 9, struct.pack("<IQ", 8, HUGE))], []),
    "it ends in the middle": lambda path: file_of(path, [pair("x", 9, struct.pack("<IQ", 4, HUGE))], []),
    "stands there twice": lambda path: file_of(path, [ARCHITECTURE, ARCHITECTURE], []),
    "a key in its header has no name": lambda path: file_of(path, [pair("", 4, bytes(4))], []),
    "its vocabulary is a list of 2 values of type 4": lambda path: file_of(
        path, [pair("tokenizer.ggml.tokens", 9, struct.pack("<IQII", 4, 2, 0, 0))], []
    ),
    "it claims 1 tensors and 513 keys": lambda path: file_of(
        path, [], [], start=b"GGUF" + struct.pack("<IQQ", 3, 1, 513)
    ),
    "array of the unknown type 9": lambda path: file_of(path, [pair("x", 9, struct.pack("<IQ", 9, 1))], []),
    "its alignment is 3": lambda path: file_of(path, [pair("general.alignment", 4, struct.pack("<I", 3))], []),
    "it holds no tensors": lambda path: file_of(path, [ARCHITECTURE], []),
    "claims 9 dimensions": lambda path: file_of(path, [], [tensor("w", (1,) * 9, 0, 0)]),
    "has the unknown type 4": lambda path: file_of(path, [], [tensor("w", (32,), 4, 0)]),
    "impossible shape": lambda path: file_of(path, [], [tensor("w", (33,), 8, 0)]),
    "bytes shorter than its tensors": lambda path: file_of(path, [], [tensor("w", (HUGE, HUGE), 0, 0)]),
    "lies at a place where none can be": lambda path: file_of(
        path, [], [tensor("v", (32,), 0, 0), tensor("w", (32,), 0, 64)]
    ),
    "'u' lies at a place where none can be": lambda path: file_of(
        path, [], [tensor("t", (32,), 0, 0), tensor("u", (32,), 0, 256)]
    ),
    "bear the same name": lambda path: file_of(path, [], [tensor("w", (32,), 0, 0), tensor("w", (32,), 0, 128)]),
}


@pytest.mark.parametrize("cause", DAMAGE)
def test_damage_is_named(cause: str, tmp_path: Path) -> None:
    with pytest.raises(ModelInvalidError, match=cause):
        read_header(DAMAGE[cause](tmp_path / "damaged.gguf"))


def test_a_token_that_stands_twice_is_refused_before_it_ends_a_process(tiny_decoder: Path, tmp_path: Path) -> None:
    twice = tmp_path / "twice.gguf"
    twice.write_bytes(tiny_decoder.read_bytes().replace(b"[PAD570]", b"[PAD569]"))
    assert read_header(twice).arrays["tokenizer.ggml.tokens"].repeated == "[PAD569]"
    with pytest.raises(ModelInvalidError, match=r"the token '\[PAD569\]' stands twice in its vocabulary"):
        complete_spec(spec_for(str(twice)), read_header(twice), twice)


def test_tokens_that_differ_after_a_zero_are_the_same(tiny_decoder: Path, tmp_path: Path) -> None:
    twice = tmp_path / "twice.gguf"
    changed = tiny_decoder.read_bytes().replace(b"[PAD570]", b"[PAD\x0070]").replace(b"[PAD569]", b"[PAD\x0069]")
    twice.write_bytes(changed)
    assert read_header(twice).arrays["tokenizer.ggml.tokens"].repeated == "[PAD"


def test_a_large_header_is_read_in_less_than_four_megabytes(tmp_path: Path) -> None:
    """A large vocabulary, and as many keys and tensors as are taken, each as long as it may be."""
    tokens = b"".join(text(f"token number {place}") for place in range(65_536))
    pairs = [pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 65_536) + tokens)]
    pairs += [pair(f"{place:0256}", 8, text("x" * 5000)) for place in range(MAX_KEYS - 1)]
    tensors = [tensor(f"{place:063}", (32, 1, 1, 1), 0, 128 * place) for place in range(MAX_TENSORS)]
    path = file_of(tmp_path / "large.gguf", pairs, tensors, data=128 * MAX_TENSORS)
    grown = header_growth(path)
    assert grown < 4_000_000
    assert grown > 0 or sys.platform != "linux"
    tracemalloc.start()
    header = read_header(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (header.vocab_size, len(header.tensors), len(header.values)) == (65_536, MAX_TENSORS, MAX_KEYS - 1)
    assert peak < 4_000_000


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_change_of_bytes_is_read_or_refused_in_a_sentence(data: st.DataObject, small: Path) -> None:
    whole = small.read_bytes()
    begin = data.draw(st.integers(0, len(whole) - 4096))
    end = data.draw(st.integers(begin, min(begin + 16, len(whole))))
    changed = small.with_name("changed.gguf")
    changed.write_bytes(whole[:begin] + data.draw(st.binary(max_size=16)) + whole[end:])
    try:
        complete_spec(spec_for(str(changed)), read_header(changed), changed)
    except ModelInvalidError as refusal:
        assert re.fullmatch(r"The model file .* (was not loaded: .*|says not how .*)[;:] .*\.", str(refusal), re.DOTALL)


def test_a_missing_file_and_a_directory_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="no model file"):
        read_header(tmp_path / "gone.gguf")
    with pytest.raises(ModelInvalidError, match="cannot be read"):
        read_header(tmp_path)


def test_a_file_of_another_model_is_refused_by_its_dimension(model_path: Path, tmp_path: Path) -> None:
    disguised = tmp_path / "coderankembed-q8_0.gguf"
    shutil.copyfile(model_path, disguised)
    with pytest.raises(ModelInvalidError, match="vectors of 384 components where coderankembed has 768"):
        LocalEmbedder(spec_for(str(disguised)), disguised, ModelSettings())


def test_a_file_that_says_not_how_to_pool_is_refused(tmp_path: Path) -> None:
    length = pair("bert.embedding_length", 4, struct.pack("<I", 32))
    path = file_of(tmp_path / "mine.gguf", [ARCHITECTURE, length, TOKENS], [tensor("w", (32, 32), 0, 0)])
    with pytest.raises(ModelInvalidError, match="says not how its token vectors are pooled"):
        LocalEmbedder(spec_for(str(path)), path, ModelSettings())


def test_a_file_llama_cpp_refuses_is_refused_in_words(spec: ModelSpec, model_path: Path, tmp_path: Path) -> None:
    damaged = tmp_path / model_path.name
    damaged.write_bytes(model_path.read_bytes().replace(b"blk.0.attn_q.weight", b"blk.0.attn_x.weight"))
    embedder = LocalEmbedder(spec, damaged, ModelSettings(processes=1))
    with pytest.raises(ModelInvalidError, match=r"was not loaded: llama\.cpp cannot load it"):
        embedder.embed_query("anything")
    embedder.close()
