"""Addresses of lines: what is written is read again, by us and by the SDK's own matcher, and nonsense is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.uri_template import UriTemplate

from mcp_server.errors import RequestError
from mcp_server.offers.code_uri import TEMPLATE, CodeUri, code_uri, parse_code_uri, path_variable

SDK = UriTemplate.parse(TEMPLATE)
NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1).filter(
    lambda name: name not in (".", "..")
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
LINES = st.none() | st.integers(1, 10**6)


@pytest.mark.parametrize(
    ("uri", "asked"),
    [
        ("code://src/app.py", CodeUri("src/app.py")),
        ("code:///src/app.py", CodeUri("/src/app.py")),
        ("CODE://src/app.py", CodeUri("src/app.py")),
        ("code://src/app.py?start=3&end=9", CodeUri("src/app.py", 3, 9)),
        ("code://src/app.py?end=9&start=3", CodeUri("src/app.py", 3, 9)),
        ("code://src/app.py?start=7", CodeUri("src/app.py", 7)),
        ("code://src/app.py?end=7", CodeUri("src/app.py", None, 7)),
        ("code://src/app.py?start=&end=", CodeUri("src/app.py")),
        ("code://src/app.py?", CodeUri("src/app.py")),
        ("code://my%20docs/%C3%BC.md", CodeUri("my docs/ü.md")),
        ("code://my docs/ü.md", CodeUri("my docs/ü.md")),
        ("code://what%3F.md", CodeUri("what?.md")),
        ("code://c#/a.cs", CodeUri("c#/a.cs")),
        ("code://100%.md", CodeUri("100%.md")),
    ],
)
def test_an_address_is_read(uri: str, asked: CodeUri) -> None:
    assert parse_code_uri(uri) == asked


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("file:///etc/passwd", "there are code://{+path}{?start,end} and codeloupe://status"),
        ("code:src/app.py", "there are code://"),
        ("code://", "names no file"),
        ("code:///", "names no file"),
        ("code://?start=1", "names no file"),
        ("code://a.py?start=0", "start is '0'; give the number of a line, from 1"),
        ("code://a.py?start=-3", "start is '-3'"),
        ("code://a.py?start=1.5", "start is '1.5'"),
        ("code://a.py?start=²", "start is '²'"),
        ("code://a.py?end=99999999999999999999", "end is '999"),
        ("code://a.py?start=9&end=3", "end is 3, before start=9"),
        ("code://a.py?line=3", "'line' is no part of code://{+path}{?start,end}"),
        ("code://%FF.py", "is not UTF-8"),
        ("code://" + "a/" * 2_049, "A path of 4,098 characters names no file"),
    ],
)
def test_what_is_no_address_is_refused_in_a_sentence(uri: str, words: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_code_uri(uri)
    assert words in str(refused.value)


@given(PATHS, LINES, LINES)
def test_what_is_written_is_read_again(path: str, start: int | None, length: int | None) -> None:
    end = length and (start or 1) + length - 1
    assert parse_code_uri(code_uri(path, start, end)) in (CodeUri(path, start, end), CodeUri(f"/{path}", start, end))


@given(PATHS)
def test_a_completed_path_comes_back_from_a_client_that_expands_the_template(path: str) -> None:
    expanded = SDK.expand({"path": path_variable(path), "start": "3", "end": "4"})
    asked = parse_code_uri(expanded)
    assert (asked.path.removeprefix("/"), asked.start, asked.end) == (path.removeprefix("/"), 3, 4)


@given(PATHS)
def test_the_sdk_s_matcher_takes_what_is_written(path: str) -> None:
    matched = SDK.match(code_uri(path, 3, 4))
    assert matched is not None
    assert str(matched["path"]).removeprefix("/") == path.removeprefix("/")


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("src/app.py", "code://src/app.py"),
        ("README.md", "code://README.md"),
        (".github/workflows/ci.yml", "code://.github/workflows/ci.yml"),
        ("@types/node.d.ts", "code:///%40types/node.d.ts"),
        ("[slug]/page.tsx", "code:///%5Bslug%5D/page.tsx"),
        ("my docs/a.md", "code:///my%20docs/a.md"),
        ("ä/b.py", "code:///%C3%A4/b.py"),
        ("/srv/app/a.py", "code:///srv/app/a.py"),
        ("..a/b", "code://..a/b"),
    ],
)
def test_a_first_name_that_can_be_no_host_is_not_made_one(path: str, uri: str) -> None:
    assert code_uri(path) == uri
