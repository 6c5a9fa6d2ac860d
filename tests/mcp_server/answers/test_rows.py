"""Answers to parse."""

import json
from dataclasses import replace

import pytest

from mcp_server.answers.rows import as_json
from mcp_server.answers.tokens import estimated_tokens
from mcp_server.requests import Answering
from tests.mcp_server.samples import answer, found

BODY = "\n".join(["def parse(text):", *[f"    line_{n} = '{n}'" for n in range(30)], "    return date_of(text)"])


def test_a_row_holds_the_promised_fields():
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
        "signals": {},
    }


def test_signals_come_with_every_row_but_those_of_locations_unless_asked():
    hit = replace(found(BODY), hit=replace(found(BODY).hit, signals=(("text", 0.5),)))
    asked = {
        (detail, explain): as_json(answer(hit), Answering(detail, "json", explain=explain))["hits"][0]
        for detail in ("snippets", "locations")
        for explain in (True, False)
    }
    assert {key for key, row in asked.items() if "signals" in row} == set(asked) - {("locations", False)}
    assert asked["locations", True]["signals"] == {"text": 0.5}


@pytest.mark.parametrize("detail", ["snippets", "full", "locations"])
@pytest.mark.parametrize("tokens", [200, 500, 1000, 3000])
def test_the_budget_is_kept_and_what_it_left_out_is_counted(detail, tokens):
    result = as_json(answer(*[found(BODY, path=f"{n}.py") for n in range(40)]), Answering(detail, "json", tokens))
    assert estimated_tokens(json.dumps(result, ensure_ascii=False)) <= tokens
    assert len(result["hits"]) + result["omitted"] == 40
    assert result.get("next_offset", 40) == len(result["hits"])


def test_full_content_is_the_chunk_s_text():
    assert as_json(answer(found(BODY)), Answering("full", "json"))["hits"][0]["content"] == BODY


def test_quotes_and_line_ends_survive_a_cut_line():
    body = f'say("{"x" * 300}\\n")\ntab\t"end"'
    content = as_json(answer(found(body)), Answering("snippets", "json"))["hits"][0]["content"]
    assert content.endswith('…\ntab\t"end"')


def test_several_roots_are_told_apart():
    hit = replace(found("def parse(): pass"), root="server")
    assert as_json(answer(hit), Answering())["hits"][0]["root"] == "server"
