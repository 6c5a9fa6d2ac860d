"""Walking: what is found, what is left out and why, and that no tree is too odd."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import RootError
from indexer.settings import IndexSettings
from indexer.source import Skip, SkipReason, SourceFile
from indexer.walker import walk
from tests.indexer.trees import (
    SETTINGS,
    files_of,
    git,
    git_repository,
    keep_git_private,
    listed_by_git,
    plant,
    skips_of,
)

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs what POSIX file systems offer")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    keep_git_private(monkeypatch, home)
    return home


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "root"


def test_files_come_with_posix_path_size_and_time_in_a_fixed_order(root: Path) -> None:
    plant(root, {"b.py": "22", "a.py": "1", "sub/deep/c.py": "333", "sub/a.py": ""})
    found = [file for file in walk(root, SETTINGS) if isinstance(file, SourceFile)]
    assert [(file.path, file.size) for file in found] == [
        ("a.py", 1),
        ("b.py", 2),
        ("sub/a.py", 0),
        ("sub/deep/c.py", 3),
    ]
    assert all(Path(file.absolute).stat().st_mtime_ns == file.mtime_ns for file in found)


# Ignoring


def test_without_git_the_ignore_files_still_count(root: Path) -> None:
    plant(root, {".gitignore": "*.log\n", "a.log": "", "a.py": "", "sub/.gitignore": "!a.log\n", "sub/a.log": ""})
    assert files_of(root) == [".gitignore", "a.py", "sub/.gitignore", "sub/a.log"]


def test_what_lies_in_an_ignored_directory_cannot_be_brought_back(root: Path) -> None:
    git_repository(
        root, {".gitignore": "out/\n!out/keep.py\n", "out/keep.py": "", "out/.gitignore": "!*\n", "a.py": ""}
    )
    assert files_of(root) == [".gitignore", "a.py"]
    assert set(files_of(root)) == listed_by_git(root)


def test_a_file_tracked_in_spite_of_a_pattern_is_found(root: Path) -> None:
    git_repository(
        root, {".gitignore": "out/\n*.log\n", "out/a/kept.py": "", "out/a/not.py": "", "x.log": "", "y.log": ""}
    )
    git(root, "add", "-f", "out/a/kept.py", "x.log")
    assert files_of(root) == [".gitignore", "x.log", "out/a/kept.py"]
    assert set(files_of(root)) == listed_by_git(root)


def test_a_subdirectory_of_a_work_tree_obeys_the_files_above_it(root: Path) -> None:
    git_repository(
        root, {".gitignore": "*.log\n/a/b/only_here\n", "a/.gitignore": "b/c.py\n", ".codeloupeignore": "*.sql\n"}
    )
    plant(root / "a" / "b", {"x.log": "", "c.py": "", "only_here": "", "d.py": "", "q.sql": ""})
    assert files_of(root / "a" / "b") == ["d.py"]


def test_nothing_above_the_work_tree_is_asked(root: Path) -> None:
    plant(root, {".gitignore": "*.py\n"})
    git_repository(root / "inner", {"a.py": ""})
    assert files_of(root / "inner") == ["a.py"]


def test_private_and_personal_excludes_count(root: Path, home: Path) -> None:
    git_repository(root, {"a.private": "", "a.personal": "", "a.py": ""})
    plant(root / ".git", {"info/exclude": "*.private\n"})
    plant(home, {".config/git/ignore": "*.personal\n"})
    assert files_of(root) == ["a.py"]


def test_the_personal_exclude_file_may_be_anywhere(root: Path, home: Path) -> None:
    git_repository(root, {"a.personal": "", "a.py": ""})
    plant(home, {"my ignore": "*.personal\n", ".gitconfig": "[core]\n\texcludesFile = ~/my ignore\n"})
    assert files_of(root) == ["a.py"]


def test_case_is_ignored_where_git_ignores_it(root: Path) -> None:
    git_repository(root, {".gitignore": "*.LOG\nBuild/\n", "a.log": "", "build/x": "", "a.py": ""})
    git(root, "config", "core.ignoreCase", "true")
    assert files_of(root) == [".gitignore", "a.py"]


def test_a_hook_s_environment_does_not_lead_elsewhere(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git_repository(tmp_path / "other", {".gitignore": "*.py\n"})
    git_repository(root, {".gitignore": "*.log\n", "x.log": ""})
    git(root, "add", "-f", "x.log")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert files_of(root) == [".gitignore", "x.log"]


def test_without_a_git_command_patterns_are_obeyed_all_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git_repository(root, {".gitignore": "*.log\n", "x.log": "", "a.py": ""})
    monkeypatch.setenv("PATH", "")
    assert files_of(root) == [".gitignore", "a.py"]


@posix_only
def test_a_repository_s_monitor_program_is_never_run(root: Path) -> None:
    git_repository(root, {".gitignore": "*.log\n", "a.py": ""})
    git(root, "add", "a.py")
    trap = plant(root.parent, {"trap.sh": f"#!/bin/sh\ntouch {root.parent}/sprung\n"}) / "trap.sh"
    trap.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(trap))
    assert files_of(root) == [".gitignore", "a.py"]
    assert not (root.parent / "sprung").exists()


def test_a_linked_work_tree_shares_the_private_excludes(root: Path, tmp_path: Path) -> None:
    git_repository(root, {"a.py": ""})
    git(root, "add", "a.py")
    git(root, "commit", "-q", "-m", "one")
    plant(root / ".git", {"info/exclude": "*.private\n"})
    linked = tmp_path / "linked"
    git(root, "worktree", "add", "-q", str(linked))
    plant(linked, {"b.private": "", "b.py": ""})
    assert files_of(linked) == ["a.py", "b.py"]
    assert set(files_of(linked)) == listed_by_git(linked)


def test_a_submodule_is_walked_by_its_own_rules(root: Path, tmp_path: Path) -> None:
    library = git_repository(
        tmp_path / "library", {"a.py": "", "b.log": "", ".gitignore": "*.tmp\nkept.tmp\n", "kept.tmp": ""}
    )
    git(library, "add", "-f", ".")
    git(library, "commit", "-q", "-m", "one")
    git_repository(root, {".gitignore": "*.log\n", "x.log": "", "x.py": ""})
    git(root, "submodule", "--quiet", "add", str(library), "lib")
    plant(root / "lib", {"new.tmp": ""})
    assert files_of(root) == [
        ".gitignore", ".gitmodules", "x.py", "lib/.gitignore", "lib/a.py", "lib/b.log", "lib/kept.tmp",
    ]  # fmt: skip


def test_our_own_ignore_file_is_the_strongest(root: Path) -> None:
    git_repository(
        root, {".gitignore": "*.sql\n", ".codeloupeignore": "*.md\n!*.sql\n", "a.md": "", "a.sql": "", "t.md": ""}
    )
    git(root, "add", "t.md")
    plant(root, {"docs/.codeloupeignore": "!a.md\n", "docs/a.md": "", "docs/b.md": ""})
    assert files_of(root) == [".codeloupeignore", ".gitignore", "a.sql", "docs/.codeloupeignore", "docs/a.md"]


def test_patterns_from_the_settings_are_stronger_than_git_s(root: Path) -> None:
    plant(root, {".gitignore": "*.sql\n", "a.sql": "", "a.md": "", "docs/b.md": "", "docs/c.md": ""})
    settings = IndexSettings(exclude=("!*.sql", "*.md", "!/docs/c.md"))
    assert files_of(root, settings) == [".gitignore", "a.sql", "docs/c.md"]


@posix_only
def test_an_ignore_file_that_is_a_link_out_of_the_tree_or_a_directory_is_no_ignore_file(
    root: Path, tmp_path: Path
) -> None:
    plant(root, {"a.py": "", "sub/b.py": "", "sub/.gitignore/x.py": ""})
    plant(tmp_path, {"elsewhere": "*.py\n"})
    (root / ".gitignore").symlink_to(tmp_path / "elsewhere")
    assert files_of(root) == ["a.py", "sub/b.py", "sub/.gitignore/x.py"]


# Skipping


def test_a_file_over_the_limit_is_too_large_and_one_at_the_limit_is_not(root: Path) -> None:
    plant(root, {"big.py": "x" * 2049, "fits.py": "x" * 2048})
    settings = IndexSettings(max_file_kb=2)
    assert files_of(root, settings) == ["fits.py"]
    assert next(iter(walk(root, settings))) == Skip(
        "big.py", SkipReason.TOO_LARGE, 2049, (root / "big.py").stat().st_mtime_ns
    )


VENDORED = {
    "node_modules/x/index.js": "",
    "web/bower_components/x.js": "",
    "py/__pycache__/x.py": "",
    "env/pyvenv.cfg": "",
    "env/lib/x.py": "",
    "target/CACHEDIR.TAG": "",
    "target/x.rs": "",
    "out/CMakeCache.txt": "",
    "go/vendor/modules.txt": "",
    "go/vendor/x/x.go": "",
    "php/vendor/autoload.php": "",
    "x.egg-info/PKG-INFO": "",
}


def test_a_vendored_directory_is_one_skip(root: Path) -> None:
    plant(root, {**VENDORED, "a.py": ""})
    assert files_of(root) == ["a.py"]
    assert skips_of(root) == dict.fromkeys(
        ["env/", "go/vendor/", "node_modules/", "out/", "php/vendor/", "py/__pycache__/", "target/",
         "web/bower_components/", "x.egg-info/"], SkipReason.VENDORED
    )  # fmt: skip


def test_vendored_directories_are_indexed_where_that_was_asked_for(root: Path) -> None:
    plant(root, VENDORED)
    settings = IndexSettings(include_vendored=True)
    assert set(files_of(root, settings)) == set(VENDORED)
    assert skips_of(root, settings) == {}


def test_names_that_projects_use_for_their_own_code_are_not_vendored(root: Path) -> None:
    own = ["vendor/ours.go", "build/rules.mk", "dist/pack.py", "target/arm.c", "env/reader.py", "third_party/fork.c"]
    plant(root, dict.fromkeys(own, ""))
    assert set(files_of(root)) == set(own)


def test_a_vendored_directory_can_be_asked_for_by_name_and_be_the_root(root: Path) -> None:
    plant(
        root,
        {"node_modules/x/a.js": "", "node_modules/x/node_modules/y.js": "", ".codeloupeignore": "!/node_modules/\n"},
    )
    assert files_of(root) == [".codeloupeignore", "node_modules/x/a.js"]
    assert files_of(root / "node_modules") == ["x/a.js"]


def test_an_ignored_vendored_directory_is_not_mentioned(root: Path) -> None:
    plant(root, {".gitignore": "node_modules/\n", "node_modules/x.js": ""})
    assert skips_of(root) == {}


def test_version_control_s_own_directories_are_never_entered(root: Path) -> None:
    git_repository(
        root, {"a.py": "", ".hg/store": "", ".svn/entries": "", "sub/.git": "gitdir: nowhere\n", "sub/b.py": ""}
    )
    assert files_of(root, IndexSettings(include_vendored=True, exclude=("!.git", "!.hg"))) == ["a.py", "sub/b.py"]


@posix_only
def test_links_are_never_followed_and_each_says_why(root: Path, tmp_path: Path) -> None:
    plant(root, {"a.py": "", "sub/b.py": ""})
    plant(tmp_path / "outside", {"secret.py": ""})
    links = {
        "file": root / "a.py", "directory": root / "sub", "up": root, "sub/parent": root / "sub", "self": root / "self",
        "out": tmp_path / "outside", "out.py": tmp_path / "outside" / "secret.py", "gone": root / "nothing",
        "sibling": tmp_path / "root-and-more",
    }  # fmt: skip
    (tmp_path / "root-and-more").mkdir()
    for name, target in links.items():
        (root / name).symlink_to(target)
    assert files_of(root) == ["a.py", "sub/b.py"]
    assert skips_of(root) == {
        "directory": SkipReason.SYMLINK, "file": SkipReason.SYMLINK, "gone": SkipReason.SYMLINK_BROKEN,
        "out": SkipReason.SYMLINK_OUTSIDE, "out.py": SkipReason.SYMLINK_OUTSIDE, "self": SkipReason.SYMLINK_LOOP,
        "sibling": SkipReason.SYMLINK_OUTSIDE, "sub/parent": SkipReason.SYMLINK_LOOP, "up": SkipReason.SYMLINK_LOOP,
    }  # fmt: skip


@posix_only
def test_pipes_and_sockets_are_not_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(root, {"a.py": ""})
    os.mkfifo(root / "pipe")
    monkeypatch.chdir(root)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert skips_of(root) == {"pipe": SkipReason.NOT_A_FILE, "socket": SkipReason.NOT_A_FILE}


def test_a_file_that_vanishes_between_listing_and_looking_is_skipped(root: Path) -> None:
    plant(root, {"a.py": "", "b.py": "", "sub/c.py": ""})
    found = walk(root, SETTINGS)
    next(found)
    (root / "b.py").unlink()
    (root / "sub" / "c.py").unlink()
    (root / "sub").rmdir()
    assert list(found) == [Skip("b.py", SkipReason.VANISHED), Skip("sub/", SkipReason.VANISHED)]


def _refuse(monkeypatch: pytest.MonkeyPatch, refused: Callable[[str], bool]) -> None:
    listing = os.scandir

    def scandir(path: str) -> object:
        if refused(str(path)):
            raise PermissionError(13, "Permission denied", str(path))
        return listing(path)

    monkeypatch.setattr(os, "scandir", scandir)


def test_a_directory_that_may_not_be_listed_is_skipped_and_the_rest_goes_on(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(root, {"closed/a.py": "", "open/b.py": ""})
    _refuse(monkeypatch, lambda path: path.endswith("closed"))
    assert files_of(root) == ["open/b.py"]
    assert skips_of(root) == {"closed/": SkipReason.UNREADABLE}


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="the superuser may list everything")
def test_a_real_closed_directory_is_skipped(root: Path) -> None:
    plant(root, {"closed/a.py": "", "open/b.py": ""})
    (root / "closed").chmod(0)
    try:
        assert skips_of(root) == {"closed/": SkipReason.UNREADABLE}
    finally:
        (root / "closed").chmod(0o700)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="the superuser may look everywhere")
def test_directories_that_may_be_listed_but_not_searched_are_no_end_of_the_walk(root: Path, tmp_path: Path) -> None:
    plant(root, {"listed/.gitignore": "*.log\n", "listed/a.py": "", "listed/.git": "", "z.py": ""})
    plant(root, {"pointing/.git": f"gitdir: {tmp_path}/closed/git\n", "pointing/b.py": ""})
    (tmp_path / "closed").mkdir(mode=0)
    (root / "listed").chmod(0o400)
    try:
        assert files_of(root) == ["z.py", "pointing/b.py"]
        assert skips_of(root) == dict.fromkeys(["listed/.gitignore", "listed/a.py"], SkipReason.UNREADABLE)
    finally:
        (root / "listed").chmod(0o700)


def test_ignore_files_and_repositories_that_may_not_be_looked_at_are_no_end_of_the_walk(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(root, {"sub/.gitignore": "*.py\n", "sub/.git": "gitdir: x\n", "sub/a.py": ""})

    def refuse(path: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    monkeypatch.setattr(Path, "is_dir", refuse)
    assert files_of(root) == ["sub/.gitignore", "sub/a.py"]


# Odd trees


@posix_only
def test_paths_that_are_not_utf8_are_skipped_under_a_name_that_can_be_printed(root: Path) -> None:
    plant(root, {"a.py": ""})
    (root / os.fsdecode(b"caf\xe9.py")).touch()
    (root / os.fsdecode(b"dir\xff")).mkdir()
    (root / os.fsdecode(b"dir\xff") / "b.py").touch()
    skips = skips_of(root)
    assert files_of(root) == ["a.py"]
    assert set(skips.values()) == {SkipReason.PATH_NOT_UTF8}
    assert {path.encode() for path in skips} == {b"caf\\udce9.py", b"dir\\udcff/"}


@posix_only
def test_any_name_a_file_system_allows_is_kept_as_it_is(root: Path) -> None:
    names = [
        "new\nline.py",
        "quo\"te's.py",
        "back\\slash.py",
        "caf\u00e9.py",
        "cafe\u0301 2.py",
        " lead",
        "-dash",
        "*.py",
    ]
    plant(root, dict.fromkeys([*names, "d\\ir/\u65e5\u672c.py"], ""))
    assert set(files_of(root)) == {*names, "d\\ir/\u65e5\u672c.py"}


def test_a_thousand_levels_are_walked(root: Path) -> None:
    root.mkdir()
    levels = [Path(str(root) + "/d" * depth) for depth in range(1, 1001)]
    for level in levels:
        level.mkdir()
    (levels[-1] / "a.py").touch()
    assert files_of(root) == ["d/" * 1000 + "a.py"]
    (levels[-1] / "a.py").unlink()
    for level in reversed(levels):  # pytest's own cleaning recurses
        level.rmdir()


def test_the_first_file_comes_before_the_second_directory_is_listed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(root, {"a/1.py": "", "b/2.py": ""})
    found = walk(root, SETTINGS)
    assert isinstance(next(found), SourceFile)
    _refuse(monkeypatch, lambda path: path.endswith("b"))
    assert list(found) == [Skip("b/", SkipReason.UNREADABLE)]


# Roots


def test_a_root_that_is_missing_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(RootError, match=r"no directory .*nowhere"):
        walk(tmp_path / "nowhere", SETTINGS)


def test_a_root_that_is_a_file_is_refused_at_once(tmp_path: Path) -> None:
    plant(tmp_path, {"a.py": ""})
    with pytest.raises(RootError, match="is a file, not a directory"):
        walk(tmp_path / "a.py", SETTINGS)


def test_a_root_that_may_not_be_read_is_refused_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(root, {"a.py": ""})
    _refuse(monkeypatch, lambda path: path.endswith("root"))
    with pytest.raises(RootError, match="may not be read"):
        walk(root, SETTINGS)


def test_a_root_no_system_can_name_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(RootError, match="choose another"):
        walk(Path(f"{tmp_path}\0x"), SETTINGS)
    if sys.platform != "win32":
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        with pytest.raises(RootError, match="choose another"):
            walk(tmp_path / "loop", SETTINGS)


def test_a_root_that_goes_away_before_it_is_walked_is_an_error_and_not_an_empty_tree(root: Path) -> None:
    root.mkdir()
    found = walk(root, SETTINGS)
    root.rmdir()
    with pytest.raises(RootError, match="could not be listed any more"):
        list(found)


@posix_only
def test_a_root_behind_a_link_is_walked_where_it_really_is(root: Path, tmp_path: Path) -> None:
    plant(root, {"a.py": ""})
    (tmp_path / "link").symlink_to(root)
    assert [found.absolute for found in walk(tmp_path / "link", SETTINGS) if isinstance(found, SourceFile)] == [
        str(root / "a.py")
    ]
