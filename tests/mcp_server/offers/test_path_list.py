"""Paths while they are typed: the best first, at most as many as wanted, and the right total."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.offers import path_list
from mcp_server.offers.path_list import Fitting, PathList, fitting, packed

PATHS = [
    "README.md",
    "config.py",
    "docs/store.md",
    "indexer/walker.py",
    "mcp_server/engine.py",
    "mcp_server/settings.py",
    "storage/__init__.py",
    "storage/lance_store.py",
    "storage/ranking/places.py",
    "storage/store.py",
    "tests/storage/test_store.py",
    "Über uns/größe.py",
    "my docs/a b.md",
    "1[2].py",
]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("storage/st", ["storage/store.py"]),
        ("STORAGE/ST", ["storage/store.py"]),
        ("store", ["docs/store.md", "storage/store.py", "storage/lance_store.py"]),
        ("config", ["config.py"]),
        ("rank", ["storage/ranking/places.py"]),
        ("mcpeng", ["mcp_server/engine.py"]),
        ("store test", ["tests/storage/test_store.py"]),
        ("größe", ["Über uns/größe.py"]),
        ("my docs/a b", ["my docs/a b.md"]),
        ("1[", ["1[2].py"]),
        ("12", ["1[2].py"]),
        ("(", []),
        ("^", []),
        ("zzz", []),
    ],
)
def test_what_is_most_likely_meant_comes_first(typed: str, first: list[str]) -> None:
    assert list(fitting(packed(PATHS), typed, 100).values[: len(first) or 1]) == first


def test_nothing_typed_gives_what_is_near_the_root_first() -> None:
    found = fitting(packed(PATHS), "", 3)
    assert found.values == ("1[2].py", "README.md", "config.py")
    assert found.total == len(PATHS)


def test_the_total_counts_what_did_not_fit() -> None:
    found = fitting(packed(f"src/module_{number}.py" for number in range(10_000)), "module", 100)
    assert len(found.values) == len(set(found.values)) == 100
    assert found.total == 10_000


def subsequence(typed: str, path: str) -> bool:
    letters = iter(path.lower())
    return all(letter in letters for letter in typed.lower())


ASCII = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


@given(st.lists(ASCII, unique=True, max_size=40), st.text("abc/[]^-\\.01Z", max_size=4), st.integers(1, 5))
def test_exactly_the_paths_that_hold_the_letters_in_order_are_counted(paths: list[str], typed: str, most: int) -> None:
    found = fitting(packed(paths), typed, most)
    there = {path for path in paths if subsequence(typed, path)}
    assert found.total == len(there)
    assert len(found.values) == min(most, len(there))
    assert set(found.values) <= there


def test_no_paths_fit_nothing() -> None:
    assert fitting(packed([]), "a", 100) == path_list.Fitting((), 0)


class Read:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> Iterator[tuple[str, str]]:
        self.times += 1
        return iter([("a.go", "go"), ("b.py", "python"), ("c.py", "python")])


def test_a_list_is_read_once_while_somebody_types(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(path_list, "monotonic", lambda: now[0])
    read = Read()
    paths = PathList(read)
    assert paths.current().languages == ("python", "go")
    now[0] += path_list.LEAST_AGE_S / 2
    assert paths.current().blocks == packed(["a.go", "b.py", "c.py"])
    assert read.times == 1
    now[0] += path_list.LEAST_AGE_S
    paths.current()
    assert read.times == 2


def test_a_list_that_takes_long_is_kept_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(path_list, "monotonic", lambda: now[0])

    class Slow(Read):
        def __call__(self) -> Iterator[tuple[str, str]]:
            now[0] += 1.0
            return super().__call__()

    read = Slow()
    paths = PathList(read)
    paths.current()
    now[0] += path_list.REST_FACTOR - 0.5
    paths.current()
    assert read.times == 1


def test_a_server_at_rest_keeps_no_list() -> None:
    from storage.held import let_go

    read = Read()
    paths = PathList(read)
    paths.current()
    let_go()
    paths.current()
    assert read.times == 2


def test_no_path_has_a_nul() -> None:
    blocks = packed(["a", "b/c.py", "a/b.py"])
    assert all(fitting(blocks, typed, 10) == Fitting((), 0) for typed in ("\0", "a\0b", "b\0"))
