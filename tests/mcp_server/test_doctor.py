"""doctor: damage is told with its mend, and the mend works."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from mcp_server import home
from mcp_server.cli import main
from mcp_server.indexing import open_meaning, wanted_fingerprint
from mcp_server.settings import Settings, load
from storage.backends import open_store
from storage.fingerprint import IndexState
from tests.embedding.model_files import model_file


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "tide.py").write_text("def high_tide(hour):\n    return hour % 12\n")
    (root / "mole.py").write_text("def length_of_mole():\n    return 300\n")
    monkeypatch.setenv("CODELOUPE_STORAGE_DIRECTORY", str(tmp_path / "indexes"))
    monkeypatch.setenv("CODELOUPE_MODEL_NAME", "none")
    assert run("index", str(root)).exit_code == 0
    return root


def run(*words: str):
    return CliRunner().invoke(main, list(words))


def state(settings: Settings, root: Path) -> tuple[IndexState, set[str]]:
    store = open_store(settings.storage, home.index_directory(settings, root))
    try:
        found = store.state(wanted_fingerprint(settings, open_meaning(settings)))
        return found, set(store.files()) if found is IndexState.CURRENT else set()
    finally:
        store.close()


def test_a_sound_index_is_said_to_be_sound(project: Path) -> None:
    told = run("doctor", "--root", str(project)).output
    assert "every row holds its checksum" in told


def harm(settings: Settings, root: Path, before: bytes, after: bytes) -> None:
    """Overwrite stored text where nobody knows any more what the files were."""
    directory = home.index_directory(settings, root)
    (directory / "digests.txt").unlink()
    for path in (directory / "chunks-1.lance" / "data").glob("*.lance"):
        path.write_bytes(path.read_bytes().replace(before, after))


def test_a_model_file_that_changed_by_itself_is_found(project: Path, tmp_path: Path) -> None:
    rows = np.random.default_rng(3).normal(size=(3, 32)).astype(np.float32)
    path = model_file(tmp_path / "mine.gguf", ["[PAD]", "a", "b"], rows)
    words = "--set", f"model.name={path}", "doctor", "--root", str(project)
    assert re.search(r"ok     model file: header .*as recorded at first sight", run(*words).output)
    stat, content = path.stat(), path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert re.search(r"FAULT  model file: sha256 .*though nobody wrote to it -> put a whole file", run(*words).output)


def test_no_pull_is_advised_for_a_file_of_ones_own(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"GGUF")
    told = run("--set", f"model.name={path}", "doctor", "--root", str(project)).output
    assert re.search(r"FAULT  model: .*mine\.gguf was not loaded.* -> put a whole file there", told)
    absent = run("--set", f"model.name={tmp_path / 'gone.gguf'}", "doctor", "--root", str(project)).output
    assert re.search(r"FAULT  model: There is no model file at .* -> put a whole file there", absent)
    assert "models pull" not in told + absent


def test_too_many_dimensions_are_mended_by_the_setting(project: Path, tmp_path: Path) -> None:
    rows = np.random.default_rng(3).normal(size=(3, 32)).astype(np.float32)
    path = model_file(tmp_path / "mine.gguf", ["[PAD]", "a", "b"], rows)
    words = "--set", f"model.name={path}", "--set", "model.dimensions=32", "doctor", "--root", str(project)
    assert re.search(r"FAULT  model: model\.dimensions is 32.* -> remove model\.dimensions", run(*words).output)


def test_a_place_for_indexes_that_cannot_be_made_is_a_fault(project: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = run("--set", f"storage.directory={tmp_path / 'file' / 'indexes'}", "doctor", "--root", str(project)).output
    assert re.search(r"FAULT  indexes: .*file cannot be written -> ", told)


def test_the_lookup_table_is_said_to_be_sound_off_or_damaged(project: Path, tmp_path: Path) -> None:
    assert re.search(r"ok     table: [\d,]+ tokens of \d+", run("doctor", "--root", str(project)).output)
    off = run("--set", "model.table=none", "doctor", "--root", str(project)).output
    assert "ok     table: Sketches are turned off" in off
    (tmp_path / "mine.embd").write_bytes(b"EMBD")
    told = run("--set", f"model.table={tmp_path / 'mine.embd'}", "doctor", "--root", str(project))
    assert told.exit_code == 1
    assert "FAULT  table: The lookup table" in told.output
    assert "remove model.table" in told.output


def test_damaged_files_are_forgotten_and_found_again_by_the_next_search(project: Path) -> None:
    settings = load(project).settings
    harm(settings, project, b"return hour", b"return ours")
    assert "tide.py (has a chunk that is damaged)" in run("doctor", "--root", str(project), "--repair").output
    assert state(settings, project) == (IndexState.CURRENT, {"mole.py"})
    assert "tide.py" in run("search", "--root", str(project), "high_tide").output


def test_damage_to_no_file_in_particular_makes_the_whole_index_anew(project: Path) -> None:
    settings = load(project).settings
    directory = home.index_directory(settings, project)
    for path in (directory / "chunks-1.lance" / "data").glob("*.lance"):
        path.write_bytes(path.read_bytes()[:100])
    assert state(settings, project)[0] is IndexState.CORRUPT
    assert "mole.py" in run("search", "--root", str(project), "length_of_mole").output
    assert state(settings, project) == (IndexState.CURRENT, {"mole.py", "tide.py"})
