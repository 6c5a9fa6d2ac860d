"""What a client learns before it calls anything, in both eras of the protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.clients import MODES, connected
from tests.e2e.homes import Launch
from tests.e2e.wire import ERAS, Wire

if TYPE_CHECKING:
    from mcp import Client

pytestmark = pytest.mark.anyio
MOST_CHARS = 2_048  # what clients keep of a description


@pytest.fixture(scope="module", params=MODES)
async def client(
    request: pytest.FixtureRequest, indexed: Launch, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client]:
    async with connected(indexed, request.param, tmp_path_factory.mktemp("contract") / "log") as client:
        yield client


def walk(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from walk(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from walk(part)


async def test_four_tools_are_offered(client: Client) -> None:
    tools = (await client.list_tools()).tools
    assert [tool.name for tool in tools] == ["search", "index", "embed", "status"]


async def test_schemas_are_flat_objects_without_unions(client: Client) -> None:
    for tool in (await client.list_tools()).tools:
        assert tool.input_schema["type"] == "object"
        for part in walk(tool.input_schema):
            assert not part.keys() & {"anyOf", "oneOf", "allOf", "$ref", "$defs"}, (tool.name, part)
            assert not isinstance(part.get("type"), list), (tool.name, part)
            assert part.get("type") != "null", (tool.name, part)


async def test_arguments_are_those_promised_and_nearly_all_have_defaults(
    client: Client,
) -> None:
    tools = {tool.name: tool.input_schema for tool in (await client.list_tools()).tools}
    assert {name: set(schema["properties"]) for name, schema in tools.items()} == {
        "search": {"query", "limit", "offset", "mode", "paths", "languages", "kinds", "min_similarity"}
        | {"detail", "max_tokens", "format", "explain", "like"},
        "index": {"path", "force", "wait"},
        "embed": {"texts", "kind", "cache", "timeout"},
        "status": {"format"},
    }
    assert {name: schema.get("required", []) for name, schema in tools.items()} == {
        "search": [],
        "index": [],
        "embed": ["texts"],
        "status": [],
    }


async def test_descriptions_fit_into_what_clients_keep(client: Client) -> None:
    for tool in (await client.list_tools()).tools:
        assert tool.description
        assert len(tool.description) < MOST_CHARS
        for argument in tool.input_schema["properties"].values():
            assert len(argument.get("description", "")) < MOST_CHARS


async def test_no_tool_has_an_output_schema(client: Client) -> None:
    assert all(tool.output_schema is None for tool in (await client.list_tools()).tools)


async def test_reading_tools_say_that_they_only_read(client: Client) -> None:
    hints = {tool.name: tool.annotations for tool in (await client.list_tools()).tools}
    assert {name for name, hint in hints.items() if hint and hint.read_only_hint} == {"search", "embed", "status"}
    assert all(hint is not None and hint.open_world_hint is False for hint in hints.values())
    assert hints["index"] is not None
    assert hints["index"].destructive_hint is False


@pytest.mark.parametrize("era", ERAS)
def test_instructions_say_when_to_search_within_what_clients_keep(indexed: Launch, log: Path, era: str) -> None:
    with Wire(indexed, log, era) as wire:
        result = (
            wire.answer(1)["result"] if era == ERAS[0] else wire.answer(wire.request("server/discover", {}))["result"]
        )
    assert 0 < len(result["instructions"]) < MOST_CHARS
    assert "`search` first" in result["instructions"][: MOST_CHARS // 4]
    server = result.get("serverInfo") or result["_meta"]["io.modelcontextprotocol/serverInfo"]
    assert server["name"] == "codeloupe"
