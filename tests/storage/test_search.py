"""One search: legs, floor, pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from math import prod

import numpy as np
import pytest

from storage.chunk import Chunk, Filters
from storage.errors import InvalidPatternError
from storage.memory import MemoryStore
from storage.ranking.ranking import FACTORS
from storage.search import Query, search
from storage.store import ChunkStore
from tests.storage.samples import DIM, FINGERPRINT, make_file, vector_of, vectors_of

TOKEN = make_file("auth/token.py", "def refresh_token(session):\n    return session.renew()")
CACHE = make_file("core/cache.py", "def evict_oldest(cache):\n    cache.pop()")
DOCS = make_file("docs/token.md", "A token is refreshed before it ends.", language="markdown", kind="section")


@pytest.fixture
def filled(store: ChunkStore) -> ChunkStore:
    store.replace_files([TOKEN, CACHE, DOCS])
    chunks = store.missing_vectors(100)
    store.add_vectors([chunk.id for chunk in chunks], vectors_of(chunks))
    return store


def paths(results: object) -> list[str]:
    return [hit.chunk.file_path for hit in results.hits]  # type: ignore[attr-defined]


def test_a_chunk_both_legs_found_comes_first_and_says_so(filled: ChunkStore) -> None:
    results = search(filled, Query("evict cache", vector_of(CACHE.chunks[0].content)))
    assert results.hits[0].chunk.file_path == "core/cache.py"
    assert results.hits[0].found_by == ("text", "vector")
    scores = [hit.score for hit in results.hits]
    assert scores == sorted(scores, reverse=True)


def test_without_a_vector_words_alone_answer(filled: ChunkStore) -> None:
    results = search(filled, Query("evict"))
    assert paths(results) == ["core/cache.py"]
    assert results.hits[0].found_by == ("text",)
    assert search(filled, Query("evict", mode="semantic")).hits == ()


def test_the_floor_keeps_far_vectors_out_and_leaves_words_alone(filled: ChunkStore) -> None:
    vector = vector_of(CACHE.chunks[0].content)
    near = search(filled, Query("token", vector, mode="semantic", min_similarity=0.99))
    assert paths(near) == ["core/cache.py"]
    assert near.hits[0].found_by == ("vector",)
    both = search(filled, Query("refresh_token", vector, min_similarity=0.99))
    assert set(paths(both)) == {"core/cache.py", "auth/token.py", "docs/token.md"}


def test_what_is_not_wanted_is_in_neither_leg(filled: ChunkStore) -> None:
    chunk = CACHE.chunks[0]
    asked = Query(chunk.content, vector_of(chunk.content))
    assert paths(search(filled, asked))[0] == "core/cache.py"
    left = search(filled, replace(asked, excluding=frozenset({chunk.id})))
    assert "core/cache.py" not in paths(left)
    assert left.hits


def test_words_of_an_example_find_and_are_not_taken_for_asked(filled: ChunkStore) -> None:
    named = search(filled, Query("evict_oldest cache")).hits[0]
    alike = search(filled, Query("", like="evict_oldest cache")).hits[0]
    assert named.chunk == alike.chunk == CACHE.chunks[0]
    assert [name for name, _ in alike.signals] == ["text"]
    assert len(named.signals) > 1


@pytest.mark.parametrize("limit", [5, 400])
def test_every_score_is_the_sum_of_its_signals_times_its_factors(store: ChunkStore, limit: int) -> None:
    code = [make_file(f"src/part{n}.py", *(f"def step_{n}_{m}(date): pass" for m in range(3))) for n in range(60)]
    store.replace_files([*code, make_file("tests/test_part.py", "def step(date): pass"), TOKEN])
    hits = search(store, Query("step date part3", limit=limit)).hits
    assert limit == 5 or {name for hit in hits for name, _ in hit.signals} & FACTORS
    for hit in hits:
        added = sum(worth for name, worth in hit.signals if name not in FACTORS)
        times = prod(worth for name, worth in hit.signals if name in FACTORS)
        assert added * times == pytest.approx(hit.score)


def test_text_mode_asks_no_vectors(filled: ChunkStore) -> None:
    results = search(filled, Query("token", vector_of("x"), mode="text"))
    assert set(paths(results)) == {"auth/token.py", "docs/token.md"}
    assert all(hit.found_by == ("text",) for hit in results.hits)


def test_filters_hold_for_both_legs(filled: ChunkStore) -> None:
    results = search(filled, Query("token", vector_of("x"), filters=Filters(languages=("markdown",))))
    assert paths(results) == ["docs/token.md"]


LINES = make_file("shop/cart.py", *(f"def part_{n}(cart):\n    return cart.total * {n}" for n in range(1, 6)))
OTHER = make_file("shop/session.py", "def part_of(cart):\n    return cart.session")
RAISED = make_file("jobs/run.py", "def run(name):\n    raise JobError(f'no queue {name!r} for this job')")
QUEUE = make_file("jobs/queue.py", "class JobQueue:\n    pass", "def claim(self):\n    return 1")
QUEUE = replace(
    QUEUE,
    chunks=(
        replace(QUEUE.chunks[0], kind="class", name_path="JobQueue", defines=("JobQueue",)),
        replace(QUEUE.chunks[1], name_path="JobQueue/claim", defines=("claim",)),
    ),
)
USES = make_file("jobs/uses.py", *(f"job_queue.claim()  # JobQueue claim {n}" for n in range(60)))


@pytest.mark.parametrize(
    ("query", "path", "line"),
    [
        ("cart.py:6", "shop/cart.py", 6),
        ('File "/srv/app/shop/cart.py", line 8, in part_4', "shop/cart.py", 8),
        ("what is wrong at shop/cart.py:3 with the total", "shop/cart.py", 3),
        ("where does \"no queue 'mail' for this job\" come from", "jobs/run.py", 1),
        ("JobError: no queue 'mail' for this job", "jobs/run.py", 1),
        ("JobQueue.claim", "jobs/queue.py", 3),
        ("how does claim of JobQueue work", "jobs/queue.py", 1),
    ],
)
def test_a_line_a_trace_a_quotation_and_a_name_find_their_chunk_first(
    store: ChunkStore, query: str, path: str, line: int
) -> None:
    store.replace_files([LINES, OTHER, RAISED, QUEUE, USES, TOKEN, CACHE])
    chunk = search(store, Query(query)).hits[0].chunk
    assert chunk.file_path == path
    assert chunk.start_line <= line <= chunk.end_line


@pytest.mark.parametrize("query", ["cart.py:6 part", "part_3 of the cart", 'the "return cart.total"'])
def test_what_is_found_without_a_score_obeys_filters_and_what_is_not_wanted(store: ChunkStore, query: str) -> None:
    markdown = make_file("shop/cart.md", "part_3 of cart.py:6", language="markdown", kind="section")
    store.replace_files([LINES, OTHER, markdown])
    unwanted = frozenset({LINES.chunks[2].id})
    assert unwanted.isdisjoint(hit.chunk.id for hit in search(store, Query(query, excluding=unwanted)).hits)
    for filters in (Filters(languages=("markdown",)), Filters(kinds=("section",)), Filters(paths=("*.md",))):
        assert set(paths(search(store, Query(query, filters=filters)))) <= {"shop/cart.md"}


def test_pages_follow_each_other_where_a_deeper_one_finds_the_file_that_is_pointed_at(store: ChunkStore) -> None:
    asked = vector_of("the first")
    far = np.sort(np.linspace(0.01, 0.9, 230))[::-1]
    files = [make_file(f"f{n:03}.py", f"value {n}") for n in range(229)]
    store.replace_files([*files, make_file("zz/place.py", "value")])
    aside = np.eye(DIM, dtype=np.float32)[0] - asked * asked[0]
    aside /= np.linalg.norm(aside)
    ids = [file.chunks[0].id for file in [*files, make_file("zz/place.py", "value")]]
    store.add_vectors(ids, np.outer(far, asked).astype(np.float32) + np.outer(np.sqrt(1 - far**2), aside))

    def page(offset: int) -> list[str]:
        query = Query("what is at zz/place.py:1", asked, mode="semantic", offset=offset, limit=46)
        return [hit.chunk.id for hit in search(store, query).hits]

    assert ids[-1] not in page(0)  # no candidate of the first depth, so no page before its own may know of it
    shown = [chunk_id for offset in range(0, 230, 46) for chunk_id in page(offset)]
    assert len(shown) == len(set(shown)) == 230


@pytest.mark.parametrize(
    ("covered", "given", "together", "by_meaning"),
    [
        (1.0, ("vector", "sketch"), ("text", "sketch", "vector"), ("vector",)),
        (0.4, ("vector", "sketch"), ("text", "sketch", "vector"), ("sketch", "vector")),
        (1.0, ("sketch",), ("text", "sketch"), ("sketch",)),
        (0.4, ("vector",), ("text", "vector"), ("vector",)),
        (0.0, (), ("text",), ()),
    ],
)
def test_by_meaning_alone_sketches_stand_in_for_vectors_that_are_not_there_yet(
    covered: float, given: tuple[str, ...], together: tuple[str, ...], by_meaning: tuple[str, ...]
) -> None:
    vectors = {name: vector_of("x") for name in given}
    assert Query("x", **vectors, covered=covered).legs == together  # type: ignore[arg-type]
    assert Query("x", **vectors, covered=covered, mode="semantic").legs == by_meaning  # type: ignore[arg-type]
    assert Query("x", **vectors, covered=covered, mode="text").legs == ("text",)  # type: ignore[arg-type]


def test_a_chunk_without_a_vector_is_found_by_its_sketch(store: ChunkStore) -> None:
    store.replace_files([TOKEN, CACHE, DOCS])
    wanted = vector_of(CACHE.chunks[0].content)
    (hit, *_) = search(store, Query("zyzzyva", wanted, wanted, covered=0.0)).hits
    assert (hit.chunk, hit.found_by) == (CACHE.chunks[0], ("sketch",))


def test_vectors_weigh_as_much_as_they_reach_of_what_the_query_found(store: ChunkStore) -> None:
    store.replace_files([TOKEN, CACHE, DOCS])
    wanted = vector_of(TOKEN.chunks[0].content)

    def told(words: str) -> dict[str, dict[str, float]]:
        results = search(store, Query(words, wanted, covered=0.3))
        return {hit.chunk.file_path: dict(hit.signals) for hit in results.hits}

    store.add_vectors([TOKEN.chunks[0].id], wanted[None])
    half = told("token")  # two chunks have the word, one of them a vector
    store.add_vectors([DOCS.chunks[0].id], vectors_of(list(DOCS.chunks)))
    assert told("token")["auth/token.py"]["vector"] == pytest.approx(2 * half["auth/token.py"]["vector"])


def test_what_was_found_or_nearly_found_is_named_best_first_whatever_the_page(filled: ChunkStore) -> None:
    everything = [hit.chunk.id for hit in search(filled, Query("token cache session")).hits]
    assert len(everything) == 3
    assert list(search(filled, Query("token cache session", limit=1)).near) == everything
    assert list(search(filled, Query("token cache session", limit=1, offset=2)).near) == everything
    assert search(filled, Query("session", mode="exact", limit=1)).near == (TOKEN.chunks[0].id,)


class LosingStore(MemoryStore):
    """A file goes between a search's two reads: of candidates, and of the chunks to be shown."""

    def chunks(self, ids: Collection[str]) -> dict[str, Chunk]:
        self.delete_files(["auth/token.py"])
        return super().chunks(ids)


