"""What git has checked out, read from its files and compared with what git says."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.repository import SHORT_COMMIT, enclosing_repository
from tests.indexer.trees import git, git_repository, keep_git_private, plant


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    keep_git_private(monkeypatch, tmp_path)
    root = git_repository(tmp_path / "tree", {"a.py": "a", "pkg/b.py": "b"})
    git(root, "checkout", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root


def branch(directory: Path) -> str:
    repository = enclosing_repository(directory)
    assert repository is not None
    return repository.branch()


def test_a_branch_has_its_name_also_seen_from_within(root: Path) -> None:
    assert branch(root) == branch(root / "pkg") == "main"
    git(root, "checkout", "-q", "-b", "feature/tides")
    assert branch(root) == "feature/tides"


def test_a_detached_head_has_the_first_letters_of_its_commit(root: Path) -> None:
    git(root, "checkout", "-q", "--detach")
    commit = git(root, "rev-parse", "HEAD").strip()
    assert branch(root) == commit[:SHORT_COMMIT]


def test_a_linked_work_tree_has_a_branch_of_its_own(root: Path, tmp_path: Path) -> None:
    git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert branch(tmp_path / "side") == "side"
    assert branch(root) == "main"


def test_a_submodule_has_the_branch_of_its_own_repository(root: Path, tmp_path: Path) -> None:
    outer = git_repository(tmp_path / "outer", {})
    git(outer, "submodule", "add", "-q", "-b", "main", str(root), "inner")
    assert branch(outer / "inner") == "main"


def test_where_git_hides_the_name_none_is_said(root: Path) -> None:
    plant(root, {".git/HEAD": "ref: refs/heads/.invalid\n"})
    assert branch(root) == ""


def test_outside_of_any_repository_there_is_none(tmp_path: Path) -> None:
    assert enclosing_repository(tmp_path) is None
