"""Resources, prompts and completions as real clients get them, in both eras of the protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference, ResourceTemplateReference

from tests.e2e.clients import MODES, connected
from tests.e2e.homes import Launch
from tests.e2e.wire import ERAS, Wire

if TYPE_CHECKING:
    from mcp import Client

pytestmark = pytest.mark.anyio
TEMPLATE = "code://{+path}{?start,end}"
INVALID_PARAMS = -32602
WITHHELD = -32010


@pytest.fixture(scope="module", params=MODES)
async def client(
    request: pytest.FixtureRequest, indexed: Launch, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client]:
    async with connected(indexed, request.param, tmp_path_factory.mktemp("offers") / "log") as client:
        yield client


async def read(client: Client, uri: str) -> tuple[str, str]:
    """Text and MIME type of a resource."""
    (content,) = (await client.read_resource(uri)).contents
    assert content.uri == uri
    return content.text, content.mime_type or ""  # type: ignore[union-attr]


@pytest.mark.parametrize("era", ERAS)
def test_what_is_offered_is_declared_and_no_more(indexed: Launch, tmp_path: Path, era: str) -> None:
    with Wire(indexed, tmp_path / "log", era) as wire:
        answer = wire.answer(1 if era == ERAS[0] else wire.request("server/discover", {}))
    declared = answer["result"]["capabilities"]
    assert declared == {
        "tools": {"listChanged": False},
        "resources": {"listChanged": False, "subscribe": False},
        "prompts": {"listChanged": False},
        "completions": {},
    }


async def test_the_status_is_listed_and_can_be_read(client: Client) -> None:
    (status,) = (await client.list_resources()).resources
    assert status.uri == "codeloupe://status"
    text, mime_type = await read(client, status.uri)
    assert "harbour" in text
    assert "vectors 100 %" in text
    assert mime_type == status.mime_type == "text/plain"


async def test_one_template_is_offered(client: Client) -> None:
    (template,) = (await client.list_resource_templates()).resource_templates
    assert template.uri_template == TEMPLATE
    assert template.title
    assert 50 < len(template.description or "") < 2_048


async def test_lines_that_an_answer_names_are_read_by_the_template(client: Client, indexed: Launch) -> None:
    found = await client.call_tool("search", {"query": "passage_window", "format": "json", "limit": 1})
    assert found.structured_content is not None
    hit = found.structured_content["hits"][0]
    text, mime_type = await read(client, f"code://{hit['file_path']}?start={hit['start_line']}&end={hit['end_line']}")
    lines = (indexed.roots[0] / hit["file_path"]).read_text(encoding="utf-8").splitlines(keepends=True)
    assert text == "".join(lines[hit["start_line"] - 1 : hit["end_line"]])
    assert mime_type == "text/x-python"


@pytest.mark.parametrize(
    ("uri", "words", "code"),
    [
        ("code://tides/forcast.py", "is not there, or ignored; did you mean tides/forecast.py?", INVALID_PARAMS),
        ("code://out/generated.py", "is not there, or ignored", INVALID_PARAMS),
        ("code://tides/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "goes up by '..'", INVALID_PARAMS),
        ("code:///etc/passwd", "is not there, or ignored", INVALID_PARAMS),
        ("code://tides", "is a directory; read a file in it, such as tides/", WITHHELD),
        ("code://tides/forecast.py?start=90000", "lines; start=90000 is behind them", WITHHELD),
        ("code://tides/forecast.py?start=x", "start is 'x'; give the number of a line", INVALID_PARAMS),
        ("file:///etc/passwd", "there are code://{+path}{?start,end} and codeloupe://status", INVALID_PARAMS),
    ],
)
async def test_what_cannot_be_read_is_refused_in_a_sentence(client: Client, uri: str, words: str, code: int) -> None:
    with pytest.raises(MCPError) as refused:
        await client.read_resource(uri)
    assert words in refused.value.message
    assert "\n" not in refused.value.message
    assert refused.value.code == code
    assert refused.value.data == {"uri": uri}


async def test_prompts_are_few_titled_and_described(client: Client) -> None:
    prompts = (await client.list_prompts()).prompts
    assert [one.name for one in prompts] == ["explain", "where_to_change", "find_usages", "review_change", "find_cause"]
    assert all(one.title and one.description for one in prompts)
    assert all(argument.description for one in prompts for argument in one.arguments or [])
    assert {one.name: [each.name for each in one.arguments or [] if each.required] for one in prompts} == {
        "explain": ["topic"],
        "where_to_change": ["change"],
        "find_usages": ["name"],
        "review_change": [],
        "find_cause": ["error"],
    }


async def test_a_prompt_becomes_one_message_of_the_user(client: Client) -> None:
    got = await client.get_prompt("explain", {"topic": "how a passage window is found", "language": "python"})
    (message,) = got.messages
    assert message.role == "user"
    assert 'search(query="how a passage window is found", languages=["python"])' in message.content.text  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("explian", {"topic": "x"}, "There is no prompt 'explian'"),
        ("explain", {}, "needs topic"),
        ("explain", {"topic": "how it works", "language": "pyton"}, "did you mean 'python'?"),
    ],
)
async def test_a_prompt_that_cannot_be_made_is_refused_in_a_sentence(
    client: Client, name: str, given: dict[str, str], words: str
) -> None:
    with pytest.raises(MCPError) as refused:
        await client.get_prompt(name, given)
    assert words in refused.value.message
    assert refused.value.code == INVALID_PARAMS


async def test_paths_and_languages_are_completed(client: Client) -> None:
    template = ResourceTemplateReference(uri=TEMPLATE)
    found = (await client.complete(template, {"name": "path", "value": "tides/"})).completion
    assert found.values == ["tides/__init__.py", "tides/forecast.py", "tides/gauge.py"]
    assert (found.total, found.has_more) == (3, False)
    explain = PromptReference(name="explain")
    assert (await client.complete(explain, {"name": "language", "value": "py"})).completion.values[0] == "python"


async def test_what_is_not_there_to_complete_is_refused_in_a_sentence(client: Client) -> None:
    with pytest.raises(MCPError) as refused:
        await client.complete(PromptReference(name="explian"), {"name": "topic", "value": ""})
    assert "There is no prompt 'explian'" in refused.value.message
    assert refused.value.code == INVALID_PARAMS
