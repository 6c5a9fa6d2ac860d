"""What the real model gives."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedding.errors import EmbeddingError
from embedding.local import LocalEmbedder
from embedding.model import ModelSpec, Pooling, spec_for
from embedding.process import Child
from embedding.settings import ModelSettings
from embedding.wire import Frame, Load, texts_frame
from tests.embedding import reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

CODE = '''def parse_header(path: Path) -> dict[str, str]:
    """Read the key=value lines at the top of a file."""
    with path.open() as file:
        return dict(line.rstrip().split("=", 1) for line in file if "=" in line)
'''
THREE_TEXTS = [
    "How are search results of several engines fused into one ranking?",
    CODE,
    "Déjà vu: unbelievable_snake_case, camelCaseIdentifiers & xqzzyblorp -> 0x7fffffff; 日本 naïve!",
]


def vector_of(embedder: LocalEmbedder, text: str) -> NDArray[np.float32]:
    vectors = embedder.embed_documents([text], timeout_s=60)
    vector: NDArray[np.float32] = vectors[0]
    return vector


@pytest.mark.parametrize("text", THREE_TEXTS, ids=["question", "code", "odd words"])
def test_vectors_are_those_of_the_published_weights(text: str, embedder: LocalEmbedder, published: Path) -> None:
    tokens = reference.tokenize(text, published / "vocab.txt")
    expected = reference.embed(tokens, published / "model.safetensors")
    assert float(vector_of(embedder, text) @ expected) > 0.999


def test_vectors_have_the_dimension_and_norm_one(embedder: LocalEmbedder) -> None:
    vectors = embedder.embed_documents(THREE_TEXTS, timeout_s=60)
    assert vectors.shape == (3, embedder.dim) == (3, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_meaning_is_nearer_than_words_that_have_nothing_to_do_with_it(embedder: LocalEmbedder) -> None:
    question = embedder.embed_query("where are the settings of a file read", timeout_s=60)
    near, far = embedder.embed_documents([CODE, "def draw_circle(canvas, radius): canvas.ellipse(radius)"])
    assert question.shape == (384,)
    assert float(question @ near) > embedder.min_similarity > float(question @ far)


def test_no_text_gives_no_vector(embedder: LocalEmbedder) -> None:
    assert embedder.embed_documents([]).shape == (0, 384)


def test_a_thousand_texts_of_any_length_come_back_in_their_order(embedder: LocalEmbedder) -> None:
    rng = np.random.default_rng(7)
    texts = [" ".join(f"name_{number}" for number in rng.integers(0, 9, rng.integers(1, 5))) for _ in range(1000)]
    together = embedder.embed_documents(texts, timeout_s=240)
    for place in (0, 1, 499, 998, 999):
        assert float(together[place] @ vector_of(embedder, texts[place])) > 0.999


def test_blank_texts_all_have_the_vector_of_the_empty_text(embedder: LocalEmbedder) -> None:
    vectors = embedder.embed_documents(["", "   ", "\n\t\r\n", "\u00a0\u3000"], timeout_s=60)
    assert np.allclose(vectors, vectors[0], atol=1e-5)
    assert np.isclose(np.linalg.norm(vectors[0]), 1, atol=1e-5)
    assert float(vectors[0] @ vector_of(embedder, CODE)) < 0.9


ODD_TEXTS = {
    "NUL": "a\0b\0\0",
    "only NUL": "\0" * 50,
    "half a surrogate pair": "x = '\ud83d'",
    "emoji and joiners": "👩‍👩‍👧‍👦🏳️‍🌈" * 20,
    "right to left": "\u202eمرحبا بالعالم\u202c",
    "combining marks": "e" + "\u0301" * 500,
    "controls": "\x1b[31mred\x1b[0m\x07\x08",
    "noncharacters": "\ufffe\uffff\U0010ffff",
    "a special token's name": "[CLS] [SEP] [PAD] [MASK] ##ing \u2581start",
    "one word of 100,000 letters": "x" * 100_000,
}


@pytest.mark.parametrize("name", ODD_TEXTS)
def test_odd_text_gets_a_vector_and_the_child_lives_on(name: str, embedder: LocalEmbedder) -> None:
    vector_of(embedder, CODE)
    children = embedder.pids()
    assert np.isclose(np.linalg.norm(vector_of(embedder, ODD_TEXTS[name])), 1, atol=1e-5)
    assert embedder.pids() == children


def test_a_special_tokens_name_in_a_text_is_text(embedder: LocalEmbedder) -> None:
    named, plain = embedder.embed_documents(["before [SEP] after", "before sep after"])
    assert float(named @ plain) < 0.999


def test_a_text_of_ten_thousand_tokens_is_read_whole_in_windows(embedder: LocalEmbedder) -> None:
    about_files = "read the file and close the file handle. " * 60
    about_both = about_files * 10 + "colour of the flower petals in the garden. " * 600
    children = embedder.pids()
    files, both = embedder.embed_documents([about_files, about_both], timeout_s=120)
    garden = vector_of(embedder, "colour of the flower petals in the garden. " * 25)
    assert embedder.pids()[: len(children)] == children
    assert float(both @ garden) > float(files @ garden) + 0.2  # the end of the text was read, too


def test_windows_are_averaged_by_their_tokens(embedder: LocalEmbedder) -> None:
    first, second = "alpha " * 127, "omega " * 127  # 254 tokens fill a window beside [CLS] and [SEP]
    both = vector_of(embedder, first * 2 + second * 2)
    parts = embedder.embed_documents([first * 2, second * 2])
    middle = parts.sum(0) / np.linalg.norm(parts.sum(0))
    assert float(both @ middle) > 0.99


def test_many_threads_may_ask_at_once(embedder: LocalEmbedder) -> None:
    texts = [f"def handler_{place}(event): return event.{place}" for place in range(8)]
    alone = embedder.embed_documents(texts, timeout_s=60)
    found: dict[int, NDArray[np.float32]] = {}

    def ask(place: int) -> None:
        found[place] = embedder.embed_documents([texts[place]], timeout_s=60)[0]

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert all(float(found[place] @ alone[place]) > 0.999 for place in range(8))


def load_for(path: Path, *, add_eos: bool | None = None, query_prefix: str = "") -> Load:
    return Load(str(path), 384, Pooling.MEAN, 256, add_eos, False, 1, 0, query_prefix, "")


def answered(load: Load, kind: str, texts: list[str]) -> Frame:
    child = Child(load)
    try:
        return child.ask(texts_frame(kind, texts), 60)
    finally:
        child.close()


def test_the_query_prefix_is_read_with_queries_only(model_path: Path) -> None:
    load = load_for(model_path, query_prefix="Represent this query for searching relevant code: ")
    prefixed = answered(load, "query", ["open a file"]).header["tokens"]
    assert prefixed == answered(load, "document", ["open a file"]).header["tokens"] + 8


def test_the_prefix_is_repeated_in_every_window(model_path: Path) -> None:
    load = load_for(model_path, query_prefix="code: ")
    plain = answered(load_for(model_path), "query", ["word " * 600]).header["tokens"]
    assert plain == 600 + 3 * 2
    assert answered(load, "query", ["word " * 600]).header["tokens"] == plain + 3 * 2


def test_the_fingerprint_names_what_changes_a_vector(
    spec: ModelSpec, model_path: Path, embedder: LocalEmbedder
) -> None:
    again = LocalEmbedder(spec, model_path, ModelSettings())
    other = LocalEmbedder(replace(spec, query_prefix="query: "), model_path, ModelSettings())
    narrow = LocalEmbedder(replace(spec, window=128), model_path, ModelSettings())
    assert again.fingerprint == embedder.fingerprint
    assert len({again.fingerprint, other.fingerprint, narrow.fingerprint}) == 3


def test_a_model_named_by_its_path_is_run_as_its_file_says(model_path: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(model_path.read_bytes())
    embedder = LocalEmbedder(spec_for(str(mine)), mine, ModelSettings(processes=1))
    assert (embedder.spec.pooling, embedder.dim, embedder.spec.window) == (Pooling.MEAN, 384, 512)
    assert np.isclose(np.linalg.norm(embedder.embed_query("x", timeout_s=60)), 1, atol=1e-5)
    embedder.close()


def test_a_closed_embedder_says_so(spec: ModelSpec, model_path: Path) -> None:
    closed = LocalEmbedder(spec, model_path, ModelSettings())
    closed.close()
    with pytest.raises(EmbeddingError, match="closed"):
        closed.embed_query("x")
    with pytest.raises(EmbeddingError, match="closed"):
        closed.embed_documents(["x" * 20_000, "y" * 20_000])
