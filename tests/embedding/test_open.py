from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embedding.errors import LookupTableError
from embedding.open import SHIPPED_TABLE, is_large, open_table, own_table_path, table_path, wanted_spec
from embedding.settings import ModelSettings
from embedding.tables.table_file import TableContents, write_table


def small_table(path: Path, dim: int = 8) -> Path:
    vectors = np.random.default_rng(dim).normal(size=(2, dim)).astype(np.float32)
    write_table(path, TableContents(["parse", "page"], vectors, np.full(2, 1e-4, np.float32)))
    return path


def test_the_table_made_for_the_chosen_model_is_taken_before_the_one_that_is_brought(tmp_path: Path) -> None:
    model = ModelSettings(name="nomic-embed-code")
    assert table_path(model, tmp_path) == SHIPPED_TABLE
    own = small_table(tmp_path / "models" / "nomic-embed-code.embd")
    assert table_path(model, tmp_path) == own
    assert table_path(ModelSettings(name="coderankembed"), tmp_path) == SHIPPED_TABLE
    assert open_table(model, tmp_path).sketch(["parse page"]).known.tolist() == [2]


def test_a_table_is_kept_where_models_are_kept_under_the_name_of_its_model(tmp_path: Path) -> None:
    elsewhere = ModelSettings(name="/somewhere/mine.gguf", directory=str(tmp_path / "kept"))
    assert own_table_path(wanted_spec(elsewhere), elsewhere, tmp_path) == tmp_path / "kept" / "mine.embd"


@pytest.mark.parametrize("name", ["none", "no-such-model"])
def test_without_a_model_the_table_that_is_brought_is_used(name: str, tmp_path: Path) -> None:
    assert table_path(ModelSettings(name=name), tmp_path) == SHIPPED_TABLE


def test_a_table_named_by_its_path_is_the_one_that_is_opened(tmp_path: Path) -> None:
    small_table(tmp_path / "models" / "all-minilm-l6-v2.embd")
    other = small_table(tmp_path / "other.embd", dim=16)
    assert open_table(ModelSettings(table=str(other)), tmp_path).dim == 16


def test_a_table_that_is_named_and_missing_is_refused_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(LookupTableError, match=r"There is no lookup table at .*gone"):
        open_table(ModelSettings(table=str(tmp_path / "gone.embd")), tmp_path)


def test_a_damaged_table_of_the_model_is_refused_not_replaced(tmp_path: Path) -> None:
    own = small_table(tmp_path / "models" / "all-minilm-l6-v2.embd")
    own.write_bytes(own.read_bytes()[:-1])
    with pytest.raises(LookupTableError, match="was not opened"):
        open_table(ModelSettings(), tmp_path)


def test_tables_can_be_turned_off(tmp_path: Path) -> None:
    with pytest.raises(LookupTableError, match="turned off"):
        open_table(ModelSettings(table="None"), tmp_path)


def test_opening_a_table_loads_nothing_heavy(tmp_path: Path) -> None:
    path = small_table(tmp_path / "t.embd")
    code = (
        "import sys; from pathlib import Path; from embedding.settings import ModelSettings\n"
        "from embedding.open import open_table\n"
        "assert 'numpy' not in sys.modules\n"
        f"open_table(ModelSettings(table={str(path)!r}), Path()).sketch(['parse page'])\n"
        "heavy = {'llama_cpp', 'tree_sitter', 'lancedb', 'pyarrow', 'gguf', 'huggingface_hub'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_model_is_large_by_its_file_and_one_that_is_not_there_is_not(tmp_path: Path) -> None:
    small, large = tmp_path / "small.gguf", tmp_path / "large.gguf"
    small.write_bytes(b"GGUF")
    large.touch()
    os.truncate(large, 4_000_000_000)  # a hole: no disk is taken
    asked = [is_large(ModelSettings(name=str(path)), tmp_path) for path in (small, large, tmp_path / "gone.gguf")]
    assert asked == [False, True, False]
    assert not is_large(ModelSettings(name="none"), tmp_path)
