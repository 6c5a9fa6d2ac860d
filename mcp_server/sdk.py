"""The MCP SDK as a server over standard input and output needs it: the only place it is imported from.

As it comes, it brings a web server, an HTTP client, their cryptography and an MCP client along, and builds the
validators of all messages of all protocol versions ahead. Without, a server holds 11 MB less that are its own, 17 less
in all, and answers `initialize` a quarter sooner; a validator is built when its message first comes (some 3 ms, once).
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from pydantic import BaseModel

from storage.stand_ins import forget, without

_WEB = ("starlette", "sse_starlette", "uvicorn", "httpx2", "python_multipart", "cryptography", "jwt", "mcp.client")
_SDK = ("mcp", "mcp_types")


@contextlib.contextmanager
def _built_when_needed() -> Iterator[None]:
    """Within this block, pydantic's models put off building their validators until something is to be validated."""
    BaseModel.model_config["defer_build"] = True
    try:
        yield
    finally:
        del BaseModel.model_config["defer_build"]


def _import_lean() -> None:
    """Import the SDK without what it does not need; as it comes, where another version of it cannot do without."""
    try:
        with without(_WEB), _built_when_needed():
            importlib.import_module("mcp.server")
    except (ImportError, AttributeError, TypeError):
        forget((*_SDK, *_WEB))


_import_lean()

from mcp.server import MCPServer  # noqa: E402 - after it was imported in the lean way
from mcp.server.lowlevel.helper_types import ReadResourceContents  # noqa: E402
from mcp.server.mcpserver import Context  # noqa: E402
from mcp.server.mcpserver.exceptions import ToolError  # noqa: E402
from mcp.server.request_state import InvalidRequestState, RequestStateSecurity  # noqa: E402
from mcp.server.stdio import stdio_server  # noqa: E402
from mcp.shared.exceptions import MCPError  # noqa: E402
from mcp.shared.message import SessionMessage  # noqa: E402
from mcp.types import (  # noqa: E402
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolResult,
    Completion,
    CompletionArgument,
    GetPromptResult,
    Prompt,
    PromptArgument,
    PromptMessage,
    PromptReference,
    Resource,
    ResourceTemplate,
    ResourceTemplateReference,
    TextContent,
    ToolAnnotations,
    jsonrpc_message_adapter,
)

if TYPE_CHECKING:
    from mcp.server.request_state import RequestStateCodec

__all__ = [
    "INTERNAL_ERROR",
    "INVALID_PARAMS",
    "CallToolResult",
    "Completion",
    "CompletionArgument",
    "Context",
    "GetPromptResult",
    "MCPError",
    "MCPServer",
    "Prompt",
    "PromptArgument",
    "PromptMessage",
    "PromptReference",
    "ReadResourceContents",
    "Resource",
    "ResourceTemplate",
    "ResourceTemplateReference",
    "SessionMessage",
    "TextContent",
    "ToolAnnotations",
    "ToolError",
    "jsonrpc_message_adapter",
    "stateless",
    "stdio_server",
]


class _NoState:
    """No tool here gives a client state to bring back, so what a client brings was not ours."""

    def seal(self, payload: bytes) -> NoReturn:
        """Nothing is given out."""
        raise RuntimeError(f"No tool keeps state with the client; {len(payload)} bytes were to be sealed.")

    def unseal(self, token: str) -> NoReturn:
        """Refuse all there may be."""
        raise InvalidRequestState(f"none was given out, and {len(token)} characters came")


def stateless() -> RequestStateSecurity:
    """What a server that keeps no state with its clients needs no cryptography for."""
    codec: RequestStateCodec = _NoState()
    return RequestStateSecurity(codec=codec)
