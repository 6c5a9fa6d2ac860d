"""Path globs: their meaning, and that Python and the table read the same expression."""

from __future__ import annotations

import pathspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.chunk import Filters
from storage.errors import InvalidPatternError
from storage.ranking.globs import MAX_GLOB_CHARS, path_predicate, plain_prefixes


def passes(path: str, *globs: str) -> bool:
    return path_predicate(Filters(paths=globs))(path)


@pytest.mark.parametrize(
    ("glob", "matching", "other"),
    [
        ("src", ["src", "src/a.py", "lib/src/a.py"], ["srcs/a.py", "a/srcs"]),
        ("src/", ["src/a.py", "src/b/c.py"], ["mysrc/a.py"]),
        ("/src", ["src/a.py"], ["lib/src/a.py"]),
        ("./src/net", ["src/net/a.py"], ["x/src/net/a.py"]),
        ("*.py", ["a.py", "b/c.py"], ["a.pyc", "a.py.txt"]),
        ("src/*.py", ["src/a.py"], ["src/b/c.py"]),
        ("src/**/*.py", ["src/a.py", "src/b/c/d.py"], ["a.py", "src/a.txt"]),
        ("**/test_*", ["test_a", "x/y/test_b.py"], ["atest_a"]),
        ("src/**", ["src/a", "src/b/c"], ["lib/a"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b/c"], ["ab", "a/xb"]),
        ("file?.txt", ["file1.txt"], ["file.txt", "file/.txt", "file12.txt"]),
        ("[a-c]x", ["ax", "d/bx"], ["dx"]),
        ("[!a-c]x", ["dx"], ["ax"]),
        ("[]]x", ["]x"], ["x"]),
        ("*.{ts,tsx}", ["a.ts", "b/c.tsx"], ["a.js", "a.t"]),
        ("src/{net,io}/*.py", ["src/net/a.py", "src/io/b.py"], ["src/db/a.py"]),
        ("a\\*b", ["a*b"], ["axb"]),
        ("a.b", ["a.b"], ["axb"]),
        ("a+(b)$", ["a+(b)$"], ["aab"]),
        ("größe/*", ["größe/ä"], ["grosse/a"]),
    ],
)
def test_a_glob_means_what_gitignore_means(glob: str, matching: list[str], other: list[str]) -> None:
    assert [path for path in matching if not passes(path, glob)] == []
    assert [path for path in other if passes(path, glob)] == []


def test_an_exclusion_wins_over_any_inclusion() -> None:
    assert passes("src/a.py", "src", "!*_test.py")
    assert not passes("src/a_test.py", "src", "!*_test.py")
    assert not passes("src/a_test.py", "!*_test.py", "src")
    assert passes("lib/a.py", "!src")


def test_plain_directories_are_recognised_for_the_index_on_paths() -> None:
    assert plain_prefixes(Filters(paths=("src/net", "/lib", "!x*"))) == ("src/net", "lib")
    assert plain_prefixes(Filters(paths=("src",))) is None  # a name anywhere
    assert plain_prefixes(Filters(paths=("src/*.py",))) is None


@pytest.mark.parametrize(
    "glob", ["", "/", "./", "a[", "[!", "{a,b", "a\\", "..", "a/../b", "[b-a]", "[a--b]", "x" * (MAX_GLOB_CHARS + 1)]
)
def test_what_is_no_glob_is_named_in_the_error(glob: str) -> None:
    with pytest.raises(InvalidPatternError, match="not a path glob"):
        path_predicate(Filters(paths=(glob,)))


@settings(max_examples=300)
@given(
    glob=st.text(alphabet="ab/*?.", min_size=1, max_size=10),
    path=st.lists(st.sampled_from(["a", "b", "ab", "a.b", ".a", "b.", "aab", "a..b"]), min_size=1, max_size=4).map(
        "/".join
    ),
)
def test_globs_agree_with_another_reading_of_gitignore(glob: str, path: str) -> None:
    names = glob.strip("/").split("/")
    if "//" in glob or {"..", ".", ""} & set(names) or "***" in glob:
        return  # names nothing, or is read in several ways
    if any("**" in name and name != "**" for name in names) or glob.rstrip("/").endswith("**") or path.endswith("/"):
        return
    theirs = pathspec.GitIgnoreSpec.from_lines([glob.rstrip("/")]).match_file(path)
    assert passes(path, glob) == theirs
