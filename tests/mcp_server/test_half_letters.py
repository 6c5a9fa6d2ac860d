"""Halves of letters in a line of JSON: replaced, and nothing else is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.types import ErrorData, JSONRPCError, JSONRPCResponse
from pydantic import ValidationError

from mcp_server.half_letters import mended, sound, whole
from mcp_server.sdk import SessionMessage, jsonrpc_message_adapter


def refusal(line: str) -> ValidationError:
    with pytest.raises(ValidationError) as refused:
        jsonrpc_message_adapter.validate_json(line, by_name=False)
    return refused.value


@pytest.mark.parametrize(
    ("line", "mended"),
    [
        (r'"\ud83d"', r'"\ufffd"'),
        (r'"\udE00 a"', r'"\ufffd a"'),
        (r'"\ud83d\ud83d\ude00"', r'"\ufffd\ud83d\ude00"'),
        (r'"\\ud83d"', r'"\\ud83d"'),
        (r'"\\\ud83d\n"', r'"\\\ufffd\n"'),
        ("\ufeff{}", "{}"),
    ],
)
def test_a_half_is_replaced_and_a_backslash_that_is_escaped_is_none(line: str, mended: str) -> None:
    assert whole(line) == mended


@given(st.text())
def test_whole_letters_stay_as_they_are(text: str) -> None:
    line = json.dumps(text)
    assert whole(line) == line


@given(st.text(st.characters(codec=None)))
def test_what_is_mended_can_be_read_whatever_was_cut(text: str) -> None:
    read = json.loads(whole(json.dumps(text)))
    assert read.encode().decode() == read


def test_a_line_that_was_refused_becomes_the_message_that_it_was_to_be() -> None:
    item = mended(refusal(r'{"jsonrpc": "2.0", "id": 7, "method": "ping", "params": {"a": "\ud83d"}}'))
    assert isinstance(item, SessionMessage)
    assert item.message.model_dump()["params"] == {"a": "\ufffd"}


@pytest.mark.parametrize("line", ["{", "[]", '{"jsonrpc": "2.0", "id": 7, "method": 5}', r'"\ud83d"'])
def test_what_is_no_message_stays_refused(line: str) -> None:
    refused = refusal(line)
    assert mended(refused) is refused


def test_what_cannot_be_written_is_shown_by_its_code() -> None:
    answer = JSONRPCResponse(jsonrpc="2.0", id=1, result={"content": [{"text": "/src/na\udcffme"}], "more": None})
    assert '"text":"/src/na\\\\udcffme"' in sound(answer).model_dump_json()
    error = JSONRPCError(jsonrpc="2.0", id=1, error=ErrorData(code=1, message="a\udcff", data={"b\udcff": 1}))
    assert sound(error).error == ErrorData(code=1, message="a\\udcff", data={"b\\udcff": 1})


def test_what_can_be_written_is_written_as_it_was() -> None:
    answer = JSONRPCResponse(jsonrpc="2.0", id="x", result={"content": [{"text": "Größe 😀"}], "n": [1, 2.5, True]})
    assert sound(answer).model_dump_json(exclude_unset=True) == answer.model_dump_json(exclude_unset=True)
