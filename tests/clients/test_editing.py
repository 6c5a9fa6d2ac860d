"""An entry put into a text and taken out of it: everything else stays, byte for byte."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given

from mcp_server.clients import toml_edit
from mcp_server.clients.editing import NotEditableError, Place, entries_in, is_ours, with_entry, without_entry
from tests.clients.written import json_texts, toml_texts

OURS = {"type": "stdio", "command": "/opt/bin/codeloupe", "args": ["serve", "--root", "${workspaceFolder}"]}
MOVED = {"type": "stdio", "command": "/usr/bin/codeloupe", "args": ["serve"]}
JSON = Place("json", "mcpServers", "codeloupe")
JSONC = Place("jsonc", "servers", "codeloupe")
TOML = Place("toml", "mcp_servers", "codeloupe")


def is_made_by_insertions(text: str, made: str) -> bool:
    """Whether ``text`` is ``made`` with characters left out: nothing was taken away or moved."""
    rest = iter(made)
    return all(letter in rest for letter in text)


@given(json_texts(key="mcpServers", lenient=False))
def test_an_entry_is_added_to_any_json_without_touching_the_rest(case: tuple[str, dict[str, Any]]) -> None:
    text, value = case
    made = with_entry(text, JSON, OURS)
    assert is_made_by_insertions(text, made)
    assert json.loads(made) == {**value, "mcpServers": {**value.get("mcpServers", {}), "codeloupe": OURS}}
    assert list(json.loads(made)["mcpServers"]) == [*value.get("mcpServers", {}), "codeloupe"]


@given(json_texts(key="servers", lenient=True))
def test_comments_and_trailing_commas_survive_a_whole_life(case: tuple[str, dict[str, Any]]) -> None:
    text, value = case
    made = with_entry(text, JSONC, OURS)
    assert is_made_by_insertions(text, made)
    assert entries_in(made, JSONC) == {**value.get("servers", {}), "codeloupe": OURS}
    moved = with_entry(made, JSONC, MOVED)
    assert entries_in(moved, JSONC)["codeloupe"] == MOVED
    left = without_entry(moved, JSONC)
    assert entries_in(left, JSONC) == value.get("servers", {})
    for comment in ('/* a, "b": { */', "// } no, https://x ", "/**/"):
        assert left.count(comment) == text.count(comment)


@given(json_texts(key="servers", lenient=True))
def test_among_other_servers_taking_out_undoes_putting_in(case: tuple[str, dict[str, Any]]) -> None:
    text, value = case
    if value.get("servers"):
        assert without_entry(with_entry(text, JSONC, OURS), JSONC) == text


@given(toml_texts())
def test_toml_is_as_it_was_after_putting_in_and_taking_out(text: str) -> None:
    made = with_entry(text, TOML, OURS)
    assert made.startswith(text)
    assert tomllib.loads(made)["mcp_servers"]["codeloupe"] == OURS
    assert without_entry(made, TOML) == text
    moved = with_entry(made, TOML, MOVED)
    assert tomllib.loads(moved)["mcp_servers"]["codeloupe"] == MOVED
    assert without_entry(moved, TOML) == text


@given(toml_texts())
def test_a_table_written_by_hand_between_others_is_taken_out_alone(text: str) -> None:
    newline = "\r\n" if "\r\n" in text else "\n"
    hand = [
        "",
        "[mcp_servers.codeloupe]",
        "command = '/x/codeloupe' # mine",
        "",
        "[mcp_servers.codeloupe.env]",
        "A = '1'",
        "",
    ]
    behind = ["", "[last]", "x = 1", ""]
    base = text if text.endswith("\n") or not text else text + newline
    left = without_entry(base + newline.join(hand) + newline.join(behind), TOML)
    assert left == base + newline.join(behind)


def test_the_layout_of_a_file_is_taken_up() -> None:
    text = '{\r\n\t"mcpServers": {\r\n\t\t"a": {"command": "x"} // first\r\n\t}\r\n}'
    made = with_entry(text, Place("jsonc", "mcpServers", "codeloupe"), {"command": "codeloupe", "args": ["serve"]})
    assert made == (
        '{\r\n\t"mcpServers": {\r\n\t\t"a": {"command": "x"}, // first\r\n'
        '\t\t"codeloupe": {\r\n\t\t\t"command": "codeloupe",\r\n\t\t\t"args": ["serve"]\r\n\t\t}\r\n\t}\r\n}'
    )


def test_a_file_in_one_line_stays_in_one_line() -> None:
    made = with_entry('{"mcpServers": {"a": {}}}', JSON, {"command": "codeloupe", "args": ["serve"]})
    assert made == '{"mcpServers": {"a": {}, "codeloupe": {"command": "codeloupe", "args": ["serve"]}}}'


@pytest.mark.parametrize("place", [JSON, JSONC, TOML], ids=lambda place: place.format)
def test_an_update_keeps_what_its_user_added_to_the_entry(place: Place) -> None:
    mine = {**OURS, "env": {"CODELOUPE_MODEL_NAME": "none"}, "enabled": False}
    text = with_entry("", place, mine)
    made = with_entry(text, place, MOVED)
    assert entries_in(made, place)["codeloupe"] == {**mine, "command": MOVED["command"], "args": MOVED["args"]}
    assert with_entry(made, place, MOVED) == made


def test_an_update_of_toml_keeps_comments_and_the_order_of_keys() -> None:
    text = (
        '[mcp_servers.codeloupe]\n# here it is\ncommand = "codeloupe"  # on the path\nenabled = true\n'
        'args = [\n  "serve", # stdio\n]\ntool_timeout_sec = 9\n'
    )
    made = with_entry(text, TOML, {"command": "/x/codeloupe", "args": ["serve", "--root", "/y"]})
    assert made == (
        '[mcp_servers.codeloupe]\n# here it is\ncommand = "/x/codeloupe"  # on the path\nenabled = true\n'
        'args = ["serve", "--root", "/y"]\ntool_timeout_sec = 9\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        'mcp_servers.codeloupe.command = "codeloupe"\nmodel = "x"\n',
        '[mcp_servers]\ncodeloupe = { command = "codeloupe", args = ["serve"] }\n',
        '[mcp_servers]\ncodeloupe.command = "codeloupe"\n\n[tui]\nx = 1\n',
    ],
)
def test_toml_in_any_of_its_spellings_is_brought_up_to_date_and_taken_out(text: str) -> None:
    others = {key: value for key, value in tomllib.loads(text).items() if key != "mcp_servers"}
    made = tomllib.loads(with_entry(text, TOML, MOVED))
    assert made["mcp_servers"]["codeloupe"]["command"] == MOVED["command"]
    left = tomllib.loads(without_entry(text, TOML))
    assert left.pop("mcp_servers", {}) == {}
    assert left == others == {key: value for key, value in made.items() if key != "mcp_servers"}


def test_toml_that_holds_us_with_others_in_one_line_is_left_to_its_user() -> None:
    text = 'mcp_servers = { codeloupe = { command = "codeloupe" }, a = { command = "b" } }\n'
    for edit in (lambda: without_entry(text, TOML), lambda: with_entry(text, TOML, MOVED)):
        with pytest.raises(NotEditableError, match="a program does not change; edit mcp_servers in it yourself"):
            edit()


def test_a_name_that_is_there_twice_is_left_to_its_user() -> None:
    text = '{"mcpServers": {"codeloupe": {"command": "codeloupe"}, "codeloupe": {"command": "codeloupe"}}}'
    with pytest.raises(NotEditableError, match="has 'codeloupe' twice in one place; take one of them out first"):
        without_entry(text, JSON)


def test_an_entry_of_somebody_elses_is_replaced_only_by_force() -> None:
    for place in (JSON, JSONC, TOML):
        text = with_entry("", place, {"command": "other", "args": []}, force=True)
        with pytest.raises(NotEditableError, match="does not start codeloupe"):
            with_entry(text, place, OURS)
        with pytest.raises(NotEditableError, match="does not start codeloupe"):
            without_entry(text, place)
        assert entries_in(with_entry(text, place, OURS, force=True), place)["codeloupe"] == OURS
        assert entries_in(without_entry(text, place, force=True), place) == {}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"command": "codeloupe"}, True),
        ({"command": "/home/me/.local/bin/codeloupe", "args": ["serve"]}, True),
        ({"command": "C:\\Tools\\Codeloupe.EXE"}, True),
        ({"command": "uvx", "args": ["codeloupe", "serve"]}, True),
        ({"command": "uvx", "args": ["--from", "codeloupe==0.1", "x"]}, True),
        ({"command": "/usr/bin/python", "args": ["-P", "-m", "mcp_server.cli", "serve"]}, True),
        ({"command": "npx", "args": ["codeloupe-like"]}, False),
        ({"command": "code", "args": ["/home/codeloupe/x"]}, False),
        ({"command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "codeloupe"]}, False),
        ({"command": "mcp-server-git", "args": ["--repository", "codeloupe"]}, False),
        ({"command": "cmd", "args": ["/c", "codeloupe", "serve"]}, True),
        ({"command": "bash", "args": ["-lc", "codeloupe serve"]}, True),
        ({"command": "C:\\uv\\UVX.exe", "args": ["codeloupe[serena]"]}, True),
        ({"command": "docker", "args": ["run", "-i", "codeloupe"]}, True),
        ({"url": "https://codeloupe"}, False),
        ({"command": None, "args": [1, None]}, False),
        ("codeloupe", False),
    ],
)
def test_an_entry_is_ours_where_it_starts_codeloupe(entry: Any, expected: bool) -> None:
    assert is_ours(entry) is expected


@pytest.mark.parametrize(
    ("place", "text", "words"),
    [
        (JSON, '{"mcpServers": []}', "holds something else where the servers should be (mcpServers)"),
        (JSON, "[]", "holds something else where the servers should be (mcpServers)"),
        (JSON, '{"a": 1, // note\n}', "cannot be read as JSON (line 1: a name in quotation marks"),
        (TOML, "[mcp_servers\n", "cannot be read as TOML ("),
        (TOML, "mcp_servers = 3\n", "holds something else where the servers should be (mcp_servers)"),
    ],
)
def test_a_file_of_another_shape_is_refused(place: Place, text: str, words: str) -> None:
    with pytest.raises(NotEditableError) as caught:
        with_entry(text, place, OURS)
    assert words in str(caught.value)


def test_an_empty_file_and_one_of_comments_get_a_document() -> None:
    assert json.loads(with_entry("  \n", JSON, OURS)) == {"mcpServers": {"codeloupe": OURS}}
    made = with_entry("// mine", JSONC, OURS)
    assert made.startswith("// mine\n{\n")
    assert entries_in(made, JSONC) == {"codeloupe": OURS}


def test_a_comment_in_front_does_not_swallow_what_stood_behind_us() -> None:
    text = '{"servers": {\n  "a": {}, // mine\n  "codeloupe": {"command": "codeloupe"}, "b": {}\n}}'
    left = without_entry(text, JSONC)
    assert entries_in(left, JSONC) == {"a": {}, "b": {}}
    assert "// mine" in left


@pytest.mark.parametrize(("begin", "line", "end"), [("[", '"item",', "]"), ('"""', "a line", '"""')])
def test_a_statement_of_many_lines_is_parsed_a_few_times(
    monkeypatch: pytest.MonkeyPatch, begin: str, line: str, end: str
) -> None:
    """Parsing it anew for each of its lines took 48 s for 4,000."""
    text = f"many = {begin}\n" + f"{line}\n" * 500 + f"{end}\n"
    made = with_entry(text, TOML, OURS)
    parsed: list[int] = []
    monkeypatch.setattr(toml_edit, "tomllib", Counting(parsed))
    assert without_entry(made, TOML) == text
    assert len(parsed) < 20


class Counting:
    """The parser, and how long the texts are that it is given."""

    TOMLDecodeError = tomllib.TOMLDecodeError

    def __init__(self, parsed: list[int]) -> None:
        self._parsed = parsed

    def loads(self, text: str) -> dict[str, Any]:
        self._parsed.append(len(text))
        return tomllib.loads(text)


def test_an_update_of_toml_keeps_its_places_when_a_value_gets_shorter() -> None:
    args = 'args = [\n  "serve",\n  "--root",\n  "/x",\n]\n'
    text = f'[mcp_servers.codeloupe]\n{args}command = "codeloupe"\nenabled = true\n'
    made = with_entry(text, TOML, {"command": "/x/codeloupe", "args": ["serve"]})
    assert made == '[mcp_servers.codeloupe]\nargs = ["serve"]\ncommand = "/x/codeloupe"\nenabled = true\n'
