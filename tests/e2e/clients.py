"""The SDK's own Python client on a server's pipes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from tests.e2e.homes import Launch
from tests.e2e.wire import PATIENCE_S

if TYPE_CHECKING:
    from mcp.types import CallToolResult

MODES = ("legacy", "2026-07-28")


@asynccontextmanager
async def connected(launch: Launch, mode: str, log: Path) -> AsyncIterator[Client]:
    """A client that has said hello in the way of ``mode``; the server's stderr goes to ``log``."""
    command, *arguments = launch.line
    parameters = StdioServerParameters(command=command, args=arguments, env=launch.environment, cwd=launch.directory)
    with log.open("w", encoding="utf-8") as errors:
        transport = stdio_client(parameters, errlog=errors)
        async with Client(transport, mode=mode, read_timeout_seconds=PATIENCE_S) as client:
            yield client


def text_of(result: CallToolResult) -> str:
    """The text of an answer."""
    return "\n".join(part.text for part in result.content if part.type == "text")


async def text(client: Client, tool: str, **arguments: Any) -> str:
    """Call a tool that must succeed; its text."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    return text_of(result)


async def data(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool that must succeed with format="json" where it has that; its structured content."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """Call a tool that must refuse; what it says."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, f"{tool} took {str(arguments)[:200]}"
    assert result.structured_content is None
    return text_of(result)


async def until(look: Callable[[], Awaitable[Any]], what: str) -> Any:
    """Ask again and again until the answer is true."""
    with anyio.move_on_after(PATIENCE_S):
        while not (answer := await look()):  # noqa: ASYNC110  what changes is in another process: no event tells
            await anyio.sleep(0.02)
        return answer
    raise AssertionError(f"waited in vain until {what}")


async def complete(client: Client) -> dict[str, Any]:
    """Search until the answer is current and whole."""

    async def look() -> dict[str, Any] | None:
        answer = await data(client, "search", query="ship", format="json")
        whole = answer["freshness"]["state"] == "current" and answer["freshness"]["vectors"] == 1.0
        return answer if whole else None

    whole: dict[str, Any] = await until(look, "the index is current and complete")
    return whole
