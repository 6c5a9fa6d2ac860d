from __future__ import annotations

from pathlib import Path

import pytest

from embedding.errors import ModelMissingError
from embedding.files.hub_name import HubName, chosen_file, hub_name
from embedding.model import KNOWN_MODELS, spec_for

FILES = ("README.md", "m.Q4_K_M.gguf", "m-q8_0.gguf", "big/m-bf16-00001-of-00002.gguf", "mmproj-m.gguf")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("o/r", HubName("o/r")),
        ("o/r:Q8_0", HubName("o/r", "Q8_0")),
        ("o/r/f.gguf", HubName("o/r", path="f.gguf")),
        ("o/r/a/b/f.GGUF", HubName("o/r", path="a/b/f.GGUF")),
    ],
)
def test_a_hub_name_is_a_repository_and_what_is_meant_of_it(text: str, name: HubName) -> None:
    assert hub_name(text) == name
    assert str(name) == text


@pytest.mark.parametrize(
    "text",
    [
        *("m", "m.gguf", "a/m.gguf", "./a/b/m.gguf", "../a/b.gguf", "/a/b/m.gguf", "~/a/b/m.gguf", "C:/a/b/m.gguf"),
        *("C:\\a\\b\\m.gguf", "o/r/", "o/r:", "o/r/f.bin", "o/r/../../x.gguf", "o/r/.x.gguf", "o/r//x.gguf"),
        "https://h/x",
    ],
)
def test_what_is_a_path_or_would_leave_its_directory_is_no_hub_name(text: str) -> None:
    assert hub_name(text) is None


@pytest.mark.parametrize(
    ("name", "file"),
    [("o/r:q4_k_m", "m.Q4_K_M.gguf"), ("o/r:Q8_0", "m-q8_0.gguf"), ("o/r/m-q8_0.gguf", "m-q8_0.gguf")],
)
def test_a_file_is_chosen_by_quantisation_or_path(name: str, file: str) -> None:
    assert chosen_file(_name(name), FILES) == file


def test_the_only_gguf_file_needs_no_further_name() -> None:
    assert chosen_file(HubName("o/r"), ("README.md", "f.gguf", "mmproj-f.gguf")) == "f.gguf"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("o/r", r"o/r may be any of 3 files; name one: o/r/m\.Q4_K_M\.gguf, o/r/m-q8_0\.gguf, o/r/big/"),
        ("o/r:Q5_K", r"o/r holds no file of Q5_K; it has o/r/m\.Q4_K_M\.gguf"),
        ("o/r/n.gguf", r"o/r holds no n\.gguf; it has o/r/m\.Q4_K_M\.gguf"),
        ("o/r/big/m-bf16-00001-of-00002.gguf", "is cut into several files"),
    ],
)
def test_what_cannot_be_chosen_is_said_with_what_there_is(name: str, sentence: str) -> None:
    with pytest.raises(ModelMissingError, match=sentence):
        chosen_file(_name(name), FILES)


def test_a_repository_without_models_and_one_with_very_many_are_told_in_short() -> None:
    with pytest.raises(ModelMissingError, match="holds no GGUF file"):
        chosen_file(HubName("o/r"), ("model.safetensors",))
    with pytest.raises(ModelMissingError, match=r"any of 30 files.* and 18 more"):
        chosen_file(HubName("o/r"), [f"m{number}.gguf" for number in range(30)])


def test_a_known_models_own_file_is_that_model_however_it_is_named() -> None:
    known = KNOWN_MODELS["nomic-embed-code"]
    for name in ("", ":Q4_K_M", ":q4_k_m", "/nomic-embed-code.Q4_K_M.gguf"):
        assert spec_for("nomic-ai/nomic-embed-code-GGUF" + name) is known


def test_another_file_of_a_known_repository_keeps_what_is_known_of_the_model() -> None:
    known, other = KNOWN_MODELS["nomic-embed-code"], spec_for("Nomic-AI/nomic-embed-code-GGUF:Q8_0")
    assert (other.query_prefix, other.pooling, other.dim) == (known.query_prefix, known.pooling, known.dim)
    assert other.min_similarity == known.min_similarity
    assert other.prefixes_known
    assert other.parts == ()
    assert other.file_bytes == 0


def test_of_an_unknown_repository_nothing_is_guessed() -> None:
    spec = spec_for("o/r:Q8_0")
    assert (spec.dim, spec.pooling, spec.query_prefix, spec.prefixes_known) == (0, None, "", False)


def test_a_file_has_one_name_however_it_was_asked_for() -> None:
    path = Path("/data/models/o/r/big/f.gguf")
    assert {_name(text).full_name(path) for text in ("o/r", "o/r:f", "o/r/big/f.gguf")} == {"o/r/big/f.gguf"}


def _name(text: str) -> HubName:
    name = hub_name(text)
    assert name is not None
    return name
