"""Ignore patterns: git itself is the oracle."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.ignore import Level, judge, parse_rules
from tests.indexer.trees import files_of, git, git_repository, keep_git_private, listed_by_git

_NAMES = ["a", "b", "ab", "x.py", "a.b", ".h", "B", "a b", "aé"]
_SEGMENTS = [*_NAMES, "*", "**", "a*", "*b", "?", "*.py", "[ab]", "[!a]", "[a-b]*", "\\a", "*.*", "[[:lower:]]", "x.?y"]

_pattern = st.builds(
    lambda negated, anchored, segments, directory, space: (
        ("!" if negated else "") + ("/" if anchored else "") + "/".join(segments) + ("/" if directory else "") + space
    ),
    st.integers(0, 3).map(lambda n: n == 0),
    st.booleans(),
    st.lists(st.sampled_from(_SEGMENTS), min_size=1, max_size=3),
    st.integers(0, 3).map(lambda n: n == 0),
    st.sampled_from(["", "", "", " ", "  ", "\r"]),
)
_ignore_file = st.lists(_pattern, max_size=6).map("\n".join)
_tree = st.lists(
    st.lists(st.sampled_from(_NAMES), min_size=1, max_size=4).map("/".join), min_size=1, max_size=12, unique=True
)


@pytest.fixture(scope="module", autouse=True)
def _private_git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        keep_git_private(patch, tmp_path_factory.mktemp("home"))
        yield


def _plantable(paths: list[str]) -> dict[str, str]:
    """Those that can stand together: no path is a directory of another."""
    return {path: "" for path in paths if not any(other.startswith(path + "/") for other in paths)}


def _is_entered(root: Path, directory: str) -> bool:
    return subprocess.run(["git", "check-ignore", "-q", "--no-index", directory], cwd=root, check=False).returncode == 1


@settings(max_examples=50, deadline=None)
@given(_tree, _ignore_file, _ignore_file, _ignore_file, st.sets(st.integers(0, 11), max_size=2))
def test_a_walk_finds_what_git_lists(tree: list[str], top: str, inner: str, private: str, tracked: set[int]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = git_repository(Path(directory), _plantable(tree))
        added = [path for index, path in enumerate(_plantable(tree)) if index in tracked]
        if added:
            git(root, "add", "-f", "--", *added)
        (root / ".gitignore").write_bytes(top.encode())
        (root / ".git" / "info").mkdir()
        (root / ".git" / "info" / "exclude").write_bytes(private.encode())
        if (root / "a").is_dir():
            (root / "a" / ".gitignore").write_bytes(inner.encode())
        listed = listed_by_git(root)
        assert set(files_of(root)) == listed
        if (root / "a").is_dir() and _is_entered(root, "a"):
            inside = {path.removeprefix("a/") for path in listed if path.startswith("a/")}
            assert set(files_of(root / "a")) == inside


def _verdict(patterns: str, path: str, *, is_directory: bool = False, ignore_case: bool = False) -> bool | None:
    rules = parse_rules(patterns, ignore_case=ignore_case)
    return judge([Level(rules)] if rules else [], path.rpartition("/")[2], path, is_directory)


@pytest.mark.parametrize(
    ("patterns", "path", "ignored"),
    [
        ("*.log", "deep/down/a.log", True),
        ("*.log\n!keep.log", "keep.log", False),
        ("!keep.log\n*.log", "keep.log", True),
        ("/top", "sub/top", None),
        ("doc/*.txt", "doc/server/arch.txt", None),
        ("**/foo/bar", "x/y/foo/bar", True),
        ("a/**/b", "a/b", True),
        ("a/**", "a", None),
        ("a/**", "a/b/c", True),
        ("/**", "a/b/c", True),
        ("\\#notes", "#notes", True),
        ("\\!important", "!important", True),
        ("# a comment", "# a comment", None),
        ("space\\ ", "space ", True),
        ("trailing   ", "trailing", True),
        ("windows\r", "windows", True),
        ("\ufeffmarked", "marked", True),
        ("[[:digit:]].txt", "7.txt", True),
        ("[!0-9].txt", "7.txt", None),
        ("**/", "file", None),
        ("/", "anything", None),
        ("new\\\nline", "new", None),
    ],
)
def test_a_pattern_says_what_git_documents(patterns: str, path: str, ignored: bool | None) -> None:
    assert _verdict(patterns, path) is ignored


@pytest.mark.parametrize("malformed", ["[z-a]", "unclosed[", "trailing\\", "!", "Icon\r\r", "\t"])
def test_a_malformed_pattern_matches_nothing_and_harms_no_other(malformed: str) -> None:
    assert _verdict(f"{malformed}\n*.tmp", "x.tmp") is True
    for name in ("z-a", "z", "Icon", "unclosed[", "trailing"):
        assert _verdict(malformed, name) is None


def test_a_directory_pattern_spares_a_file_of_that_name() -> None:
    assert _verdict("build/", "build") is None
    assert _verdict("build/", "sub/build", is_directory=True) is True


def test_case_counts_unless_git_was_told_otherwise() -> None:
    assert _verdict("*.LOG", "a.log") is None
    assert _verdict("*.LOG\nREADME", "a.log", ignore_case=True) is True
    assert _verdict("*.LOG\nREADME", "readme", ignore_case=True) is True


@given(st.text(max_size=40), st.text(min_size=1, max_size=20))
def test_no_text_is_too_odd_to_be_an_ignore_file(patterns: str, name: str) -> None:
    assert _verdict(patterns, name) in {True, False, None}


def test_a_level_sees_paths_from_where_it_stands() -> None:
    rules = parse_rules("/src/gen")
    assert rules is not None
    assert Level(rules, cut=len("web/")).verdict("gen", "web/src/gen", is_directory=True) is True
    assert Level(rules, prefix="src/").verdict("gen", "gen", is_directory=True) is True
    assert Level(rules).verdict("gen", "web/src/gen", is_directory=True) is None
