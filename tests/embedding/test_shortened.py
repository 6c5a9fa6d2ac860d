"""The first components of a vector: what stays true, what is said of it, and that nothing is embedded twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embedding.cache import VectorCache
from embedding.cached import CachedEmbedder
from embedding.errors import EmbeddingError
from embedding.local import LocalEmbedder
from embedding.open import open_embedder
from embedding.settings import MemorySettings, ModelSettings
from embedding.shortened import Shortened, note_of

TEXTS = ["def parse_date(text): ...", "color: red; margin: 0", ""]


def test_vectors_are_the_first_components_of_the_whole_ones_at_norm_one(embedder: LocalEmbedder) -> None:
    short = Shortened(embedder, 96)
    whole, cut = embedder.embed_documents(TEXTS), short.embed_documents(TEXTS)
    assert cut.shape == (3, short.dim) == (3, 96)
    assert np.allclose(np.linalg.norm(cut, axis=1), 1, atol=1e-6)
    expected = whole[:, :96] / np.linalg.norm(whole[:, :96], axis=1, keepdims=True)
    assert np.sum(cut * expected, axis=1) == pytest.approx(1, abs=1e-3)
    asked = short.embed_query("parse a date")
    assert asked.shape == (96,)
    assert asked @ cut[0] > asked @ cut[1]
    assert short.embed_documents([]).shape == (0, 96)


def test_a_cut_model_is_another_model_by_its_name_and_says_what_it_lacks(embedder: LocalEmbedder) -> None:
    short, shorter = Shortened(embedder, 192), Shortened(embedder, 96, shortest=64)
    assert len({embedder.fingerprint, short.fingerprint, shorter.fingerprint}) == 3
    assert note_of(short).startswith("192 of 384 components are kept (model.dimensions), at a loss")
    assert "trained to be cut so" in note_of(shorter)
    assert "at a loss" in note_of(Shortened(embedder, 63, shortest=64))
    assert note_of(embedder) == note_of(None) == ""
    assert short.over(embedder).fingerprint == short.fingerprint


@pytest.mark.parametrize("dimensions", [384, 385, 3584])
def test_more_components_than_there_are_cannot_be_kept(tmp_path: Path, model_path: Path, dimensions: int) -> None:
    settings = ModelSettings(directory=str(model_path.parent), dimensions=dimensions)
    sentence = rf"model\.dimensions is {dimensions}, and this model's vectors have 384 components: set 1 to 383"
    with pytest.raises(EmbeddingError, match=sentence):
        open_embedder(settings, MemorySettings(), tmp_path, tmp_path)


def test_the_cache_keeps_whole_vectors_so_that_another_cut_embeds_nothing_again(
    tmp_path: Path, embedder: LocalEmbedder
) -> None:
    cached = CachedEmbedder(embedder, VectorCache(tmp_path / "v.sqlite3", 1 << 20))
    first = Shortened(cached, 96).embed_documents(TEXTS)
    known = Shortened(cached, 192).remembered(TEXTS)
    assert sorted(known) == [0, 1, 2]
    assert all(vector.shape == (192,) for vector in known.values())
    again = Shortened(cached, 96).remembered(TEXTS)
    assert np.allclose([again[place] for place in range(3)], first, atol=2e-3)  # the cache keeps half floats


def test_the_settings_choose_how_much_is_kept(tmp_path: Path, model_path: Path) -> None:
    settings = ModelSettings(directory=str(model_path.parent), dimensions=128, shared=False)
    opened = open_embedder(settings, MemorySettings(), tmp_path, tmp_path)
    try:
        assert opened.dim == 128
        assert note_of(opened)
    finally:
        opened.close()
