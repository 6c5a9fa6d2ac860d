"""From nothing to a complete index, and along with the files as they change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from tests.e2e.clients import MODES, complete, connected, data, text, until
from tests.e2e.homes import FILES, Home, Launch, plant_forest
from tests.e2e.processes import INDEXER, assert_gone, eventually, running
from tests.e2e.wire import ERAS, Wire

if TYPE_CHECKING:
    from mcp import Client

pytestmark = pytest.mark.anyio


async def paths_for(client: Client, literal: str) -> list[str]:
    answer = await data(client, "search", query=literal, mode="exact", format="json")
    return [hit["file_path"] for hit in answer["hits"]]


async def test_a_first_search_answers_from_text_and_says_so_and_later_ones_have_every_vector(
    blank_home: Home, tmp_path: Path, log: Path
) -> None:
    root = plant_forest(tmp_path / "forest", 60)
    async with connected(Launch(blank_home, (root,)), MODES[1], log) as client:
        first = await data(client, "search", query="unload_spices_44", format="json")
        assert first["hits"][0]["file_path"] == "block2/vessel_44.py"
        assert "text" in first["hits"][0]["found_by"]
        assert "vector" not in first["hits"][0]["found_by"]
        assert first["freshness"]["state"] == "indexing"
        assert first["freshness"]["vectors"] < 1.0
        last = await complete(client)
        assert last["freshness"]["text"] == 1.0
        assert last["freshness"]["files"] == 60


@pytest.mark.parametrize("mode", MODES)
async def test_waiting_for_the_index_reports_progress_that_grows_in_each_phase(
    home: Home, harbour: Path, log: Path, mode: str
) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async with connected(Launch(home, (harbour,)), mode, log) as client:
        result = await client.call_tool("index", {"wait": True}, progress_callback=hear)
    assert result.content[0].text.startswith(f"Indexed {FILES} files")  # type: ignore[union-attr]
    assert heard
    assert all(message and message.startswith(("Indexing: ", f"Indexed {FILES} ")) for _, _, message in heard)
    assert all(total is None or done <= total for done, total, _ in heard)


@pytest.mark.parametrize("era", ERAS)
def test_progress_is_sent_to_whom_it_was_promised_and_to_nobody_else(
    home: Home, harbour: Path, log: Path, era: str
) -> None:
    with Wire(Launch(home, (harbour,)), log, era) as wire:
        asked = wire.result("index", {"wait": True}, token="mine")
        silent = wire.result("index", {"wait": True, "force": True})
    assert not asked.get("isError")
    assert not silent.get("isError")
    notified = [message for message in wire.messages if "method" in message]
    assert notified
    assert {message["method"] for message in notified} == {"notifications/progress"}
    assert {message["params"]["progressToken"] for message in notified} == {"mine"}
    numbers = [params["progress"] for params in wire.progress("mine")]
    assert numbers == sorted(numbers), "the protocol wants progress that only grows"


async def test_index_without_wait_returns_at_once_with_what_is_going_on(home: Home, harbour: Path, log: Path) -> None:
    async with connected(Launch(home, (harbour,)), MODES[0], log) as client:
        said = await text(client, "index")
        assert said.startswith(("Indexing: ", f"Indexed {FILES} files"))
        await complete(client)


async def test_force_reads_every_file_again(home: Home, harbour: Path, log: Path) -> None:
    async with connected(Launch(home, (harbour,)), MODES[0], log) as client:
        await text(client, "index", wait=True)
        assert f"{FILES} files read" in await text(client, "index", wait=True, force=True)
        assert "0 files read" in await text(client, "index", wait=True)


async def test_changed_new_renamed_and_deleted_files_are_reflected(home: Home, harbour: Path, log: Path) -> None:
    async with connected(Launch(home, (harbour,)), MODES[0], log) as client:
        await text(client, "index", wait=True)
        (harbour / "tides" / "gauge.py").write_text("def listen_to_the_mole():\n    return 'waves'\n", encoding="utf-8")
        (harbour / "tides" / "moon.py").write_text("def phase_of_the_moon():\n    return 0.5\n", encoding="utf-8")
        (harbour / "web" / "retry.ts").rename(harbour / "web" / "again.ts")
        (harbour / "cargo" / "customs.php").unlink()

        async def reflected() -> bool:
            return (
                await paths_for(client, "listen_to_the_mole") == ["tides/gauge.py"]
                and await paths_for(client, "phase_of_the_moon") == ["tides/moon.py"]
                and await paths_for(client, "withBackoff") == ["web/again.ts"]
                and await paths_for(client, "GaugeSilentError") == []
                and await paths_for(client, "CustomsDuty") == []
            )

        await until(reflected, "the changes are searchable")
        assert (await complete(client))["freshness"]["files"] == FILES


async def test_an_index_survives_its_server(home: Home, harbour: Path, log: Path) -> None:
    launch = Launch(home, (harbour,))
    async with connected(launch, MODES[0], log) as client:
        await text(client, "index", wait=True)
    async with connected(launch, MODES[0], log) as client:
        first = await data(client, "search", query="passage_window", format="json")
    assert first["freshness"]["state"] == "current"
    assert first["hits"][0]["file_path"] == "tides/forecast.py"


async def test_several_roots_are_searched_together_and_hits_name_theirs(
    home: Home, harbour: Path, tmp_path: Path, log: Path
) -> None:
    forest = plant_forest(tmp_path / "forest", 3)
    async with connected(Launch(home, (harbour, forest)), MODES[0], log) as client:
        await text(client, "index", wait=True, path=str(harbour))
        await text(client, "index", wait=True, path=str(forest))
        exact = {"mode": "exact", "format": "json"}
        (one,) = (await data(client, "search", query="def passage_window", **exact))["hits"]
        (two,) = (await data(client, "search", query="def unload_timber_1", **exact))["hits"]
    assert (one["root"], two["root"]) == ("harbour", "forest")


async def test_two_servers_on_one_root_both_search_while_one_indexes(
    blank_home: Home, tmp_path: Path, log: Path
) -> None:
    root = plant_forest(tmp_path / "forest", 40)
    launch = Launch(blank_home, (root,))
    async with (
        connected(launch, MODES[0], log) as one,
        connected(launch, MODES[1], tmp_path / "second.log") as two,
    ):
        async with anyio.create_task_group() as both:
            for client in (one, two):
                both.start_soon(complete, client)
        for client in (one, two):
            assert await paths_for(client, "def unload_paper_20") == ["block6/vessel_20.py"]
            answer = await data(client, "search", query="ship", format="json")
            assert answer["freshness"]["files"] == 40
            assert answer["freshness"]["vectors"] == 1.0
            assert (await data(client, "status", format="json"))["roots"][0]["last_error"] == ""


def test_a_killed_indexer_is_started_again_by_the_next_search_and_the_index_is_right(
    blank_home: Home, tmp_path: Path, log: Path
) -> None:
    root = plant_forest(tmp_path / "forest", 400)
    with Wire(Launch(blank_home, (root,)), log) as wire:
        asked = wire.call("index", {"wait": True}, token="t")
        wire.await_message(lambda m: "embedding" in str(m.get("params", {}).get("message")), "progress of embedding")
        (indexer,) = running(wire.process.pid, INDEXER)
        indexer.kill()
        ended = wire.answer(asked)["result"]
        assert ended["isError"]
        assert "what it committed is kept" in ended["content"][0]["text"]
        assert_gone([indexer])
        assert "block0/vessel_49.py" in wire.text("search", {"query": "unload_grain_49"})
        eventually(lambda: running(wire.process.pid, INDEXER), "another indexer works")
        assert "Indexed 400 files" in wire.text("index", {"wait": True})
        assert "vectors 100 %" in wire.text("search", {"query": "unload_grain_49"})
        found = wire.text(
            "search", {"query": "    return hold.lift(", "mode": "exact", "limit": 100, "detail": "locations"}
        )
        assert len({line.split()[1].split(":")[0] for line in found.split("\n") if line[:1].isdigit()}) == 100
