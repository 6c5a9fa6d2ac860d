"""Answers to read: what is shown, what is left out, and that it is said."""

from dataclasses import replace

import pytest

from mcp_server.answers.text import as_text
from mcp_server.answers.tokens import estimated_tokens
from mcp_server.freshness import Freshness, combine
from mcp_server.requests import Answering
from tests.mcp_server.samples import CURRENT, answer, chunk, found

BODY = "\n".join(["def parse(text):", *[f"    line_{n} = {n}" for n in range(30)], "    return date_of(text)"])
HITS = [found(BODY, path=f"src/{n}.py") for n in range(40)]


def test_an_answer_names_place_and_name_and_shows_numbered_lines():
    text = as_text(answer(found("def parse(text):\n    pass")), Answering())
    assert text == (
        "1. src/a.py:10-11 parse\n10 def parse(text):\n11     pass\n[current; text 100 %, sketch 100 %, vectors 100 %]"
    )


def test_locations_cost_a_tenth():
    places = as_text(answer(*HITS[:10]), Answering("locations"))
    assert estimated_tokens(places) <= estimated_tokens(as_text(answer(*HITS[:10]), Answering())) / 8
    assert places.count("\n") == 10


@pytest.mark.parametrize("detail", ["snippets", "full", "locations"])
@pytest.mark.parametrize("tokens", [100, 150, 300, 1000, 3000])
def test_an_answer_keeps_its_budget_and_says_what_is_left_out(detail, tokens):
    text = as_text(answer(*HITS), Answering(detail, max_tokens=tokens))
    assert estimated_tokens(text) <= tokens
    named = text.count(".py:")
    assert ("left out" in text) == (named < 40)
    assert f"offset={named}" in text or named == 40


def test_a_small_answer_still_names_ten_places_with_their_signatures():
    text = as_text(answer(*HITS[:10]), Answering(max_tokens=500))
    assert text.count("10 def parse(text):") == 10


def test_a_large_answer_shows_the_best_whole_and_says_that_others_are_in_part():
    text = as_text(answer(*HITS[:10]), Answering(max_tokens=1200))
    assert "".join(f"{n} {line}\n" for n, line in enumerate(BODY.split("\n"), 10)) in text
    assert "places shown in part: ask with a larger max_tokens.]" in text


def test_full_shows_whole_chunks_before_telling_lines_of_others():
    text = as_text(answer(*HITS[:3]), Answering("full", max_tokens=600))
    assert "line_29 = 29" in text.split("2. src/1.py")[0]
    assert "return date_of" not in text.split("3. src/2.py")[1]


def test_neighbours_are_shown_as_one_place_under_the_better_one_s_number():
    first, second = (
        replace(found("x"), hit=replace(found("x").hit, chunk=chunk(f"def {n}():\n    pass", start=s, name=n, index=i)))
        for n, s, i in (("late", 13, 4), ("early", 10, 3))
    )
    text = as_text(answer(first, found("y = 1", path="b.py"), second), Answering())
    assert text.startswith(
        "1. src/a.py:10-14 early, late\n10 def early():\n11     pass\n13 def late():\n14     pass\n2. b.py"
    )


def test_the_next_page_starts_where_the_shown_hits_end():
    text = as_text(answer(found(BODY), offset=10, more=True), Answering())
    assert text.startswith("11. ")
    assert "[more hits exist: ask with offset=11.]" in text


def test_the_next_page_begins_at_the_first_hit_left_out_though_a_later_one_is_shown_beside_a_better_one():
    first = found(BODY, path="src/0.py")
    neighbour = replace(first, hit=replace(first.hit, chunk=chunk("z = 1", "src/0.py", 42, index=1)))
    text = as_text(answer(*HITS[:9], neighbour, offset=20), Answering(max_tokens=120))
    assert text.startswith("21. src/0.py:10-42 parse")
    named = text.count(".py:")
    assert 0 < named < 9
    assert f"{9 - named} hits left out for want of room: ask with offset={20 + named} " in text


@pytest.mark.parametrize("detail", ["snippets", "full", "locations"])
@pytest.mark.parametrize("body", ["x = 1\n\n\n\ny = 2", "\n\n\n"])
def test_blank_lines_that_an_expression_matched_are_not_shown(detail, body):
    lines = as_text(answer(found(body, matched=(11, 12, 13))), Answering(detail)).split("\n")
    assert {line for line in lines[1:-1] if line[:1].isdigit()} <= {"10 x = 1", "14 y = 2"}


def test_a_signature_that_matched_is_shown_once():
    text = as_text(answer(found("# parse\ndef parse(x):\n    parse(x)", matched=(10, 11, 12))), Answering())
    assert text.startswith("1. src/a.py:10-12 parse\n10 # parse\n11 def parse(x):\n12     parse(x)\n[")


def test_nothing_found_is_said_with_the_freshness():
    assert (
        as_text(answer(query="zebra"), Answering())
        == "Nothing found for 'zebra'.\n[current; text 100 %, sketch 100 %, vectors 100 %]"
    )


def test_a_very_long_line_is_cut():
    assert len(as_text(answer(found("x = '" + "a" * 5000 + "'")), Answering())) < 500


def test_very_long_words_about_freshness_leave_room_for_hits():
    text = as_text(answer(HITS[0], freshness=replace(CURRENT, notes=("gone wrong " * 500,))), Answering(max_tokens=150))
    assert estimated_tokens(text) <= 150
    assert text.startswith("1. src/0.py:10-41 parse")


def test_several_roots_are_told_apart():
    hit = replace(found("def parse(): pass"), root="server")
    assert as_text(answer(hit), Answering()).startswith("1. server/src/a.py:10-10")


def test_explaining_adds_a_line_a_hit():
    hit = replace(
        found("def parse(): pass"), hit=replace(found("x").hit, score=0.5, signals=(("text", 0.4), ("stem", 0.1)))
    )
    text = as_text(answer(hit), Answering(explain=True))
    assert text.split("\n")[1] == "   text .400 + stem .100 = .500"


def test_of_nothing_all_is_there_only_where_that_is_known():
    assert Freshness("indexing", 0, 0, 0, 0).sentence() == "indexing; text 0 %, sketch 0 %, vectors 0 %"
    assert Freshness("current", 0, 0, 0, 0).sentence() == "current; text 100 %, sketch 100 %, vectors 100 %"


def test_freshness_says_what_is_missing():
    fresh = Freshness(
        "indexing", files=50, files_expected=100, chunks=200, vectors=1, changed_files=50, notes=("a note",)
    )
    assert (
        fresh.sentence()
        == "indexing; text 50 %, sketch 0 %, vectors 0 %; 50 files changed since, being indexed; a note"
    )


def test_a_hundred_per_cent_means_all_of_it():
    assert "vectors 99 %" in Freshness("current", 1, 1, chunks=1000, vectors=999).sentence()


def test_several_roots_have_the_worst_state_and_the_sums():
    other = Freshness("stale", files=2, files_expected=4, chunks=4, vectors=0, changed_files=2)
    both = combine([CURRENT, other])
    assert (both.state, both.files, both.files_expected, both.changed_files) == ("stale", 4, 6, 2)
