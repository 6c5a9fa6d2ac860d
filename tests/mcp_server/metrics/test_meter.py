"""A meter counts what happens on any thread, however it ends, and what other processes tell."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from embedding.errors import BusyError
from mcp_server.errors import RequestError
from mcp_server.metrics import families
from mcp_server.metrics.calls import ToolCall
from mcp_server.metrics.counts import Counts
from mcp_server.metrics.meter import Meter
from mcp_server.sdk import ToolError
from storage.errors import InvalidPatternError, StorageFullError


def test_nothing_is_lost_where_many_threads_count_at_once() -> None:
    meter = Meter()

    def work(number: int) -> None:
        for _ in range(2_000):
            meter.count(families.TEXTS, "query")
            meter.observe(families.SEARCH, 0.001 * (number + 1), "auto")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    counts = meter.counts()
    assert counts.number(families.TEXTS, "query") == 16_000
    assert counts.time(families.SEARCH, "auto").count == 16_000
    assert counts.time(families.SEARCH, "auto").seconds == pytest.approx(2_000 * 0.036)


def test_what_is_taken_and_added_elsewhere_is_counted_once() -> None:
    child, server = Meter(), Meter()
    whole = Counts()
    for number in range(3):
        child.count(families.CHUNKS, by=number + 1)
        child.observe(families.EMBEDDING, 0.4, "document")
        told = child.taken()
        server.add(told)
        whole = whole.plus(told)
    assert child.counts() == Counts()
    assert server.counts() == whole
    assert whole.number(families.CHUNKS) == 6
    assert whole.time(families.EMBEDDING, "document").count == 3


def test_a_block_is_timed_also_where_it_fails() -> None:
    meter = Meter()
    with pytest.raises(ZeroDivisionError), meter.timed(families.SEARCH, "auto"):
        raise ZeroDivisionError
    assert meter.counts().time(families.SEARCH, "auto").count == 1


def test_whoever_looks_for_news_sees_that_there_are_some() -> None:
    meter = Meter()
    seen = meter.changes
    meter.count(families.FILES)
    assert meter.changes != seen


def caused(by: Exception) -> ToolError:
    error = ToolError(str(by))
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "outcome", "name"),
    [
        (None, "ok", None),
        (caused(RequestError("no")), "refused", "RequestError"),
        (caused(InvalidPatternError("no")), "refused", "InvalidPatternError"),
        (ToolError("search has no argument 'q'"), "refused", "Arguments"),
        (caused(BusyError("later")), "failed", "BusyError"),
        (caused(StorageFullError("full")), "failed", "StorageFullError"),
        (caused(KeyError("a bug")), "failed", "Bug"),
        (KeyError("a bug"), "failed", "Bug"),
        (asyncio.CancelledError(), "cancelled", None),
    ],
)
def test_a_call_is_counted_by_how_it_ended(error: BaseException | None, outcome: str, name: str | None) -> None:
    meter = Meter()

    def call() -> None:
        with ToolCall(meter, "search"):
            if error is not None:
                raise error

    if error is None:
        call()
    else:
        with pytest.raises(type(error)):
            call()
    counts = meter.counts()
    assert counts.numbers_of(families.TOOL_CALLS) == {("search", outcome): 1}
    assert counts.numbers_of(families.ERRORS) == ({("tool", name): 1} if name else {})
    assert counts.time(families.TOOL_SECONDS, "search").count == 1
