"""A table out of the real model: from directories, and from what is embedded already."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import platformdirs
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from embedding.local import LocalEmbedder
from embedding.model import DEFAULT_MODEL, KNOWN_MODELS
from embedding.open import SHIPPED_TABLE, open_table, table_path
from embedding.settings import ModelSettings
from embedding.sources import obtain
from mcp_server import meaning
from mcp_server.cli import main
from mcp_server.command_line import commands, distilling
from mcp_server.command_line.distilling import LEAST_TEXTS, sample

VERBS = "open close read write parse render fetch store find merge split".split()  # noqa: SIM905
NOUNS = "file page table index token socket buffer header cache queue record branch user price ship cargo".split()  # noqa: SIM905
PLACES = ("disk", "memory", "network")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of models with the default one in it."""
    spec = KNOWN_MODELS[DEFAULT_MODEL]
    path = obtain(spec, Path(platformdirs.user_data_dir("codeloupe", appauthor=False)) / "models")
    directory = tmp_path_factory.mktemp("models")
    shutil.copy(path, directory / path.name)
    return directory


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """528 functions, each in a file of its own."""
    root = tmp_path_factory.mktemp("code")
    for verb in VERBS:
        (root / verb).mkdir()
        for noun in NOUNS:
            for place in PLACES:
                text = f"def {verb}_{noun}_{place}(it):\n    return {place}.{verb}(it.{noun})\n"
                (root / verb / f"{noun}_{place}.py").write_text(text, encoding="utf-8")
    return root


@pytest.fixture(autouse=True)
def home(models: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODELOUPE_MODEL_DIRECTORY", str(models))
    monkeypatch.setenv("CODELOUPE_STORAGE_DIRECTORY", str(tmp_path / "indexes"))
    for room in (distilling, commands, meaning):
        monkeypatch.setattr(room, "cache_directory", lambda: cache)


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def errors_told(output: str) -> list[float]:
    found = re.search(r"not seen ([\d.]+), on those it has ([\d.]+), ([\d.]+) for words", output)
    assert found, output
    return [float(error) for error in found.groups()]


def test_a_table_learned_from_directories_is_the_one_that_is_opened_from_then_on(models: Path, code: Path) -> None:
    settings = ModelSettings(directory=str(models))
    assert table_path(settings, models) == SHIPPED_TABLE
    made = run("models", "distil", "--texts", str(code))
    assert made.exit_code == 0, made.output
    held_out, trained, _ = errors_told(made.output)
    assert trained <= held_out < 0.2
    assert table_path(settings, models) == models / f"{DEFAULT_MODEL}.embd"
    table = open_table(settings, models)
    assert table.sketch(["fetch the cargo in memory"]).known.tolist() == [3]
    assert table.sketch_query("fetch the frobnicator").mapped.tolist() == [2]


def test_what_is_indexed_and_embedded_teaches_without_a_text_embedded_again(
    code: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "made" / "mine.embd"
    first = run("models", "distil", "--texts", str(code), "--out", str(tmp_path / "first.embd"))
    assert first.exit_code == 0, first.output
    assert run("--set", "model.name=none", "index", str(code)).exit_code == 0

    def never(*_: object) -> None:
        raise AssertionError("a text was embedded")

    monkeypatch.setattr(LocalEmbedder, "embed_documents", never)
    made = run("models", "distil", DEFAULT_MODEL, "--out", str(out))
    assert made.exit_code == 0, made.output
    assert errors_told(made.output) == pytest.approx(errors_told(first.output), abs=0.01)
    assert open_table(ModelSettings(table=str(out)), tmp_path).sketch(["parse the header"]).known.tolist() == [2]


def test_where_too_little_is_embedded_the_next_step_is_said(tmp_path: Path) -> None:
    refused = run("models", "distil")
    assert refused.exit_code == 2
    assert (
        f"0 vectors of {DEFAULT_MODEL} are known of what is indexed, and {LEAST_TEXTS} are the least" in refused.output
    )
    assert "--texts" in refused.output
    (tmp_path / "one.py").write_text("def one():\n    return 1\n", encoding="utf-8")
    refused = run("models", "distil", "--texts", str(tmp_path))
    assert refused.exit_code == 2
    assert "Only 1 text found, and 500 are the least" in refused.output


@pytest.mark.parametrize(
    ("name", "said"), [("none", "turned off"), ("coderankembed", "models pull"), ("x", "no known")]
)
def test_a_model_that_is_not_here_is_refused_before_anything_is_read(name: str, said: str) -> None:
    refused = run("models", "distil", name, "--texts", "/no/such/directory")
    assert refused.exit_code == 2
    assert said in refused.output


@given(st.lists(st.text(max_size=3)), st.integers(1, 20), st.randoms())
def test_a_sample_holds_each_text_once_and_is_the_same_in_any_order(
    texts: list[str], most: int, random: object
) -> None:
    chosen = sample(texts, most)
    assert len(set(chosen)) == len(chosen) == min(most, len(set(texts)))
    assert set(chosen) <= set(texts)
    shuffled = texts * 2
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sample(shuffled, most) == chosen
    assert set(sample(texts, most + 1)) >= set(chosen)
