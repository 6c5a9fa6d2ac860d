"""doctor: damage is told with its mend, and the mend works."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from mcp_server import home
from mcp_server.cli import main
from mcp_server.doctor import _repair
from mcp_server.indexing import open_meaning, wanted_fingerprint
from mcp_server.settings import Settings, load
from storage.backends import open_store
from storage.fingerprint import IndexState
from storage.store import Damage


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
        return store.state(wanted_fingerprint(settings, open_meaning(settings))), set(store.files())
    finally:
        store.close()


def test_a_sound_index_is_said_to_be_sound(project: Path) -> None:
    told = run("doctor", "--root", str(project)).output
    assert "every row holds its checksum" in told


def test_damaged_files_are_forgotten_and_found_again_by_the_next_search(project: Path) -> None:
    settings = load(project).settings
    _repair(project, settings, [Damage("tide.py", "checksum")])
    assert state(settings, project) == (IndexState.CURRENT, {"mole.py"})
    assert "tide.py" in run("search", "--root", str(project), "high_tide").output


def test_damage_to_no_file_in_particular_makes_the_whole_index_anew(project: Path) -> None:
    settings = load(project).settings
    _repair(project, settings, [Damage("", "index.json")])
    assert state(settings, project)[0] is IndexState.MISSING
    assert "mole.py" in run("search", "--root", str(project), "length_of_mole").output
