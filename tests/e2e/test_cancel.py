"""A caller that changes its mind: the work stops, the server goes on, and the cancelled request stays unanswered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.e2e.clients import MODES, connected, data, text
from tests.e2e.homes import Home, Launch, plant_forest
from tests.e2e.processes import INDEXER, assert_gone, eventually, running
from tests.e2e.wire import ERAS, PATIENCE_S, Wire

VESSELS = 500  # chunks as well: four slices of embedding, and the cancel comes after the first


@pytest.mark.parametrize("era", ERAS)
def test_a_cancelled_index_stops_and_is_never_answered_and_the_server_goes_on(
    blank_home: Home, tmp_path: Path, log: Path, era: str
) -> None:
    root = plant_forest(tmp_path / "forest", VESSELS)
    with Wire(Launch(blank_home, (root,)), log, era) as wire:
        asked = wire.call("index", {"wait": True}, token="t")
        wire.await_message(lambda m: "embedding" in str(m.get("params", {}).get("message")), "progress of embedding")
        (indexer,) = running(wire.process.pid, INDEXER)
        wire.cancel(asked)
        assert_gone([indexer])
        heard = len(wire.progress("t"))
        eventually(lambda: not status(wire)["running"], "the server has heard of the end")
        state = status(wire)
        assert state["last_error"] == ""
        assert state["files"] == VESSELS, "the text was committed and stays"
        assert state["coverage"]["vectors"] < 1.0
        assert "block3/vessel_3.py" in wire.text("search", {"query": "unload_machines_3"})
        assert len(wire.progress("t")) == heard
        wire.close_input()
        assert wire.end() == 0
    assert asked not in [message.get("id") for message in wire.messages]


def status(wire: Wire) -> dict[str, Any]:
    """Of the one root."""
    root: dict[str, Any] = wire.result("status", {"format": "json"})["structuredContent"]["roots"][0]
    return root


@pytest.mark.anyio
@pytest.mark.parametrize("mode", MODES)
async def test_a_client_that_gives_up_waiting_can_go_on_and_have_the_whole_index_later(
    blank_home: Home, tmp_path: Path, log: Path, mode: str
) -> None:
    root = plant_forest(tmp_path / "forest", 30)
    started = anyio.Event()

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        started.set()

    async with connected(Launch(blank_home, (root,)), mode, log) as client:
        async with anyio.create_task_group() as waiting:

            async def wait_for_the_index() -> None:
                await client.call_tool("index", {"wait": True}, progress_callback=hear)

            waiting.start_soon(wait_for_the_index)
            with anyio.fail_after(PATIENCE_S):
                await started.wait()
            waiting.cancel_scope.cancel()
        assert (await client.list_tools()).tools
        said = await text(client, "index", wait=True)
        assert said.startswith("Indexed 30 files in 30 chunks, 30 with vectors"), said
        answer = await data(client, "search", query="unload_machines_3", format="json")
        assert answer["freshness"]["vectors"] == 1.0, answer


@pytest.mark.parametrize("era", ERAS)
def test_cancelling_what_is_over_or_never_was_disturbs_nothing(indexed: Launch, log: Path, era: str) -> None:
    with Wire(indexed, log, era) as wire:
        done = wire.call("status")
        wire.answer(done)
        wire.cancel(done)
        wire.cancel(4_711)
        assert "crane" in wire.text("search", {"query": "crane"})


def test_a_cancelled_search_of_a_fresh_root_is_never_answered(blank_home: Home, tmp_path: Path, log: Path) -> None:
    root = plant_forest(tmp_path / "forest", 20)
    with Wire(Launch(blank_home, (root,)), log) as wire:
        asked = wire.call("search", {"query": "unload_machines_3"})
        wire.cancel(asked)
        assert "vessel_3.py" in wire.text("search", {"query": "unload_machines_3"})
        wire.close_input()
        assert wire.end() == 0
    assert asked not in [message.get("id") for message in wire.messages]
