"""Expected failures into ToolError, the one exception whose words reach the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mcp_server.sdk import ToolError

if TYPE_CHECKING:
    from pydantic import ValidationError


def as_tool_error(error: Exception) -> ToolError:
    """The sentence of an expected error, for the model to read."""
    return ToolError(str(error))


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
