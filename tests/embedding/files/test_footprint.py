from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from embedding.files.footprint import Footprint, estimate
from embedding.files.header import Array, GgufHeader, Tensor
from embedding.gguf import read_header
from embedding.local import LocalEmbedder
from embedding.model import spec_for
from embedding.settings import ModelSettings

GIGABYTE = 10**9


def nomic(architecture: str = "qwen2") -> GgufHeader:
    """What nomic-embed-code's header says of its size."""
    lengths = {"block_count": 28, "embedding_length": 3584, "feed_forward_length": 18_944}
    heads = {"attention.head_count": 28, "attention.head_count_kv": 4}
    numbers = lengths | heads | {"pooling_type": 3}
    values = {f"{architecture}.{key}": value for key, value in numbers.items()}
    arrays = {"tokenizer.ggml.tokens": Array(152_064, 0), "tokenizer.ggml.merges": Array(151_387, 0)}
    table = Tensor("token_embd.weight", (3584, 152_064), 14, 0, 447_068_160)
    rest = Tensor("blk.0.ffn_up.weight", (3584, 18_944), 12, table.size, 3_922_518_016)
    return GgufHeader(3, values | {"general.architecture": architecture}, arrays, (table, rest), 0)


def test_a_7b_model_is_estimated_within_a_fifth_of_what_was_measured() -> None:
    measured = {32: 120e6, 128: 148e6, 256: 179e6}  # docs/models.md
    for batch, private in measured.items():
        assert private <= estimate(nomic(), 512, batch).private_bytes < 1.2 * private
    assert estimate(nomic(), 512, 256).shared_bytes == pytest.approx(4.39e9, rel=0.01)


def test_a_decoder_that_llama_cpp_pools_is_estimated_with_its_output_head() -> None:
    measured = {64: 185e6, 128: 266e6, 256: 428e6, 512: 753e6}
    for batch, private in measured.items():
        assert private <= estimate(nomic("command-z"), 512, batch).private_bytes < 1.1 * private


def test_a_call_takes_at_least_a_window_where_it_cannot_be_read_in_pieces(model_path: Path) -> None:
    encoder = read_header(model_path)
    assert estimate(encoder, 512, 0) == estimate(encoder, 512, 32) == estimate(encoder, 512, 512)
    assert estimate(encoder, 256, 0).private_bytes < estimate(encoder, 512, 0).private_bytes
    assert estimate(nomic(), 512, 0) == estimate(nomic(), 512, 256)


def test_a_longer_window_costs_a_decoder_its_cache() -> None:
    longer, shorter = (estimate(nomic(), window, 256).private_bytes for window in (2048, 512))
    keys_and_values = 28 * 1536 * 2 * 4 * 128 * 2
    assert keys_and_values < longer - shorter < 1.1 * keys_and_values


def test_repacked_weights_are_private() -> None:
    plain, repacked = (estimate(nomic(), 512, 256, repack=repack) for repack in (False, True))
    assert repacked.private_bytes - plain.private_bytes == 3_922_518_016
    assert repacked.shared_bytes == plain.shared_bytes


def test_children_share_what_is_mapped() -> None:
    needed = Footprint(shared_bytes=100, private_bytes=10)
    assert [needed.of_children(count) for count in (0, 1, 4)] == [0, 110, 140]


def test_a_header_that_says_nothing_of_its_size_is_estimated_all_the_same() -> None:
    silent = replace(nomic(), values={"general.architecture": "qwen2"}, arrays={})
    assert 0 < estimate(silent, 512, 256).private_bytes < GIGABYTE


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells private from shared pages for a process")
@pytest.mark.parametrize("name", ["model_path", "tiny_decoder"])
def test_a_child_takes_what_was_said_or_a_quarter_less(name: str, request: pytest.FixtureRequest) -> None:
    path: Path = request.getfixturevalue(name)
    embedder = LocalEmbedder(spec_for(str(path)), path, ModelSettings(processes=1))
    try:
        embedder.embed_documents(["the quick brown fox jumps over the lazy dog " * 60] * 4)
        usage = psutil.Process(embedder.pids()[0]).memory_info()
    finally:
        embedder.close()
    window = embedder.spec.window
    private = estimate(read_header(path), window, max(256, window)).private_bytes
    assert 0.75 * private < usage.rss - usage.shared < private
