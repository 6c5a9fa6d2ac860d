"""Damage as a server meets it: told in its answers, mended by its indexer, looked for when it has leisure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_server.engine import Engine
from mcp_server.home import index_directory
from mcp_server.indexes.indexing import CHECK_EVERY_S, Scope, Work, inspect, write
from mcp_server.meaning import open_meaning
from mcp_server.requests import SearchRequest
from mcp_server.settings import load
from storage.lance_store import LanceStore


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A root of a few files, and its complete index."""
    root = tmp_path / "harbour"
    root.mkdir()
    for number in range(5):
        (root / f"moor{number}.py").write_text(f"def moor_{number}(ship):\n    return ship.moor({number})\n", "utf-8")
    overrides = [f"storage.directory={tmp_path / 'indexes'}", "model.name=none", "model.table=none"]
    settings = load(root, overrides, {}).settings
    work = Work(root, settings, open_meaning(settings))
    write(work, lambda _: None, lambda: False, Scope())
    return work


@pytest.fixture
def directory(work: Work) -> Path:
    return index_directory(work.settings, work.root)


@pytest.fixture
def engine(work: Work) -> Iterator[Engine]:
    engine = Engine([work.root], work.settings)
    yield engine
    engine.close()


def harm(directory: Path) -> None:
    """Change the stored text of one file, with nobody knowing any more what the files were."""
    (directory / "digests.txt").unlink()
    before, after = b"ship.moor(3)", b"ship.sink(3)"
    changed = [path for path in directory.glob("chunks-*.lance/data/*") if before in path.read_bytes()]
    assert changed
    for path in changed:
        path.write_bytes(path.read_bytes().replace(before, after))


def damages(directory: Path) -> list[str]:
    store = LanceStore(directory)
    try:
        return [damage.path for damage in store.check()]
    finally:
        store.close()


def grow_old(directory: Path) -> None:
    """As if the whole index had been read longer ago than it is to be."""
    long_ago = (directory / "checked").stat().st_mtime - CHECK_EVERY_S - 1
    os.utime(directory / "checked", (long_ago, long_ago))


def settle(engine: Engine, root: Path) -> None:
    """Until the indexer rests."""
    job = engine.roots[root].refresh_or_current()
    view = job.view()
    while not view.resting:
        changed = job.wait_for_change(view, 60)
        assert changed.number != view.number, "the indexer says nothing for a minute"
        view = changed


def test_the_whole_index_is_read_once_a_day(work: Work, directory: Path) -> None:
    assert not inspect(work, lambda: False)
    harm(directory)
    assert not inspect(work, lambda: False), "it was read a moment ago"
    grow_old(directory)
    assert inspect(work, lambda: False)
    write(work, lambda _: None, lambda: False, Scope())
    assert damages(directory) == []
    assert not inspect(work, lambda: False)


def test_an_interrupted_reading_is_made_up_for(work: Work, directory: Path) -> None:
    harm(directory)
    assert not inspect(work, lambda: True)
    assert inspect(work, lambda: False)


def damages_are_mended(engine: Engine, root: Path) -> bool:
    """Whether a search shows everything again; a run that began before the damage was found leaves it to the next."""
    for _ in range(3):
        settle(engine, root)
        answer = engine.search(SearchRequest("moor ship", 10))
        if {found.path for found in answer.found} == {f"moor{number}.py" for number in range(5)}:
            settle(engine, root)
            return True
        assert answer.freshness.notes
    return False


def test_a_damaged_chunk_is_left_out_of_the_answer_told_and_indexed_again(
    engine: Engine, work: Work, directory: Path
) -> None:
    harm(directory)
    first = engine.search(SearchRequest("moor ship", 10))
    assert {found.path for found in first.found} == {f"moor{number}.py" for number in (0, 1, 2, 4)}
    assert any("1 file left out whose stored text is damaged" in note for note in first.freshness.notes)
    assert damages_are_mended(engine, work.root)
    assert damages(directory) == []


def test_an_index_that_cannot_be_read_is_told_and_made_again(engine: Engine, work: Work, directory: Path) -> None:
    for path in directory.glob("chunks-*.lance/data/*"):
        path.write_bytes(b"")
    (directory / "digests.txt").unlink()
    found = engine.search(SearchRequest("moor ship", 10))
    if not found.found:  # the indexer is slow today
        assert any("damaged" in note for note in found.freshness.notes)
    assert damages_are_mended(engine, work.root)
    assert damages(directory) == []
