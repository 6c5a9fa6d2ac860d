"""Several servers on one root: one indexes, another goes on where it dies, all answer and see what is new."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.kept import Kept
from embedding.open import CACHE_FILE
from tests.e2e.homes import Home, Launch, plant_forest
from tests.e2e.processes import INDEXER, assert_gone, eventually, family, running
from tests.e2e.wire import Wire

if TYPE_CHECKING:
    import psutil

VESSELS = 600  # embedded in five slices, so that one can be killed between them


@pytest.fixture
def vessels() -> int:
    return VESSELS


@pytest.fixture
def launch(blank_home: Home, tmp_path: Path, vessels: int) -> Launch:
    return Launch(blank_home, (plant_forest(tmp_path / "forest", vessels),))


@pytest.fixture
def kept(blank_home: Home) -> Kept:
    return Kept(blank_home.directory / "cache" / "codeloupe" / CACHE_FILE)


@pytest.fixture
def servers(launch: Launch, tmp_path: Path) -> Iterator[list[Wire]]:
    """Three servers on one root; those still alive are ended."""
    with ExitStack() as until_the_end:
        wires = [Wire(launch, tmp_path / f"{number}.log") for number in range(3)]
        for wire in wires:
            wire.initialize()
            until_the_end.callback(end, wire)
        yield wires


def end(wire: Wire) -> None:
    if wire.process.poll() is None:
        wire.__exit__()


def search(wire: Wire, query: str, **more: Any) -> dict[str, Any]:
    found = wire.result("search", {"query": query, "format": "json"} | more)
    assert not found.get("isError"), found
    return dict(found["structuredContent"])


def complete(wire: Wire) -> bool:
    freshness = search(wire, "unload")["freshness"]
    return bool(freshness["state"] == "current" and freshness["vectors"] == 1.0)


def writer(home: Home) -> int:
    """The process that signed as the writer; 0 where none did."""
    for note in (home.directory / "indexes").glob("*/writer.json"):
        return int(json.loads(note.read_text("utf-8"))["pid"])
    return 0


def embeds(wires: list[Wire], home: Home) -> Wire | None:
    """The server whose child writes the index and is past the text, of which vectors are there."""
    if not 0.0 < search(wires[0], "unload")["freshness"]["vectors"] < 1.0:
        return None
    pid = writer(home)
    return next((wire for wire in wires if pid in [one.pid for one in running(wire.process.pid, INDEXER)]), None)


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        process.kill()
    assert_gone(processes)


@pytest.mark.parametrize("whole", [False, True], ids=["its child", "the whole server"])
def test_where_the_writer_is_killed_another_goes_on_and_embeds_nothing_twice(
    launch: Launch, servers: list[Wire], kept: Kept, whole: bool
) -> None:
    for wire in servers:
        wire.call("index")
    owner: list[Wire] = []
    eventually(lambda: owner.extend(filter(None, [embeds(servers, launch.home)])) or owner, "one of them embeds")
    old = writer(launch.home)
    kill(family(owner[0].process.pid) if whole else running(owner[0].process.pid, INDEXER))
    others = [wire for wire in servers if wire is not owner[0]]
    for wire in others:
        assert search(wire, "unload_spices_2")["hits"][0]["file_path"] == "block2/vessel_2.py"
    eventually(lambda: writer(launch.home) not in (0, old), "another writes")
    for wire in others:
        eventually(lambda wire=wire: complete(wire), "the index is complete")  # type: ignore[misc]
    times, texts = kept.times()
    assert times == texts == VESSELS


def test_a_change_that_only_a_server_without_the_lock_knows_of_is_found_while_the_other_still_embeds(
    launch: Launch, servers: list[Wire], tmp_path: Path
) -> None:
    servers[0].call("index")
    eventually(lambda: embeds(servers, launch.home), "the first embeds")
    (launch.roots[0] / "new.py").write_text("def moor_the_latecomer():\n    return 1\n", "utf-8")

    def found() -> bool:
        hits = search(servers[1], "def moor_the_latecomer", mode="exact")["hits"]
        return [hit["file_path"] for hit in hits] == ["new.py"]

    eventually(found, "the change is searchable")
    for wire in servers:
        eventually(lambda wire=wire: complete(wire), "the index is complete")  # type: ignore[misc]
        assert search(wire, "def moor_the_latecomer", mode="exact")["hits"]


@pytest.mark.parametrize("vessels", [20])
def test_a_server_at_rest_is_in_no_other_servers_way(launch: Launch, servers: list[Wire]) -> None:
    servers[0].text("index", {"wait": True})
    assert running(servers[0].process.pid, INDEXER), "its child waits for the next change"
    assert writer(launch.home) == 0
    assert "20 files read" in servers[1].text("index", {"wait": True, "force": True})
    assert running(servers[0].process.pid, INDEXER), "and still waits"
