"""What a search tells the job that makes vectors, and when a search takes up what nobody goes on with."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from indexer import refine
from mcp_server.home import index_directory
from mcp_server.indexes.indexing import Scope, Work, write
from mcp_server.indexes.jobs import Board
from mcp_server.indexes.root_index import RootIndex
from mcp_server.meaning import Meaning, wanted_fingerprint
from mcp_server.settings import Settings, load
from storage.backends import open_store
from storage.lock import WriterLock
from storage.search import Query
from storage.store import ChunkStore
from tests.indexer.embedders import Noting
from tests.storage.samples import make_file, vectors_of

FILES = [replace(make_file(f"f{number}.py", f"def moor_{number}(ship): pass"), sketches=None) for number in range(4)]


class Listening(Board):
    """A job that does nothing but note what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Sequence[str]] = []
        self.refreshed = 0
        self.alive = True

    def ask(self, ids: Sequence[str]) -> None:
        self.asked.append(ids)

    def refresh(self, *, force: bool = False, paths: frozenset[str] | None = None) -> bool:
        self.refreshed += 1
        return self.alive

    def stop(self, *, wait: bool = True) -> None:
        pass


@pytest.fixture
def jobs() -> list[Listening]:
    """Those that were started, in order."""
    return []


@pytest.fixture
def root(tmp_path: Path, jobs: list[Listening]) -> Iterator[RootIndex]:
    """A root whose index holds FILES, and no vectors."""
    meaning = Meaning(Noting(), "", None, "no table")
    directory = tmp_path / "root"
    directory.mkdir()

    def start(_: RootIndex, _force: bool) -> Listening:
        jobs.append(Listening())
        return jobs[-1]

    index = RootIndex(directory, settings(), lambda: meaning, start)
    fill(index.open(), index, meaning)
    yield index
    index.close()


def settings() -> Settings:
    return load(None, ["storage.backend=memory"], {}).settings


def fill(store: ChunkStore, index: RootIndex, meaning: Meaning) -> None:
    store.reset(wanted_fingerprint(index.settings, meaning))
    store.replace_files(FILES)


def all_vectors(index: RootIndex) -> None:
    chunks = [rows.chunks[0] for rows in FILES]
    index.open().add_vectors([chunk.id for chunk in chunks], vectors_of(chunks))


def test_a_search_names_what_it_found_to_the_job_that_makes_vectors(root: RootIndex, jobs: list[Listening]) -> None:
    root.refresh()
    found = root.search(Query("moor_2 ship", limit=1))
    (told,) = jobs[0].asked
    assert len(found.hits) == 1
    assert told[0] == found.hits[0].chunk.id
    assert set(told) == {rows.chunks[0].id for rows in FILES}, "what was nearly found as well"


def test_an_exact_search_names_what_it_found_as_well(root: RootIndex, jobs: list[Listening]) -> None:
    root.refresh()
    root.search(Query("moor_3", mode="exact"))
    assert jobs[0].asked == [(FILES[3].chunks[0].id,)]


def test_a_job_is_told_nothing_when_all_vectors_are_there_or_it_rests(root: RootIndex, jobs: list[Listening]) -> None:
    root.refresh()
    jobs[0].post({"ended": ""})
    root.search(Query("moor"))
    all_vectors(root)
    jobs[0].post({"phase": "vectors", "done": 4, "total": 4})
    root.search(Query("moor"))
    assert jobs[0].asked == []


def test_a_search_takes_up_a_run_that_was_cancelled(root: RootIndex, jobs: list[Listening]) -> None:
    root.refresh()
    jobs[0].post({"phase": "vectors", "done": 0, "total": 4})
    jobs[0].post({"ended": ""})
    jobs[0].alive = False
    assert root._left_unfinished()
    root.refresh()
    assert len(jobs) == 2
    assert not root._left_unfinished(), "somebody is at it"


def test_a_search_takes_up_what_an_earlier_server_left_and_nothing_that_is_whole(root: RootIndex) -> None:
    assert root._left_unfinished()
    all_vectors(root)
    root._stats = None  # two seconds later
    assert not root._left_unfinished()


def test_a_run_that_ended_without_a_model_is_not_begun_again_by_each_search(
    root: RootIndex, jobs: list[Listening]
) -> None:
    root.refresh()
    jobs[0].post({"summary": {"finished": True, "meaning_off": "The model failed twice."}})
    jobs[0].post({"ended": ""})
    assert not root._left_unfinished()


def test_what_a_server_searches_for_reaches_the_process_that_writes(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for number in range(9):
        path = root / f"f{number}.py"
        path.write_text(f"def moor_{number}(ship):\n    return {number}\n", encoding="utf-8")
        written = path.stat().st_mtime - 9 + number  # one after the other, however coarse the clock is
        os.utime(path, (written, written))
    wanted = load(None, [f"storage.directory={tmp_path / 'indexes'}"], {}).settings

    def elsewhere(_: Sequence[str]) -> None:
        if len(embedder.asked) == 1:
            with store_of(wanted, root) as store:
                (last,) = store.missing_vectors(1, paths=["f0.py"])
            WriterLock(index_directory(wanted, root)).want([last.id])

    embedder = Noting(elsewhere)  # the newest file comes first, so the first one last
    work = Work(root, wanted, Meaning(embedder, "", None, "no table"))
    with pytest.MonkeyPatch.context() as small:
        for name in ("FIRST_CHARACTERS", "FEWEST_CHARACTERS", "MOST_CHARACTERS"):
            small.setattr(refine, name, 1)
        summary, _ = write(work, lambda _: None, lambda: False, Scope())
    assert (summary.chunks, summary.vectors) == (9, 9)
    place = next(place for place, text in enumerate(embedder.asked) if "moor_0" in text)
    assert place in (2, 3), "next, or after the piece that was begun meanwhile"


@contextmanager
def store_of(wanted: Settings, root: Path) -> Iterator[ChunkStore]:
    """The index as another process reads it."""
    store = open_store(wanted.storage, index_directory(wanted, root))
    yield store
    store.close()
