"""Reading JSON with comments: what it says, where it stands, and what is refused with which words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.clients.jsonc import NotJsonError, is_blank, parse
from tests.clients.written import VALUES, json_texts


@given(st.booleans().flatmap(lambda lenient: st.tuples(st.just(lenient), json_texts(key="servers", lenient=lenient))))
def test_a_text_says_what_was_written(case: tuple[bool, tuple[str, dict[str, Any]]]) -> None:
    lenient, (text, value) = case
    assert parse(text, lenient=lenient).value == value


@given(VALUES)
def test_plain_json_is_read_as_the_standard_library_reads_it(value: Any) -> None:
    assert parse(json.dumps(value), lenient=False).value == value


@given(json_texts(key="servers", lenient=True))
def test_every_member_is_where_it_is_said_to_be(case: tuple[str, dict[str, Any]]) -> None:
    text, _ = case
    for member in parse(text, lenient=True).members:
        assert text[member.start] == '"'
        assert parse(text[member.node.start : member.node.end], lenient=True).value == member.node.value
        assert member.comma is None or text[member.comma] == ","


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: a value is expected, not the end"),
        ("{", "line 1: a name in quotation marks is expected, not the end"),
        ('{\n"a": 1\n"b": 2}', "line 3: a comma is expected, not '\"'"),
        ('{"a" 1}', "line 1: a colon is expected, not '1'"),
        ('{"a": NaN}', "line 1: a value is expected, not 'N'"),
        ('{"a": 1}\nx', "line 2: there is something behind its end"),
        ('{\n"a": [1,]}', "line 2: a comma stands behind the last item"),
        ('{\n// note\n"a": 1}', "line 2: a name in quotation marks is expected, not a comment"),
        ("<<<<<<< HEAD\n{}", "line 1: a value is expected, not '<'"),
        ("[" * 5000, "line 1: it is nested more than 100 levels deep"),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(NotJsonError) as caught:
        parse(text, lenient=False)
    assert str(caught.value) == words


def test_a_comment_that_never_ends_is_refused() -> None:
    with pytest.raises(NotJsonError, match="line 1"):
        parse('{"a": 1 /* }', lenient=True)


def test_white_space_and_comments_alone_are_no_document() -> None:
    assert is_blank(" \r\n\t", lenient=False)
    assert is_blank("// Zed settings\n/* all of them */\n", lenient=True)
    assert not is_blank("// Zed settings\n", lenient=False)
