"""Expected failures into what the SDK passes on: ToolError from tools, MCPError from everything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mcp_server.errors import OutsideRootError, RequestError, WithheldError
from mcp_server.sdk import INTERNAL_ERROR, INVALID_PARAMS, MCPError, ToolError

if TYPE_CHECKING:
    from pydantic import ValidationError

# Of the codes that the protocol leaves to servers (-32000 to -32019). "Invalid params" means "not found" where a
# resource is read (SEP-2164), and Claude Code says so in words of its own: the reason would not reach its model.
WITHHELD = -32010


def as_tool_error(error: Exception) -> ToolError:
    """The sentence of an expected error, for the model to read."""
    return ToolError(str(error))


def as_protocol_error(error: Exception, data: dict[str, str] | None = None) -> MCPError:
    """The sentence of an expected error, with a code that says whether the request or something here is at fault."""
    if isinstance(error, WithheldError):
        return MCPError(WITHHELD, str(error), data)
    code = INVALID_PARAMS if isinstance(error, RequestError | OutsideRootError) else INTERNAL_ERROR
    return MCPError(code, str(error), data)


def check_arguments(tool: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Refuse arguments the tool does not have: ignoring them would answer another question."""
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ToolError(f"{tool} has no argument {unknown[0]!r}; it takes {', '.join(known)}.")


def argument_sentence(tool: str, error: ValidationError) -> str:
    """The first fault of a tool call's arguments."""
    fault = error.errors()[0]
    place = ".".join(str(part) for part in fault["loc"])
    return f"{tool}: {place}: {fault['msg']}; got {str(fault['input'])[:80]!r}."
