"""How a tool call ended, counted where the protocol meets the tools."""

from __future__ import annotations

from time import perf_counter
from typing import Self

from pydantic import ValidationError

from mcp_server.errors import EXPECTED, OutsideRootError, RequestError
from mcp_server.metrics import families
from mcp_server.metrics.meter import BUG, Meter, error_name
from mcp_server.sdk import ToolError
from storage.errors import InvalidPatternError

OTHER = "other"  # the label of a tool that there is not: names that callers invent must not become labels
ARGUMENTS = "Arguments"
REFUSED = (RequestError, OutsideRootError, InvalidPatternError)  # the caller can mend it by asking otherwise


class ToolCall:
    """A block that is one call of ``tool``: timed, and counted by its outcome, a cancellation too."""

    def __init__(self, meter: Meter, tool: str) -> None:
        self._meter = meter
        self._tool = tool
        self._began = 0.0

    def __enter__(self) -> Self:
        """It begins."""
        self._began = perf_counter()
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """It has ended."""
        self._meter.observe(families.TOOL_SECONDS, perf_counter() - self._began, self._tool)
        outcome, name = judged(error)
        self._meter.count(families.TOOL_CALLS, self._tool, outcome)
        if name:
            self._meter.count(families.ERRORS, "tool", name)


def judged(error: BaseException | None) -> tuple[str, str]:
    """The outcome of a call that raised ``error``, and the error's name; "" where it is none."""
    if error is None:
        return "ok", ""
    if not isinstance(error, Exception):
        return "cancelled", ""
    cause = error.__cause__
    if isinstance(cause, EXPECTED):
        return ("refused" if isinstance(cause, REFUSED) else "failed"), error_name(cause)
    if isinstance(error, ToolError) and (cause is None or isinstance(cause, ValidationError)):
        return "refused", ARGUMENTS
    return "failed", BUG