def test_a_chunk_that_goes_while_it_is_searched_for_is_left_out() -> None:
    store = LosingStore()
    store.reset(FINGERPRINT)
    store.replace_files([TOKEN, CACHE, DOCS])
    assert paths(search(store, Query("token"))) == ["docs/token.md"]


@pytest.mark.parametrize("mode", ["hybrid", "semantic", "text", "exact"])
def test_what_is_shown_is_the_whole_chunk(filled: ChunkStore, mode: str) -> None:
    results = search(filled, Query("evict_oldest", vector_of(CACHE.chunks[0].content), mode=mode))  # type: ignore[arg-type]
    assert results.hits[0].chunk == CACHE.chunks[0]


@pytest.mark.parametrize("mode", ["exact", "regex"])
def test_patterns_name_their_lines_and_their_mode(filled: ChunkStore, mode: str) -> None:
    results = search(filled, Query("session", mode=mode))  # type: ignore[arg-type]
    assert [(hit.chunk.file_path, hit.matched_lines, hit.found_by) for hit in results.hits] == [
        ("auth/token.py", (1, 2), (mode,))
    ]
    assert results.complete
    assert not results.more


def test_an_expression_that_is_none_is_refused(filled: ChunkStore) -> None:
    with pytest.raises(InvalidPatternError):
        search(filled, Query("(", mode="regex"))


