"""What a client learns before it calls anything, in both eras of the protocol."""

from __future__ import annotations

import re
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
MOST_OF_A_FUNCTION = 1_024  # characters of a function's description that OpenAI takes
PYTHON = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list}


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


async def test_arguments_are_what_the_strictest_clients_take(client: Client) -> None:
    """OpenAI's and Gemini's subsets of JSON Schema: one type, few keywords, a default of that type."""
    for tool in (await client.list_tools()).tools:
        assert set(tool.input_schema) <= {"type", "properties", "required", "title"}, tool.name
        required = tool.input_schema.get("required", [])
        for name, argument in tool.input_schema["properties"].items():
            where = (tool.name, name, argument)
            assert set(argument) <= {"type", "description", "enum", "items", "default", "title"}, where
            assert argument["description"], where
            assert ("default" in argument) != (name in required), where
            assert name in required or isinstance(argument["default"], PYTHON[argument["type"]]), where
            assert argument.get("items", {"type": "string"}) == {"type": "string"}, where
            assert ("items" in argument) == (argument["type"] == "array"), where
            assert argument["type"] == "string" or "enum" not in argument, where
            assert argument.get("default") in argument.get("enum", [argument.get("default")]), where


async def test_names_are_those_a_model_may_be_given(client: Client) -> None:
    """At most 64 letters, digits, _ and - with the server's name before it; an argument's without a sign."""
    offered = [*(await client.list_tools()).tools, *(await client.list_prompts()).prompts]
    for one in offered:
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", f"mcp__codeloupe__{one.name}")
        assert one.title
        assert one.description
        assert len(one.description) <= MOST_OF_A_FUNCTION
    arguments = [name for tool in (await client.list_tools()).tools for name in tool.input_schema["properties"]]
    arguments += [argument.name for prompt in offered for argument in getattr(prompt, "arguments", None) or []]
    assert [name for name in arguments if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name)] == []


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
