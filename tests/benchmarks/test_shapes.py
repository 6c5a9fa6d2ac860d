from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.shapes import NOMIC, TINY, planned_tensors, write_model
from embedding.gguf import read_header
from embedding.local import LocalEmbedder
from embedding.model import KNOWN_MODELS, Pooling, spec_for
from embedding.settings import ModelSettings
from tests.embedding.reference_qwen import Qwen

TEXTS = [
    "def parse(request): return request.body",
    "how are vectors written to disk",
    "x",
    "  indented\n\tlines 123 and números, 漢字",
    "the last word is what counts " * 12,
]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shapes") / "tiny.gguf"
    write_model(TINY, path)
    return path


@pytest.fixture(scope="module")
def embedder(tiny: Path) -> Iterator[LocalEmbedder]:
    opened = LocalEmbedder(spec_for(str(tiny)), tiny, ModelSettings(processes=1, query_threads=1))
    yield opened
    opened.close()


def test_the_tiny_model_says_what_it_is(tiny: Path) -> None:
    header = read_header(tiny)
    assert (header.architecture, header.embedding_length, header.vocab_size) == ("qwen2", 64, 600)
    assert header.pooling is Pooling.LAST
    assert tiny.stat().st_size < 300_000


def test_the_same_seed_gives_the_same_file_and_another_seed_another(tiny: Path, tmp_path: Path) -> None:
    again, other = tmp_path / "again.gguf", tmp_path / "other.gguf"
    write_model(TINY, again)
    write_model(TINY, other, seed=6)
    assert again.read_bytes() == tiny.read_bytes()
    assert other.read_bytes() != tiny.read_bytes()


def test_its_vectors_are_those_of_the_last_token_in_a_plain_qwen2(tiny: Path, embedder: LocalEmbedder) -> None:
    plain = Qwen(tiny, TINY)
    expected = np.array([plain.embed(plain.tokenize(text)) for text in TEXTS])
    vectors = np.array([embedder.embed_query(text) for text in TEXTS])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert ((vectors * expected).sum(axis=1) > 0.999).all()
    others = vectors @ expected.T - 2 * np.eye(len(TEXTS))
    assert others.max() < 0.97  # or the comparison would say nothing


def test_a_batch_gives_the_vectors_that_single_texts_give(embedder: LocalEmbedder) -> None:
    together = embedder.embed_documents(TEXTS)
    alone = np.array([embedder.embed_query(text) for text in TEXTS])
    assert ((together * alone).sum(axis=1) > 0.9999).all()


def test_nomics_shape_has_the_weights_and_bytes_of_the_published_file() -> None:
    tensors = planned_tensors(NOMIC)
    assert len(tensors) == 338
    assert 7.07e9 <= sum(tensor.rows * tensor.columns for tensor in tensors) < 7.075e9
    assert 4.36e9 < sum(tensor.bytes for tensor in tensors) < 4.385e9
    assert NOMIC.width == KNOWN_MODELS[NOMIC.name].dim
