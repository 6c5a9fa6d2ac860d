from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from embedding.errors import ModelMissingError
from embedding.model import DEFAULT_MODEL, KNOWN_MODELS, HubSource, Pooling, WheelSource, spec_for
from embedding.open import open_embedder
from embedding.settings import MemorySettings, ModelSettings


def test_the_default_of_the_settings_is_the_default_model() -> None:
    assert ModelSettings().name == DEFAULT_MODEL
    assert spec_for(ModelSettings().name) is KNOWN_MODELS[DEFAULT_MODEL]


def test_a_name_is_found_in_any_letter_case() -> None:
    assert spec_for("Nomic-Embed-Code").dim == 3584


def test_every_known_model_can_be_fetched_and_has_a_whole_description() -> None:
    for name, spec in KNOWN_MODELS.items():
        assert name == spec.name == name.lower()
        assert spec.file_name.endswith(".gguf")
        assert spec.dim > 0
        assert spec.pooling is not None
        assert 0 < spec.min_similarity < 1
        assert spec.window <= 512
        assert spec.licence
        assert spec.sources
        assert spec.quantisation or len(spec.parts) == 1


def test_a_wheel_is_only_used_for_files_whose_hash_we_know() -> None:
    for spec in KNOWN_MODELS.values():
        if any(isinstance(source, WheelSource) for source in spec.sources):
            assert all(len(part.sha256) == 64 for part in spec.parts)
        assert isinstance(spec.sources[0], HubSource)


def test_a_file_named_like_a_known_model_is_taken_for_it(tmp_path: Path) -> None:
    path = tmp_path / "nomic-embed-code.Q4_K_M.gguf"
    spec = spec_for(str(path))
    assert spec.path == path
    assert spec.pooling is Pooling.LAST
    assert spec.query_prefix.startswith("Represent this query")


def test_any_other_gguf_file_is_left_to_say_what_it_is(tmp_path: Path) -> None:
    spec = spec_for(str(tmp_path / "mine.gguf"))
    assert (spec.name, spec.dim, spec.pooling) == ("mine", 0, None)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ModelMissingError, match=r"'gpt-9' is no known model; name one of all-minilm-l6-v2, .*"):
        spec_for("gpt-9")


def test_a_model_that_is_not_here_is_refused_with_the_next_step_and_nothing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="run 'codeloupe models pull' once"):
        open_embedder(ModelSettings(), MemorySettings(), tmp_path / "data", tmp_path / "cache")
    assert not list(tmp_path.iterdir())


def test_a_path_that_leads_nowhere_is_refused_with_the_path(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"There is no model file at .*gone\.gguf"):
        open_embedder(ModelSettings(name=str(tmp_path / "gone.gguf")), MemorySettings(), tmp_path, tmp_path)


def test_a_path_that_reads_like_a_name_of_the_hub_is_told_how_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "m.gguf").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelMissingError, match=r"of the hub; write \./a/b/m\.gguf for the one that is here"):
        open_embedder(ModelSettings(name="a/b/m.gguf"), MemorySettings(), tmp_path, tmp_path)


def test_the_model_none_is_a_choice_and_says_how_to_undo_it(tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match="turned off"):
        open_embedder(ModelSettings(name="none"), MemorySettings(), tmp_path, tmp_path)


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "numpy", "llama_cpp", "gguf", "huggingface_hub", "pyarrow"
    code = f"import sys, embedding.open; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
