"""What is shown of a change: the change, and no key that stands beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from mcp_server.clients.difference import shown
from mcp_server.clients.editing import Place, with_entry, without_entry
from tests.clients.written import toml_texts

SECRET = "ghp_0123456789"
OURS = {"type": "stdio", "command": "/opt/bin/codeloupe", "args": ["serve"]}
MOVED = {"type": "stdio", "command": "codeloupe", "args": ["serve", "--root", "/x"]}
OTHER = {"command": "npx", "env": {"TOKEN": SECRET}}
ONE_LINE = json.dumps({"mcpServers": {"gh": OTHER}})
A_LINE_EACH = '{"mcpServers": {\n  "gh": ' + json.dumps(OTHER) + "\n}}\n"
KEY_LAST = '{"mcpServers": {}, "token": "' + SECRET + '"}'
CODEX = f'[mcp_servers.gh.env]\nTOKEN = "{SECRET}"\n'
FIRST_OF_TWO = json.dumps({"mcpServers": {"codeloupe": OURS, "gh": OTHER}})


@pytest.mark.parametrize("text", [ONE_LINE, A_LINE_EACH, KEY_LAST, CODEX, FIRST_OF_TWO])
def test_keys_of_others_are_not_shown_however_the_file_is_written(text: str) -> None:
    place = Place("toml", "mcp_servers", "codeloupe") if text == CODEX else Place("json", "mcpServers", "codeloupe")
    put, moved = with_entry(text, place, OURS), with_entry(text, place, MOVED)
    for before, after in ((text, put), (put, with_entry(put, place, MOVED)), (moved, without_entry(moved, place))):
        assert SECRET not in shown(before, after)
        assert (before == after) == (not shown(before, after))
    assert '"/opt/bin/codeloupe"' in shown(put, without_entry(put, place))


def test_a_value_that_changes_is_shown_whole_and_alone() -> None:
    before = '{"a": {"env": {"K": "' + SECRET + '"}, "command": "/opt/bin/codeloupe", "args": []}}'
    assert shown(before, before.replace("/opt/bin/", "")) == (
        '@@ line 1 @@\n-… "command": "/opt/bin/codeloupe"…\n+… "command": "codeloupe"…'
    )


def test_lines_are_shown_with_their_place_and_their_margin() -> None:
    before = '{\n  "servers": {\n    "a": {}\n  }\n}'
    after = '{\n  "servers": {\n    "a": {},\n    "b": {}\n  }\n}'
    assert shown(before, after) == '@@ line 3 @@\n+    …,\n+    "b": {}'


@pytest.mark.parametrize("quoted", [json.dumps("hf_ключ"), json.dumps("hf_ключ", ensure_ascii=False), "'hf_ключ'"])
def test_what_an_entry_keeps_in_its_environment_is_not_shown(quoted: str) -> None:
    assert shown(f"HF_TOKEN = {quoted}\n", "", ["hf_ключ"]) == '@@ line 1 @@\n-HF_TOKEN = "…"'


def test_a_long_line_is_cut() -> None:
    (_, line) = shown("", "x" * 500).splitlines()
    assert line == f"+{'x' * 199}..."


@given(toml_texts())
def test_every_line_of_ours_is_shown_once(text: str) -> None:
    place = Place("toml", "mcp_servers", "codeloupe")
    lines = shown(text, with_entry(text, place, OURS)).splitlines()
    wanted: list[Any] = ["+[mcp_servers.codeloupe]", '+command = "/opt/bin/codeloupe"', '+args = ["serve"]']
    assert [line for line in lines if line in wanted] == wanted
    assert not [line for line in lines if line.startswith("-")]
