"""Answers: what is shown, what is left out, and that it is said."""

import json
from dataclasses import replace

from mcp_server.freshness import Freshness, combine
from mcp_server.requests import Answering
from mcp_server.results import as_json, as_text, snippet
from tests.mcp_server.samples import CURRENT, answer, chunk, found

BODY = "\n".join(["def parse(text):", *[f"    line_{n} = {n}" for n in range(30)], "    return date_of(text)"])


def test_a_snippet_has_the_first_line_and_the_lines_of_the_query():
    lines = dict(snippet(chunk(BODY), "date", most=2))
    assert lines == {10: "def parse(text):", 41: "    return date_of(text)"}


def test_matched_lines_come_before_all_others():
    lines = [number for number, _ in snippet(chunk(BODY), "date", matched=(20, 25), most=2)]
    assert lines == [20, 25]


def test_an_answer_names_place_name_kind_and_tiers():
    text = as_text(answer(found("def parse(text):\n    pass")), Answering())
    assert text.startswith("1. src/a.py:10-11  parse  (function, python; text+vector 0.5)\n10  def parse(text):")
    assert text.endswith("[current; text 100 %, vectors 100 %]")


def test_locations_cost_a_fraction():
    hits = [found(BODY, path=f"src/{n}.py") for n in range(10)]
    whole = as_text(answer(*hits), Answering("full", max_chars=40_000))
    places = as_text(answer(*hits), Answering("locations"))
    assert len(places) < len(whole) / 8
    assert places.count("\n") == 10


def test_an_answer_keeps_its_budget_and_says_what_is_left_out():
    hits = [found(BODY, path=f"src/{n}.py") for n in range(40)]
    text = as_text(answer(*hits), Answering("full", max_chars=3000))
    assert len(text) <= 3000
    assert "left out" in text
    assert "offset=" in text


def test_the_next_page_starts_where_the_shown_hits_end():
    text = as_text(answer(found(BODY), offset=10, more=True), Answering())
    assert text.startswith("11. ")
    assert "offset=11" in text


def test_nothing_found_is_said_with_the_freshness():
    assert (
        as_text(answer(query="zebra"), Answering())
        == "Nothing found for 'zebra'.\n[current; text 100 %, vectors 100 %]"
    )


def test_json_holds_the_promised_fields():
    row = as_json(answer(found("def parse(text): pass")), Answering("full", "json"))["hits"][0]
    assert row == {
        "file_path": "src/a.py",
        "start_line": 10,
        "end_line": 10,
        "language": "python",
        "kind": "function",
        "name_path": "parse",
        "score": 0.5,
        "found_by": ["text", "vector"],
        "content": "def parse(text): pass",
    }


def test_json_counts_what_the_budget_left_out():
    result = as_json(answer(*[found(BODY, path=f"{n}.py") for n in range(20)]), Answering("full", "json", 3000))
    assert len(result["hits"]) + result["omitted"] == 20
    assert result["next_offset"] == len(result["hits"])
    assert len(json.dumps(result["hits"])) <= 3000


def test_a_very_long_line_is_cut():
    assert len(as_text(answer(found("x = '" + "a" * 5000 + "'")), Answering())) < 500


def test_several_roots_are_told_apart():
    hit = replace(found("def parse(): pass"), root="server")
    assert as_text(answer(hit), Answering()).startswith("1. server/src/a.py:10-10")
    assert as_json(answer(hit), Answering())["hits"][0]["root"] == "server"


def test_freshness_says_what_is_missing():
    fresh = Freshness(
        "indexing", files=50, files_expected=100, chunks=200, vectors=1, changed_files=50, notes=("a note",)
    )
    assert fresh.sentence() == "indexing; text 50 %, vectors 0 %; 50 files changed since, being indexed; a note"


def test_a_hundred_per_cent_means_all_of_it():
    assert "vectors 99 %" in Freshness("current", 1, 1, chunks=1000, vectors=999).sentence()


def test_several_roots_have_the_worst_state_and_the_sums():
    other = Freshness("stale", files=2, files_expected=4, chunks=4, vectors=0, changed_files=2)
    both = combine([CURRENT, other])
    assert (both.state, both.files, both.files_expected, both.changed_files) == ("stale", 4, 6, 2)
