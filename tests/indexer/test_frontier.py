"""What is given out next: what was asked for, the rest of its files, then the order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from indexer import frontier
from indexer.frontier import Frontier
from storage.chunk import Chunk
from storage.memory import MemoryStore
from tests.storage.samples import FINGERPRINT, make_file, vectors_of

FILES = [make_file(f"{name}.py", *(f"{name}_{number} = 1" for number in range(4))) for name in "abcd"]


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.reset(FINGERPRINT)
    store.replace_files(FILES)
    return store


def of(path: str, *places: int) -> list[str]:
    (rows,) = (rows for rows in FILES if rows.record.path == path)
    return [rows.chunks[place].id for place in places]


def begun(store: MemoryStore, order: Sequence[str] = ("c.py", "a.py", "b.py", "d.py")) -> Frontier:
    return Frontier(store, order, store.vectorless())


def given(frontier: Frontier) -> Iterator[str]:
    """Names of the chunks, one at a time."""
    while piece := frontier.next(1):
        assert len(piece.chunks) == 1
        yield piece.chunks[0].content.removesuffix(" = 1")


def keep(store: MemoryStore, frontier: Frontier, chunks: Sequence[Chunk]) -> None:
    store.add_vectors([chunk.id for chunk in chunks], vectors_of(list(chunks)))
    frontier.stored(chunk.id for chunk in chunks)


def test_files_come_in_the_order_and_chunks_in_the_files(store: MemoryStore) -> None:
    names = list(given(begun(store)))
    assert names == [f"{name}_{number}" for name in "cabd" for number in range(4)]


def test_what_is_asked_for_comes_next_and_then_the_files_it_is_of(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontier, "WINDOW_CHUNKS", 2)
    waiting = begun(store)
    names = given(waiting)
    assert [next(names), next(names)] == ["c_0", "c_1"]
    waiting.ask([*of("d.py", 2), *of("b.py", 1)])
    assert [next(names), next(names)] == ["d_2", "b_1"]
    rest = list(names)
    assert {*rest[:6]} == {"d_0", "d_1", "d_3", "b_0", "b_2", "b_3"}
    assert rest[6:] == ["c_2", "c_3", "a_0", "a_1", "a_2", "a_3"]


def test_the_newest_question_goes_before_older_ones(store: MemoryStore) -> None:
    waiting = begun(store)
    waiting.ask(of("d.py", 0, 1))
    waiting.ask(of("b.py", 3))
    names = given(waiting)
    assert [next(names) for _ in range(3)] == ["b_3", "d_0", "d_1"]


def test_a_piece_says_whether_a_question_waits_for_it(store: MemoryStore) -> None:
    waiting = begun(store)
    waiting.ask(of("d.py", 0, 1))
    first, second = waiting.next(1000), waiting.next(1)
    assert first is not None and second is not None
    assert (first.asked, len(first.chunks)) == (True, 2)
    assert (second.asked, len(second.chunks)) == (False, 1)


def test_nothing_is_given_out_twice_however_often_it_is_asked_for(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontier, "WINDOW_CHUNKS", 3)
    waiting = begun(store)
    seen: list[str] = []
    while piece := waiting.next(1):
        seen += [chunk.id for chunk in piece.chunks]
        if len(seen) % 3 == 0:
            keep(store, waiting, piece.chunks)
        waiting.ask(of("b.py", 0, 1, 2, 3))
    assert len(seen) == len(set(seen)) == 16


def test_a_file_with_more_chunks_than_a_window_is_given_out_to_its_end(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frontier, "WINDOW_CHUNKS", 3)
    store.replace_files([make_file("a.py", *(f"part_{number} = 1" for number in range(40)))])
    assert len(list(given(begun(store)))) == 52


def test_what_has_a_vector_or_is_withdrawn_is_left_out(store: MemoryStore) -> None:
    rows = FILES[0]
    store.add_vectors([rows.chunks[0].id], vectors_of([rows.chunks[0]]))
    waiting = begun(store)
    waiting.ask(of("a.py", 0))
    assert waiting.withdraw(of("b.py", 0, 1)) == {*of("b.py", 0, 1)}
    names = list(given(waiting))
    assert not {"a_0", "b_0", "b_1"}.intersection(names)
    assert len(names) == 13
    assert waiting.withdraw(of("b.py", 0, 1, 2)) == set()


def test_questions_that_a_stop_left_open_are_known(store: MemoryStore) -> None:
    waiting = begun(store)
    waiting.ask(of("d.py", 0, 1, 2))
    waiting.next(1)
    assert waiting.unanswered() == of("d.py", 1, 2)
