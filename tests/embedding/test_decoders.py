"""What a decoder with last-token pooling gives, fed in pieces and read at its final norm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import gguf
import numpy as np
import pytest

import embedding.child.layout
from benchmarks.shapes import TINY, _add_vocabulary
from embedding.child.holding import Hold
from embedding.process import Child
from embedding.wire import Load, texts_frame
from embedding.worker import Model
from tests.embedding.reference_qwen import Qwen
from tests.embedding.waiting import LIMIT_S

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

CODE = "def parse_header(path):\n    return dict(line.split('=', 1) for line in path.open() if '=' in line)\n"
TEXTS = (
    [CODE * count for count in (1, 3, 2, 1, 5)] + ["x", "", "Wo steht das?"] + [f"name_{place}" for place in range(30)]
)


def load_for(path: Path, batch: int, pooling: str = "last", window: int = 512) -> Load:
    return Load(str(path), TINY.width, pooling, window, None, False, 1, 0, "", "", batch)


def vectors_of(load: Load, texts: list[str], kind: str = "document") -> Vectors:
    child = Child(load)
    try:
        answer = child.ask(texts_frame(kind, texts), LIMIT_S)
    finally:
        child.kill()
    assert "error" not in answer.header
    return np.frombuffer(answer.body, "<f4").reshape(len(texts), load.dim)


def least_cosine(ones: Vectors, others: Vectors) -> float:
    return float((ones * others).sum(1).min())


@pytest.fixture(scope="module")
def whole(tiny_decoder: Path) -> Vectors:
    """The vectors of TEXTS, each window read in one call."""
    return vectors_of(load_for(tiny_decoder, 512), TEXTS)


@pytest.mark.parametrize("batch", [16, 33, 64, 256])
def test_a_small_batch_gives_the_vectors_of_a_large_one(batch: int, tiny_decoder: Path, whole: Vectors) -> None:
    assert least_cosine(vectors_of(load_for(tiny_decoder, batch), TEXTS), whole) > 0.9999


def test_vectors_are_those_of_the_weights(tiny_decoder: Path) -> None:
    model = Qwen(tiny_decoder, TINY)
    texts = TEXTS[:5]
    expected = np.array([model.embed(model.tokenize(text)) for text in texts], np.float32)
    assert least_cosine(vectors_of(load_for(tiny_decoder, 32), texts), expected) > 0.999


def test_a_text_over_the_window_is_read_in_windows_of_pieces(tiny_decoder: Path) -> None:
    texts = [CODE * 40]
    expected = vectors_of(load_for(tiny_decoder, 512), texts)
    assert least_cosine(vectors_of(load_for(tiny_decoder, 32), texts), expected) > 0.9999


def test_a_query_over_the_batch_is_read_whole(tiny_decoder: Path) -> None:
    query = ["where is the header of a file parsed " * 8]
    expected = vectors_of(load_for(tiny_decoder, 512), query, "query")
    assert least_cosine(vectors_of(load_for(tiny_decoder, 16), query, "query"), expected) > 0.9999


def test_mean_pooling_over_a_decoder_reads_windows_whole(tiny_decoder: Path) -> None:
    """llama.cpp would average over the last piece alone."""
    expected = vectors_of(load_for(tiny_decoder, 512, "mean"), TEXTS)
    assert least_cosine(vectors_of(load_for(tiny_decoder, 16, "mean"), TEXTS), expected) > 0.9999


@pytest.fixture(params=["qwen2", "qwen3"])
def decoder(request: pytest.FixtureRequest, tiny_decoder: Path, tmp_path: Path) -> Path:
    return tiny_decoder if request.param == "qwen2" else written_qwen3(tmp_path / "tiny3.gguf")


def test_the_final_norm_is_what_llama_cpp_pools(decoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tapped = Model(load_for(decoder, 48), Hold())
    monkeypatch.setattr(embedding.child.layout, "TAPPED_ARCHITECTURES", ())
    pooled = Model(load_for(decoder, 48), Hold())
    assert tapped.context.layout.tapped
    assert not pooled.context.layout.tapped
    assert least_cosine(tapped.embed("document", TEXTS)[0], pooled.embed("document", TEXTS)[0]) > 0.9999


def written_qwen3(path: Path) -> Path:
    """A Qwen3 (norms over each head's queries and keys) of TINY's shape and vocabulary, with random weights."""
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_block_count(TINY.layers)
    writer.add_context_length(TINY.context)
    writer.add_embedding_length(TINY.width)
    writer.add_feed_forward_length(TINY.feed_forward)
    writer.add_head_count(TINY.heads)
    writer.add_head_count_kv(TINY.kv_heads)
    writer.add_key_length(TINY.width // TINY.heads)
    writer.add_value_length(TINY.width // TINY.heads)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_pooling_type(gguf.PoolingType.LAST)
    _add_vocabulary(writer, TINY)
    for name, shape in qwen3_tensors():
        drawn = np.random.default_rng(len(name)).normal(0, shape[-1] ** -0.5, shape)
        writer.add_tensor(name, (drawn + 1 if len(shape) == 1 else drawn).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def qwen3_tensors() -> Iterator[tuple[str, tuple[int, ...]]]:
    width, inner, head = TINY.width, TINY.feed_forward, TINY.width // TINY.heads
    yield "token_embd.weight", (TINY.vocabulary, width)
    yield "output_norm.weight", (width,)
    for layer in range(TINY.layers):
        for name, shape in {
            "attn_norm": (width,), "ffn_norm": (width,), "attn_q_norm": (head,), "attn_k_norm": (head,),
            "attn_q": (width, width), "attn_output": (width, width),
            "attn_k": (TINY.kv_width, width), "attn_v": (TINY.kv_width, width),
            "ffn_gate": (inner, width), "ffn_up": (inner, width), "ffn_down": (width, inner),
        }.items():  # fmt: skip
            yield f"blk.{layer}.{name}.weight", shape
