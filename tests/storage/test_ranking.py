"""Candidates, ranked: on candidates made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.chunk import Candidate, Outline
from storage.ranking.asking import understand
from storage.ranking.places import PLACE_WEIGHT, Place
from storage.ranking.ranking import WEIGHTS, Gathered, Ranked, rank
from storage.ranking.signals import MEMBER, WHOLLY, definition

Legs = dict[str, list[Candidate]]


def chunk(path: str, index: int = 0, defines: str = "", kind: str = "function", language: str = "python") -> Outline:
    """A chunk of ``path``; it stands under the first of the names it defines."""
    names = tuple(defines.split())
    return Outline(f"{path}:{index}", path, index, language, kind, names[0] if names else "", names)


def leg(*scored: tuple[Outline, float]) -> list[Candidate]:
    return [Candidate(one, score) for one, score in scored]


def answer(query: str, **legs: list[Candidate]) -> list[Ranked]:
    return rank(understand(query), Gathered(legs))


def paths(hits: Sequence[Ranked]) -> list[str]:
    return [hit.outline.file_path for hit in hits]


def score_of(hits: Sequence[Ranked], path: str) -> float:
    return max(hit.score for hit in hits if hit.outline.file_path == path)


def test_the_definition_comes_before_a_better_worded_use_for_a_name() -> None:
    use, made = chunk("a.py"), chunk("b.py", defines="load_page")
    for query in ("load_page", "loadPage", "how does load_page wait"):
        assert paths(answer(query, text=leg((use, 10.0), (made, 7.0))))[0] == "b.py"
    assert paths(answer("read the page", text=leg((use, 10.0), (made, 7.0))))[0] == "a.py"


def test_a_chunk_whose_name_says_what_is_asked_comes_before_an_equal_one() -> None:
    other, named, half = (
        chunk(f"{at}.py", 0, name) for at, name in zip("abc", ("other", "load", "loader"), strict=True)
    )
    hits = answer("how to load pages", text=leg((other, 5.0), (named, 5.0)))
    assert paths(hits) == ["b.py", "a.py"]
    assert answer("loading", text=leg((half, 5.0)))[0].score > answer("pages", text=leg((half, 5.0)))[0].score


def test_a_type_of_the_asked_name_comes_before_a_member_and_both_before_what_defines_others() -> None:
    asked = understand("Session")
    whole = chunk("a.py", defines="Session", kind="class")
    values = [definition(asked, one) for one in (whole, replace(whole, kind="method"), chunk("a.py", 1, "Client"))]
    assert values == [WHOLLY, WHOLLY * MEMBER, 0]
    assert definition(asked, replace(whole, name_path="Client", defines=("Client", "Session"))) == WHOLLY


def test_a_name_in_prose_counts_less_than_a_name_alone() -> None:
    made = chunk("a.py", defines="Session", kind="class")
    assert definition(understand("who closes the Session"), made) == definition(understand("Session"), made) / WHOLLY


def test_several_good_chunks_of_a_file_lift_it_above_one_that_is_a_little_better() -> None:
    alone = chunk("alone.py")
    many = [chunk("many.py", index) for index in range(4)]
    found = leg((alone, 10.0), *((one, 9.0) for one in many))
    assert paths(answer("words", text=found))[0] == "many.py"
    assert paths(answer("words", text=leg((alone, 10.0), (many[0], 9.0))))[0] == "alone.py"


def test_each_further_chunk_of_a_file_adds_less_than_the_one_before() -> None:
    def best(chunks: int) -> float:
        return answer("words", text=leg(*((chunk("many.py", index), 5.0) for index in range(chunks))))[0].score

    added = [best(chunks + 1) - best(chunks) for chunks in range(1, 8)]
    assert added == sorted(added, reverse=True)
    assert added[-1] > 0


def test_a_file_named_by_the_query_comes_before_one_that_is_not() -> None:
    named, other = chunk("core/router.py"), chunk("core/app.py")
    found = leg((other, 10.0), (named, 8.0))
    assert paths(answer("how are routes matched", text=found))[0] == "core/router.py"
    assert paths(answer("how are paths matched", text=found))[0] == "core/app.py"


def test_a_file_whose_whole_name_is_asked_for_gains_more_than_one_half_named() -> None:
    whole, half = chunk("a/token.py"), chunk("b/token_cache.py")
    hits = answer("refresh a token", text=leg((whole, 5.0), (half, 5.0)))
    assert paths(hits) == ["a/token.py", "b/token_cache.py"]
    assert score_of(hits, "b/token_cache.py") > answer("refresh it", text=leg((half, 5.0)))[0].score


def test_a_file_that_bears_the_asked_name_gains_twice_where_the_query_is_that_name() -> None:
    def exact(query: str) -> float:
        return dict(answer(query, text=leg((chunk("src/ZodError.ts"), 5.0)))[0].signals).get("exact", 0)

    assert exact("zod_error") == exact("ZodError") == 2 * exact("who throws a ZodError")
    assert exact("ZodErrors") == 0


BEHIND = [
    ("tests/test_page.py", "python", "test the words"),
    ("examples/show.py", "python", "an example with words"),
    ("README.md", "markdown", "documentation of words"),
    ("lib/legacy/words.js", "javascript", "deprecated words"),
    ("words.d.ts", "typescript", "type declarations of words"),
]


@pytest.mark.parametrize(("path", "language", "asking"), BEHIND)
def test_a_place_that_is_not_code_stands_behind_unless_it_is_asked_for(path: str, language: str, asking: str) -> None:
    code, there = chunk("src/page.py"), chunk(path, language=language)
    found = leg((there, 10.0), (code, 9.5))
    assert score_of(answer(asking, text=found), path) > score_of(answer("pages", text=found), path)
    assert paths(answer(asking, text=found))[0] == path
    assert paths(answer("pages", text=found)) == ["src/page.py", path]


def test_each_further_chunk_of_a_file_keeps_its_evidence_and_less_of_the_files_standing() -> None:
    hits = answer("page", text=leg(*((chunk("page.py", index), 4.0) for index in range(4))))
    assert [hit.outline.chunk_index for hit in hits] == [0, 1, 2, 3]
    stems = [dict(hit.signals)["stem"] for hit in hits]
    assert [stem / stems[0] for stem in stems] == pytest.approx([WEIGHTS.shared**number for number in range(4)])
    assert {dict(hit.signals)["text"] for hit in hits} == {1.0}


def test_another_file_called_as_asked_goes_before_a_files_second_chunk() -> None:
    twice = [chunk("a/page.py", index) for index in range(2)]
    hits = answer("page", text=leg((twice[0], 10.0), (twice[1], 9.9), (chunk("b/page.py"), 9.0)))
    assert [hit.outline.id for hit in hits] == ["a/page.py:0", "b/page.py:0", "a/page.py:1"]


def test_a_chunk_both_legs_found_comes_before_those_that_one_did() -> None:
    both, words, near, last = (chunk(f"{name}.py") for name in ("d", "a", "b", "c"))
    hits = answer("x", text=leg((words, 9.0), (both, 8.0)), vector=leg((near, 0.8), (both, 0.79), (last, 0.5)))
    assert {hit.outline.id: hit.found_by for hit in hits} == {
        "d.py:0": ("text", "vector"),
        "a.py:0": ("text",),
        "b.py:0": ("vector",),
        "c.py:0": ("vector",),
    }
    assert paths(hits)[0] == "d.py"


def test_a_leg_alone_has_all_the_weight_and_an_empty_one_takes_none() -> None:
    words = leg((chunk("a.py"), 9.0), (chunk("b.py"), 4.5))
    alone = answer("x", text=words)
    assert [hit.score for hit in alone] == pytest.approx([1, 0.5])
    assert answer("x", text=words, vector=[]) == alone
    near = answer("x", vector=leg((chunk("a.py"), 0.9), (chunk("b.py"), 0.8), (chunk("c.py"), 0.7)))
    assert [hit.score for hit in near] == pytest.approx([1, 0.45 / 0.55, 0.35 / 0.55])
    assert {hit.found_by for hit in near} == {("vector",)}


@pytest.mark.parametrize(("reach", "vector", "sketch"), [(1.0, 0.3, 0.1), (0.5, 0.15, 0.2), (0.0, 0.0, 0.3)])
def test_vectors_of_a_part_weigh_as_much_as_the_part_and_sketches_less_beside_them(
    reach: float, vector: float, sketch: float
) -> None:
    legs = {name: leg((chunk(f"{name}.py"), 0.5)) for name in ("text", "sketch", "vector")}
    scores = {hit.outline.file_path: hit.score for hit in rank(understand("x"), Gathered(legs, reach=reach))}
    assert scores == pytest.approx({"text.py": 0.7, "vector.py": vector, "sketch.py": sketch})


def test_equal_cosines_and_a_lone_one_count_whole() -> None:
    lone = answer("x", vector=leg((chunk("a.py"), 0.95)))
    equal = answer("x", vector=leg((chunk("a.py"), 0.7), (chunk("b.py"), 0.7)))
    assert [hit.score for hit in [*lone, *equal]] == pytest.approx([1, 1, 1])


def test_cosines_below_zero_are_in_order_as_well() -> None:
    hits = answer("x", vector=leg((chunk("a.py"), -0.1), (chunk("b.py"), -0.3), (chunk("c.py"), -0.5)))
    assert paths(hits) == ["a.py", "b.py", "c.py"]
    assert [hit.score for hit in hits] == pytest.approx([1, 0.5, 0])


def test_only_shares_of_scores_count() -> None:
    chunks = [chunk(f"{name}.py") for name in "abc"]

    def scores(text: Sequence[float], vector: Sequence[float]) -> list[float]:
        hits = answer("x", text=leg(*zip(chunks, text, strict=True)), vector=leg(*zip(chunks, vector, strict=True)))
        return [hit.score for hit in hits]

    assert scores([9, 6, 3], [0.9, 0.8, 0.7]) == pytest.approx(scores([90, 60, 30], [0.45, 0.4, 0.35]))


@pytest.mark.parametrize("legs", [{}, {"text": []}, {"text": [], "vector": []}])
def test_nothing_found_is_no_hits(legs: Legs) -> None:
    assert rank(understand("anything"), Gathered(legs)) == []


def test_an_empty_query_still_ranks_what_was_found() -> None:
    assert paths(answer("", vector=leg((chunk("b.py"), 0.2), (chunk("a.py"), 0.9)))) == ["a.py", "b.py"]


def test_equal_scores_are_ordered_by_path_and_place() -> None:
    found = leg(*((chunk(f"{name}.py", index), 3.0) for name in "cab" for index in (1, 0)))
    assert [hit.outline.id for hit in answer("x", text=found)] == [
        f"{name}.py:{index}" for index in (0, 1) for name in "abc"
    ]


NAMES = ("", "page", "load_page", "run", "", "page", "Session")  # of a file's chunks, in file order
PATHS = ["src/page.py", "src/load_page.py", "tests/test_page.py", "README.md", "examples/page.ts"]
PLACED = st.tuples(st.sampled_from(PATHS), st.integers(0, len(NAMES) - 1))
LEG = st.dictionaries(PLACED, st.floats(0.01, 50), max_size=12).map(
    lambda scored: leg(*((chunk(path, index, NAMES[index]), score) for (path, index), score in scored.items()))
)
QUERY = st.sampled_from(["load_page", "tests of load_page", "how does a page load", "page", ""])


@given(QUERY, LEG, LEG)
def test_signals_explain_the_score(query: str, text: list[Candidate], vector: list[Candidate]) -> None:
    factors = ("place",)
    for hit in answer(query, text=text, vector=vector):
        added = sum(value for name, value in hit.signals if name not in factors)
        factor = prod(value for name, value in hit.signals if name in factors)
        assert hit.score == pytest.approx(added * factor)


@given(QUERY, LEG, LEG)
def test_the_answer_is_every_chunk_once_best_first_whatever_the_order_of_candidates(
    query: str, text: list[Candidate], vector: list[Candidate]
) -> None:
    hits = answer(query, text=text, vector=vector)
    assert sorted(hit.outline.id for hit in hits) == sorted({c.outline.id for c in (*text, *vector)})
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert answer(query, text=text, vector=vector) == hits
    again = answer(query, vector=vector[::-1], text=text[::-1])
    assert [hit.outline.id for hit in again] == [hit.outline.id for hit in hits]


def test_weights_can_be_taken_away_one_at_a_time() -> None:
    asked = understand("load_page")
    found = Gathered({"text": leg((chunk("src/load_page.py", defines="load_page"), 5.0), (chunk("tests/a.py"), 5.0))})
    bare = rank(asked, found, replace(WEIGHTS, definition=0, name=0, stem=0, exact=0))
    assert [hit.score for hit in bare] == pytest.approx([1, PLACE_WEIGHT[Place.TEST]])
    for name in ("definition", "name", "stem", "exact"):
        assert rank(asked, found, replace(WEIGHTS, **{name: 0}))[0].score < rank(asked, found)[0].score


def test_the_version_that_was_superseded_stands_behind_unless_it_is_asked_for() -> None:
    old, new = chunk("src/v3/types.ts"), chunk("src/v4/types.ts")
    found = leg((old, 10.0), (new, 9.0))
    assert paths(answer("string types", text=found)) == ["src/v4/types.ts", "src/v3/types.ts"]
    assert paths(answer("v3 string types", text=found)) == ["src/v3/types.ts", "src/v4/types.ts"]


def test_a_definition_found_by_its_name_alone_comes_before_uses_of_the_name() -> None:
    use, made = chunk("a.py"), chunk("b.py", defines="Session", kind="class")
    ranked = rank(understand("Session"), Gathered({"text": leg((use, 10.0))}, named=[made]))
    assert paths(ranked) == ["b.py", "a.py"]
    assert ranked[0].found_by == ("text",)


def test_a_qualified_name_means_its_last_part() -> None:
    owner, member = chunk("a.py", 0, "Queue", "class"), replace(chunk("a.py", 1, "claim"), name_path="Queue/claim")
    asked = understand("Queue.claim")
    assert definition(asked, member) > definition(asked, owner) > 0


def test_what_a_name_means_is_spelled_as_it_was_asked_for() -> None:
    trait, method = chunk("a.rs", 0, "Visit", "trait"), chunk("a.rs", 1, "visit", "trait")
    assert definition(understand("Visit"), trait) > definition(understand("Visit"), method) > 0


def test_the_chunk_at_an_asked_line_comes_first_of_its_file() -> None:
    chunks = [chunk("src/worker.py", index) for index in range(3)]
    found = Gathered({"text": leg(*((one, 5.0) for one in chunks))}, pointed=frozenset({chunks[2].id}))
    assert rank(understand('File "worker.py", line 90'), found)[0].outline is chunks[2]


def test_the_file_whose_path_is_asked_for_comes_first() -> None:
    found = Gathered({"text": leg((chunk("src/cart/cart.test.ts"), 9.0), (chunk("src/cart/cart.ts"), 8.0))})
    assert paths(rank(understand("cart/cart.ts"), found))[0] == "src/cart/cart.ts"


def test_what_is_quoted_and_what_many_import_weigh() -> None:
    plain, said = chunk("a.py"), chunk("b.py")
    legs = {"text": leg((plain, 5.0), (said, 4.5))}
    assert paths(rank(understand("x y"), Gathered(legs)))[0] == "a.py"
    assert paths(rank(understand("x y"), Gathered(legs, phrases={said.id: 0.5})))[0] == "b.py"
    assert paths(rank(understand("x y"), Gathered(legs, links={"b.py": 1.0})))[0] == "b.py"


def test_a_file_in_the_folder_that_is_asked_for_comes_before_one_that_is_not() -> None:
    here, there = chunk("src/session/store.py"), chunk("src/cart/store.py")
    assert paths(answer("session storage", text=leg((there, 5.0), (here, 5.0))))[0] == "src/session/store.py"
