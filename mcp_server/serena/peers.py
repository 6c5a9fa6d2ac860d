"""One server over stdio as the bridge sees it: started, asked within a time limit, ended; its failures in words.

The SDK is imported when a bridge is opened: what else is in this package can be had without it.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import IO, TYPE_CHECKING, Any

import anyio

from mcp_server.serena.errors import BridgeError, ServerDiedError, ServerHungError, ServerRefusedError
from mcp_server.serena.launching import Launch, found

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult

LAST_WORDS_BYTES = 4_000  # of a server's stderr, where the reason of its end stands
CLOSED, LATE = -32000, -32001  # the SDK's codes: the connection is closed; no answer in time

log = logging.getLogger(__name__)


class Peer:
    """A server that runs. Calls may overlap."""

    def __init__(self, name: str, client: Client, errors: IO[bytes]) -> None:
        self.name = name
        self._client = client
        self._errors = errors

    async def tools(self, limit_s: float) -> list[str]:
        """The names of the tools it offers. Raises what ``call`` does."""
        with self._in_words("its list of tools", limit_s), anyio.fail_after(limit_s):
            return [tool.name for tool in (await self._client.list_tools()).tools]

    async def call(self, tool: str, arguments: dict[str, Any], limit_s: float) -> CallToolResult:
        """The tool's answer, whatever it is.

        Raises ServerDiedError, ServerHungError after ``limit_s`` seconds, or ServerRefusedError where the server itself
        refuses the call.
        """
        began = time.perf_counter()
        with self._in_words(tool, limit_s), anyio.fail_after(limit_s):
            answer = await self._client.call_tool(tool, arguments, read_timeout_seconds=limit_s)
        log.debug("%s: %s took %.1f ms", self.name, tool, 1000 * (time.perf_counter() - began))
        return answer

    @contextlib.contextmanager
    def _in_words(self, asked: str, limit_s: float) -> Iterator[None]:
        from mcp import MCPError

        try:
            yield
        except TimeoutError as error:
            raise self._late(asked, limit_s) from error
        except MCPError as error:
            raise self._explained(error.code, error.message, asked, limit_s) from error

    def _explained(self, code: int, message: str, asked: str, limit_s: float) -> BridgeError:
        if code == LATE:
            return self._late(asked, limit_s)
        if code == CLOSED:
            return ServerDiedError(f"{self.name} has ended{said(self._errors)}; open the bridge anew.")
        return ServerRefusedError(f"{self.name} refused {asked}: {message}.")

    def _late(self, asked: str, limit_s: float) -> ServerHungError:
        return ServerHungError(
            f"{self.name} did not answer {asked} within {limit_s:g} s; ask again, set a higher limit, or open the "
            "bridge anew if it stays so."
        )


async def connect(stack: AsyncExitStack, launch: Launch, limit_s: float) -> Peer:
    """Start a server and greet it; it ends with ``stack``, within some seconds, killed where it does not by itself.

    Raises ServerMissingError, ServerDiedError or ServerHungError.
    """
    program = found(launch)
    sdk = client_half()
    # Appended to by the server, whose place in the file would otherwise move with ours.
    errors = stack.enter_context(tempfile.TemporaryFile("a+b", prefix="codeloupe-bridge-"))  # noqa: SIM115 - the stack is it
    parameters = sdk.StdioServerParameters(
        command=program, args=list(launch.line[1:]), env=dict(launch.environment), cwd=launch.directory
    )
    transport = sdk.client.stdio.stdio_client(parameters, errlog=errors)
    # The old era's greeting, which every version of both servers answers; probing for the new one first waits up to
    # 10 s in vain where a server is slow to start.
    client = sdk.Client(transport, mode="legacy", read_timeout_seconds=limit_s)
    began = time.perf_counter()
    try:
        await stack.enter_async_context(client)
    except (ExceptionGroup, sdk.MCPError, OSError) as error:
        raise _start_failed(launch, _first(error), limit_s, errors) from error
    log.debug("%s: %s took %.1f ms", launch.name, "start", 1000 * (time.perf_counter() - began))
    return Peer(launch.name, client, errors)


def text_of(answer: CallToolResult) -> str:
    """The text of a tool's answer."""
    return "\n".join(part.text for part in answer.content if part.type == "text")


def client_half() -> Any:
    """The SDK's package, whole. Raises BridgeError in a process that serves, which has left the client out."""
    import mcp
    import mcp.client.stdio

    if not hasattr(sys.modules["mcp.client"], "__file__"):  # a stand-in: mcp_server/sdk.py
        raise BridgeError(
            "This process is itself a codeloupe server, without the SDK's client; open bridges in another."
        )
    return mcp


def said(errors: IO[bytes]) -> str:
    """The last line a server wrote to stderr, to be put behind its end; "" where it wrote nothing."""
    end = errors.seek(0, 2)
    errors.seek(max(0, end - LAST_WORDS_BYTES))
    lines = errors.read().decode("utf-8", "replace").strip().splitlines()
    return f", and said last: {lines[-1].strip()[:300]}" if lines else ""


def _first(error: BaseException) -> BaseException:
    """What is in a group of one; task groups wrap whatever leaves them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _start_failed(launch: Launch, error: BaseException, limit_s: float, errors: IO[bytes]) -> BaseException:
    """The sentence for a server that did not start; what is no failure of its own is given back as it is."""
    from mcp import MCPError

    if isinstance(error, MCPError) and error.code == LATE:
        return ServerHungError(
            f"{launch.name} did not greet within {limit_s:g} s{said(errors)}; set Limits(start_s=...) higher."
        )
    if isinstance(error, OSError):
        return ServerDiedError(f"{launch.name} could not be started ({error}); see that {launch.line[0]} runs.")
    if isinstance(error, MCPError):
        return ServerDiedError(f"{launch.name} ended as it was started{said(errors)}; run {launch.line[0]} by hand.")
    return error
