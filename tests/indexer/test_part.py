"""A look at some paths of a tree sees there what a look at everything sees, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.changes import known_within
from indexer.pipeline import drift
from indexer.rules import root_rules
from indexer.settings import IndexSettings
from indexer.source import Skip, SourceFile
from indexer.walker import Look, Part, walk
from storage.chunk import FileRecord
from tests.indexer.trees import git_repository, keep_git_private, plant

SETTINGS = IndexSettings()
FILES = {
    ".gitignore": "*.log\nout/\n",
    "a.py": "a",
    "server.log": "x",
    "out/generated.py": "g",
    "pkg/.gitignore": "secret.py\n",
    "pkg/secret.py": "s",
    "pkg/open.py": "o",
    "pkg/deep/er/x.py": "x",
    "node_modules/m/index.js": "m",
    "venv/pyvenv.cfg": "home = /\n",
    "venv/lib/y.py": "y",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    keep_git_private(monkeypatch, tmp_path)
    return git_repository(tmp_path.resolve() / "tree", FILES)


def seen(root: Path, *paths: str) -> set[str]:
    return {found.path for found in walk(root, SETTINGS, Look(Part(frozenset(paths))))}


def test_each_path_alone_is_judged_as_in_the_whole(root: Path) -> None:
    whole = {found.path for found in walk(root, SETTINGS)}
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} - {".git"}
    for path in sorted(file for file in files if not file.startswith(".git/")):
        beside = {one for one in whole if one == path or (one.endswith("/") and path.startswith(one))}
        assert seen(root, path) == beside, path


def test_a_directory_is_looked_at_with_all_that_is_below_it(root: Path) -> None:
    assert seen(root, "pkg") == {"pkg/.gitignore", "pkg/open.py", "pkg/deep/er/x.py"}
    assert seen(root, "pkg/deep") == {"pkg/deep/er/x.py"}


def test_what_is_gone_is_not_seen_and_no_error(root: Path) -> None:
    assert seen(root, "pkg/none.py", "none/at/all.py") == set()


def test_only_directories_on_the_way_are_entered(root: Path) -> None:
    entered: list[str] = []
    list(walk(root, SETTINGS, Look(Part(frozenset({"pkg/deep"})), entered=entered.append)))
    assert entered == ["", "pkg/", "pkg/deep/", "pkg/deep/er/"]


def test_rules_that_are_known_are_not_asked_for_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = root_rules(root, SETTINGS)
    monkeypatch.setattr("indexer.walker.root_rules", None)
    found = list(walk(root, SETTINGS, Look(Part(frozenset({"server.log", "a.py"})), rules=rules)))
    assert [one.path for one in found if isinstance(one, SourceFile)] == ["a.py"]
    assert not [one for one in found if isinstance(one, Skip)]


def record(path: str) -> FileRecord:
    return FileRecord(path, 0, 0, "", "", 0)


def test_what_is_known_of_a_directory_that_went_is_gone_and_of_its_neighbours_is_not(root: Path) -> None:
    known = {path: record(path) for path in ("old/a.py", "old/in/b.py", "older.py", "a.py", "old.py")}
    changes = drift(root, known, SETTINGS, Look(Part(frozenset({"old"}))))
    assert (changes.gone, changes.to_read) == (("old/a.py", "old/in/b.py"), ())


def test_a_file_in_place_of_a_directory_and_the_other_way_round(root: Path) -> None:
    plant(root, {"turned": "file", "pkg2/now.py": "n"})
    known = {path: record(path) for path in ("turned/a.py", "pkg2")}
    changes = drift(root, known, SETTINGS, Look(Part(frozenset({"turned", "pkg2"}))))
    assert [file.path for file in changes.to_read] == ["turned", "pkg2/now.py"]
    assert changes.gone == ("pkg2", "turned/a.py")


def test_records_of_paths_and_of_what_is_below_them() -> None:
    known = {path: record(path) for path in ("a", "a/b", "ab", "c/d/e", "c/f", "node_modules/")}
    assert set(known_within(known, {"a"})) == {"a"}
    assert set(known_within(known, {"c/d", "c/f"})) == {"c/d/e", "c/f"}
    assert set(known_within(known, {"node_modules"})) == {"node_modules/"}
    assert known_within(known, {"x"}) == {}
