"""doctor: damage is told with its mend, and the mend works."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from mcp_server import home
from mcp_server.checks.doctor import Wish, inside, summary
from mcp_server.checks.findings import error, warning, well
from mcp_server.cli import main
from mcp_server.meaning import open_meaning, wanted_fingerprint
from mcp_server.settings import Settings, load
from storage.backends import open_store
from storage.fingerprint import IndexState
from tests.e2e.homes import MODULE, Home
from tests.embedding.model_files import model_file
from tests.mcp_server.checks.faults import CHECKOUT

TROUBLESHOOTING = (CHECKOUT / "docs" / "troubleshooting.md").read_text(encoding="utf-8").partition("## What doctor")[2]


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


def told(root: Path, *overrides: str, repair: bool = False) -> str:
    """What doctor says of what is inside, a line a finding: no server is started, which would be another user's."""
    wish = Wish([root], overrides, "0", repair)
    return "\n".join(finding.line for finding in inside(wish, load(root, overrides).settings))


def state(settings: Settings, root: Path) -> tuple[IndexState, set[str]]:
    store = open_store(settings.storage, home.index_directory(settings, root))
    try:
        found = store.state(wanted_fingerprint(settings, open_meaning(settings)))
        return found, set(store.files()) if found is IndexState.CURRENT else set()
    finally:
        store.close()


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_DATA_HOME is followed on Linux alone")
def test_a_directory_that_cannot_even_be_looked_at_does_not_end_it(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with one that is shut: the system refuses to say whether anything is there. Root may look into any."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / ("x" * 300)))
    said = told(project)
    assert "ok       llama.cpp: " in said
    for what in ("downloads", "services", "model and index"):
        assert f"error    {what}: it cannot be looked at (" in said


def test_a_sound_index_is_said_to_be_sound(project: Path) -> None:
    assert "every row holds its checksum" in told(project)


def harm(settings: Settings, root: Path, before: bytes, after: bytes) -> None:
    """Overwrite stored text where nobody knows any more what the files were."""
    directory = home.index_directory(settings, root)
    (directory / "digests.txt").unlink()
    for path in (directory / "chunks-1.lance" / "data").glob("*.lance"):
        path.write_bytes(path.read_bytes().replace(before, after))


def test_a_model_file_that_changed_by_itself_is_found(project: Path, tmp_path: Path) -> None:
    rows = np.random.default_rng(3).normal(size=(3, 32)).astype(np.float32)
    path = model_file(tmp_path / "mine.gguf", ["[PAD]", "a", "b"], rows)
    chosen = f"model.name={path}"
    assert re.search(r"ok       model file: header .*as recorded at first sight", told(project, chosen))
    stat, content = path.stat(), path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert re.search(
        r"error    model file: sha256 .*though nobody wrote to it -> put a whole file", told(project, chosen)
    )


def test_no_pull_is_advised_for_a_file_of_ones_own(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"GGUF")
    bad = told(project, f"model.name={path}")
    assert re.search(r"error    model: .*mine\.gguf was not loaded.* -> put a whole file there", bad)
    absent = told(project, f"model.name={tmp_path / 'gone.gguf'}")
    assert re.search(r"error    model: There is no model file at .* -> put a whole file there", absent)
    assert "models pull" not in bad + absent


def test_too_many_dimensions_are_mended_by_the_setting(project: Path, tmp_path: Path) -> None:
    rows = np.random.default_rng(3).normal(size=(3, 32)).astype(np.float32)
    path = model_file(tmp_path / "mine.gguf", ["[PAD]", "a", "b"], rows)
    said = told(project, f"model.name={path}", "model.dimensions=32")
    assert re.search(r"error    model: model\.dimensions is 32.* -> remove model\.dimensions", said)


def test_a_place_for_indexes_that_cannot_be_made_is_a_fault(project: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    said = told(project, f"storage.directory={tmp_path / 'file' / 'indexes'}")
    assert re.search(r"error    indexes: .*file cannot be written: .* -> ", said)


def test_the_lookup_table_is_said_to_be_sound_off_or_damaged(project: Path, tmp_path: Path) -> None:
    assert re.search(r"ok       table: [\d,]+ tokens of \d+", told(project))
    assert "ok       table: Sketches are turned off" in told(project, "model.table=none")
    (tmp_path / "mine.embd").write_bytes(b"EMBD")
    damaged = told(project, f"model.table={tmp_path / 'mine.embd'}")
    assert "error    table: The lookup table" in damaged
    assert "remove model.table" in damaged


def test_damaged_files_are_forgotten_and_found_again_by_the_next_search(project: Path) -> None:
    settings = load(project).settings
    harm(settings, project, b"return hour", b"return ours")
    assert "tide.py (has a chunk that is damaged)" in told(project, repair=True)
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


def typed(tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command as a user types it, who has a home of their own and no model."""
    home = Home(tmp_path / "user", tmp_path / "models").environment(
        CODELOUPE_MODEL_NAME="none", PATH=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    return subprocess.run(
        [*MODULE, *words], capture_output=True, text=True, env=home, cwd=tmp_path, timeout=120, check=False
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "tide.py").write_text("def high_tide(hour):\n    return hour % 12\n")
    return root


def test_on_a_sound_machine_nothing_is_an_error_and_causes_come_before_effects(root: Path, tmp_path: Path) -> None:
    done = typed(tmp_path, "doctor", "--root", str(root), "--json")
    findings = json.loads(done.stdout)
    assert [finding for finding in findings if finding["level"] == "error"] == []
    assert done.returncode == 0, done.stderr
    assert all(finding["mend"] for finding in findings if finding["level"] != "ok")
    looked = [finding["what"] for finding in findings]
    order = [
        "python",
        "packages",
        "clock",
        "settings",
        "libraries",
        "indexes",
        "llama.cpp",
        "table",
        "model",
        f"index of {root}",
    ]
    order += ["command", "server", "clients"]
    assert [what for what in looked if what in order] == order
    explained = re.findall(r"`([^`]+)`", "".join(re.findall(r"^\| (`[^|]+) \|", TROUBLESHOOTING, re.MULTILINE)))
    assert [what for what in looked if not what.startswith(tuple(explained))] == []


def test_an_error_is_counted_named_and_told_by_the_exit_code(root: Path, tmp_path: Path) -> None:
    (root / ".mcp.json").write_text(
        '{"mcpServers": {"codeloupe": {"command": "/gone/codeloupe", "args": ["serve"]}}}', encoding="utf-8"
    )
    done = typed(tmp_path, "doctor", "--root", str(root))
    assert done.returncode == 1
    *_, last = done.stdout.splitlines()
    assert re.match(r"1 error(?: and \d+ warnings?)?; begin with 'Claude Code, ", last)
    assert done.stdout.count("-> codeloupe install claude-code --project") == 1


def test_a_setting_that_is_not_understood_is_an_error_and_not_the_end(root: Path, tmp_path: Path) -> None:
    (root / ".codeloupe.toml").write_text("[index]\nmax_chunk_letters = 5\n", encoding="utf-8")
    done = typed(tmp_path, "doctor", "--root", str(root))
    assert done.returncode == 1
    assert re.search(r"^ok       python: ", done.stdout, re.MULTILINE)
    assert re.search(r"^error    settings: .*max_chunk_letters is no setting", done.stdout, re.MULTILINE)


def test_the_last_line_counts_and_begins_with_the_first_cause() -> None:
    fine, slow, broken = well("a", "is"), warning("b", "is slow", "hurry"), error("c", "is broken", "mend it")
    assert summary([fine]) == "All is well: 1 thing looked at."
    assert summary([fine, slow]).startswith("1 warning; begin with 'b'")
    assert summary([slow, broken, broken]).startswith("2 errors and 1 warning; begin with 'c'")