@pytest.mark.parametrize("mode", ["hybrid", "text", "semantic", "exact"])
def test_pages_follow_each_other_without_gap_or_repetition(store: ChunkStore, mode: str) -> None:
    files = [make_file(f"f{n:03}.py", f"def shared_{n % 5}(value): return {n}") for n in range(230)]
    store.replace_files(files)
    chunks = store.missing_vectors(1000)
    store.add_vectors([chunk.id for chunk in chunks], vectors_of(chunks))
    query = "shared" if mode == "exact" else "shared value"
    vector = vector_of("def shared_2(value)")

    def page(offset: int, limit: int) -> object:
        return search(store, Query(query, vector, mode=mode, offset=offset, limit=limit))  # type: ignore[arg-type]

    pages = [page(offset, 23) for offset in range(0, 230, 23)]
    ids = [hit.chunk.id for results in pages for hit in results.hits]  # type: ignore[attr-defined]
    assert len(ids) == len(set(ids)) == 230
    assert [results.more for results in pages] == [True] * 9 + [False]  # type: ignore[attr-defined]
    assert ids[:7] == [hit.chunk.id for hit in page(0, 7).hits]  # type: ignore[attr-defined]
    assert page(230, 10).hits == ()  # type: ignore[attr-defined]


def test_equal_scores_are_ordered_by_path_and_place(store: ChunkStore) -> None:
    store.replace_files([make_file(f"{name}/x.py", "same = 1", "same = 1") for name in "dbca"])
    results = search(store, Query("same", mode="text"))
    places = [(hit.chunk.file_path, hit.chunk.chunk_index) for hit in results.hits]
    assert places == [(f"{name}/x.py", index) for index in (0, 1) for name in "abcd"]
    assert len({round(hit.score, 9) for hit in results.hits[:4]}) == 1


@pytest.mark.parametrize("text", ["", "   ", "?!", "\x00\x07", "a" * 1_000_000, "word " * 200_000])
def test_a_query_of_any_shape_is_answered(filled: ChunkStore, text: str) -> None:
    assert search(filled, Query(text, mode="text")).hits == ()


def test_a_limit_of_nothing_gives_nothing(filled: ChunkStore) -> None:
    assert search(filled, Query("token", vector_of("x"), limit=0)).hits == ()
    assert len(search(filled, Query("token", vector_of("x"), limit=10**9)).hits) == 3
