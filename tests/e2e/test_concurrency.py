"""Many calls at once: each gets its own right answer, and a ping is not kept waiting by any of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest

from tests.e2e.clients import MODES, connected, data
from tests.e2e.homes import Home, Launch, plant_forest
from tests.e2e.wire import Wire

CALLS = 45  # more than the 40 threads that a plain server has for everything, its own pipes included


def test_a_ping_is_answered_while_45_searches_wait_for_the_first_index(
    blank_home: Home, tmp_path: Path, log: Path
) -> None:
    root = plant_forest(tmp_path / "forest", 20)
    with Wire(Launch(blank_home, (root,)), log) as wire:
        searches = [wire.call("search", {"query": f"unload_timber_1 {number}"}) for number in range(CALLS)]
        ping = wire.request("ping")
        for search in searches:
            assert "block1/vessel_1.py" in str(wire.answer(search)["result"])
        assert wire.answer(ping)["result"] == {}
    order = [message["id"] for message in wire.messages if message.get("id") in {ping, *searches}]
    assert order.index(ping) < CALLS / 2


@pytest.mark.anyio
@pytest.mark.parametrize("mode", MODES)
async def test_45_searches_at_once_each_get_their_own_answer(indexed: Launch, log: Path, mode: str) -> None:
    names = ["passage_window", "withBackoff", "mooring_fee", "checksum", "isExpired"]
    answers: dict[int, str] = {}

    async with connected(indexed, mode, log) as client:

        async def ask(number: int) -> None:
            name = names[number % len(names)]
            found = await data(client, "search", query=name, limit=1, format="json")
            answers[number] = found["hits"][0]["content"]

        async with anyio.create_task_group() as everybody:
            for number in range(CALLS):
                everybody.start_soon(ask, number)
    assert len(answers) == CALLS
    assert all(names[number % len(names)] in answer for number, answer in answers.items())


@pytest.mark.anyio
async def test_calls_of_every_tool_go_on_together(indexed: Launch, log: Path) -> None:
    async with connected(indexed, MODES[1], log) as client:
        results: list[bool] = []

        async def call(tool: str, arguments: Mapping[str, object]) -> None:
            results.append(bool((await client.call_tool(tool, dict(arguments))).is_error))

        async with anyio.create_task_group() as everybody:
            for number in range(12):
                everybody.start_soon(call, "search", {"query": f"crane {number}"})
                everybody.start_soon(call, "embed", {"texts": [f"a load of {number} tonnes"], "cache": False})
                everybody.start_soon(call, "status", {})
                everybody.start_soon(call, "index", {"wait": number % 2 == 0})
    assert results == [False] * 48
