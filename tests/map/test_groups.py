"""Directories become a few groups, each worth a colour."""

from __future__ import annotations

from mcp_server.map.groups import MOST, group_of, grouped


def directories(chunks: dict[str, int]) -> dict[str, int]:
    return {group.directory: group.chunks for group in grouped(chunks)}


def test_directories_of_some_size_are_groups_and_the_rest_is_one() -> None:
    assert directories({"src/a.py": 50, "tests/b.py": 45, "docs/c.md": 1, "setup.py": 4}) == {
        "": 5,
        "src/": 50,
        "tests/": 45,
    }


def test_a_directory_that_holds_nearly_all_is_looked_into() -> None:
    found = directories({"lib/app/a.rb": 60, "lib/net/b.rb": 37, "Rakefile": 3})
    assert found == {"": 3, "lib/app/": 60, "lib/net/": 37}


def test_a_large_directory_is_divided_and_keeps_its_rest() -> None:
    found = directories({"tests/unit/a.py": 40, "tests/e2e/b.py": 30, "tests/c.py": 20, "src/d.py": 15})
    assert found == {"": 0, "src/": 15, "tests/": 20, "tests/e2e/": 30, "tests/unit/": 40}


def test_there_are_no_more_groups_than_colours() -> None:
    found = grouped({f"d{number}/{part}/a.py": 10 for number in range(30) for part in "xy"})
    assert len(found) <= MOST + 1
    assert sum(group.chunks for group in found) == 600


def test_files_without_directories_are_one_group() -> None:
    assert directories({"a.py": 3, "b.py": 4}) == {"": 7}


def test_a_path_belongs_to_its_innermost_group() -> None:
    groups = grouped({"tests/unit/a.py": 40, "tests/c.py": 30, "src/d.py": 30})
    names = {
        path: groups[group_of(path, groups)].directory for path in ("tests/unit/x.py", "tests/y.py", "z", "src2/a")
    }
    assert names == {"tests/unit/x.py": "tests/unit/", "tests/y.py": "tests/", "z": "", "src2/a": ""}


def test_every_chunk_is_counted_in_the_group_of_its_path() -> None:
    chunks = {
        f"{top}/{inner}/{name}.go": 1 + len(inner) for top in "abc" for inner in ("x", "yy", "zzz") for name in "mn"
    }
    groups = grouped(chunks)
    counted = [0] * len(groups)
    for path, count in chunks.items():
        counted[group_of(path, groups)] += count
    assert counted == [group.chunks for group in groups]


def test_no_colour_is_spent_on_a_small_rest() -> None:
    found = directories({"php/src/a.php": 45, "php/tests/b.php": 50, "php/c.php": 1, "c/d.c": 60, "go/e.go": 40})
    assert found == {"": 0, "c/": 60, "go/": 40, "php/": 46, "php/tests/": 50}
