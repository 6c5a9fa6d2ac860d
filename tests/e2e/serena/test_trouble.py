"""The bridge where something is wrong: an index that is behind, a Serena that hangs, dies, or offers something else."""

from __future__ import annotations

import contextlib
import json
import subprocess
from pathlib import Path

import anyio
import psutil
import pytest

from mcp_server.serena import (
    BridgeError,
    Limits,
    SerenaBridge,
    ServerDiedError,
    ServerMissingError,
    ServerRefusedError,
    ToolsMissingError,
)
from tests.e2e.homes import MODULE, Home
from tests.e2e.processes import INDEXER, assert_gone, eventually, family
from tests.e2e.serena.agent import SerenaAgent, Setting, settled
from tests.e2e.wire import PATIENCE_S

pytestmark = pytest.mark.anyio

IMPATIENT = Limits(start_s=PATIENCE_S, search_s=PATIENCE_S, confirm_s=1, references_s=1)
STORM = "def weigh_anchor_in_a_storm(ship):\n    return ship.hoist(ship.anchor)\n"


def mine(word: str) -> list[psutil.Process]:
    """The processes of these tests whose command line has ``word``, parents first."""
    found = []
    for process in family(psutil.Process().pid)[1:]:
        with contextlib.suppress(psutil.Error):
            if any(word in part for part in process.cmdline()):
                found.append(process)
    return found


async def indexed(bridge: SerenaBridge, path: str) -> None:
    """Until the index has a file and says that it is current."""
    with anyio.fail_after(PATIENCE_S):
        while True:
            found = await bridge.semantic_search(path, limit=40)
            if found.worth.current and path in {hit.relative_path for hit in found}:
                return


async def test_a_stale_index_finds_what_moved_by_name_and_takes_nothing_for_what_went(port: Setting) -> None:
    async with port.open() as bridge:
        await indexed(bridge, "berths/planner.py")
        for process in mine(INDEXER):
            process.suspend()
        planner = port.project / "berths" / "planner.py"
        text = planner.read_text(encoding="utf-8").replace("def release", "def cast_off")
        planner.write_text("# moved\n" * 7 + text, encoding="utf-8")
        found = await bridge.semantic_search("BerthPlanner allocate release", limit=20)
        for process in mine(INDEXER):
            process.resume()
    assert not found.worth.current
    assert found.worth.changed_files >= 1
    hits = {hit.name_path: hit for hit in found if hit.relative_path == "berths/planner.py"}
    planner_class = hits["BerthPlanner"] if "BerthPlanner" in hits else hits["BerthPlanner/allocate"]
    assert planner_class.symbol is not None
    assert planner_class.symbol.lines.first == planner_class.lines.first + 7
    gone = [hit for hit in hits.values() if hit.name_path.endswith("/release")]
    assert all("changed since" in hit.unconfirmed for hit in gone)


async def test_meaning_has_a_floor_and_words_have_none(port: Setting) -> None:
    async with port.open() as bridge:
        await indexed(bridge, "tides/gauge.py")
        every = await bridge.semantic_search("reading of the gauge", min_similarity=-1)
        assert any(hit.by_meaning for hit in every)
        strict = await bridge.semantic_search("reading of the gauge", min_similarity=0.99)
        assert strict
        assert not any(hit.by_meaning for hit in strict)
        assert await bridge.semantic_search("reading of the gauge", min_similarity=0.99, mode="semantic") == []


async def test_files_that_serena_has_no_language_server_for_are_returned_unconfirmed(port: Setting) -> None:
    async with port.open() as bridge:
        found = await bridge.semantic_search("emergencyStop crane", limit=20)
    (crane,) = [hit for hit in found if hit.name_path == "Crane/emergencyStop"]
    assert not crane.confirmed
    assert crane.unconfirmed


async def test_a_language_server_that_cannot_be_started_names_the_setting(
    agent: SerenaAgent, home: Home, harbour: Path
) -> None:
    setting = settled(agent, home, harbour)
    agent.settle(home.directory / "home", language_server=home.directory / "no-such-program")
    async with setting.open() as bridge:
        found = await bridge.semantic_search("BerthPlanner")
        assert found
        assert not any(hit.confirmed for hit in found)
        assert any("ls_specific_settings" in note for note in found.notes)


async def test_a_serena_killed_in_the_middle_of_a_call_is_said_to_be_dead_and_searches_go_on(port: Setting) -> None:
    async with port.open() as bridge:
        found = next(hit for hit in await bridge.semantic_search("BerthPlanner") if hit.confirmed)
        (serena, *_) = mine("start-mcp-server")
        serena.suspend()  # so that the call is under way when it dies
        died: list[BridgeError] = []

        async def ask() -> None:
            try:
                await bridge.references(found)
            except ServerDiedError as error:
                died.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            serena.kill()
        assert "Serena has ended" in str(died[0])
        later = await bridge.semantic_search("BerthPlanner")
        assert later
        assert not any(hit.confirmed for hit in later)
        assert any("open the bridge anew" in note for note in later.notes)


async def test_a_serena_that_hangs_costs_one_time_limit_and_is_asked_again_when_it_is_back(port: Setting) -> None:
    async with port.open() as bridge:
        assert any(hit.confirmed for hit in await bridge.semantic_search("BerthPlanner"))
    async with port.open(IMPATIENT) as bridge:
        (serena, *_) = mine("start-mcp-server")
        serena.suspend()
        found = await bridge.semantic_search("BerthPlanner")
        assert found
        assert all("did not answer find_symbol within 1 s" in hit.unconfirmed for hit in found)
        serena.resume()


async def test_a_serena_that_offers_its_repl_alone_is_refused_with_the_flag_to_add(port: Setting) -> None:
    command = (str(port.agent.program), "start-mcp-server", "--project", str(port.project), "--context", "ide")
    with pytest.raises(ToolsMissingError, match="start it with '--agent-interface tools'"):
        async with port.open(serena=command):
            pass


async def test_a_serena_that_ends_at_once_is_quoted(port: Setting) -> None:
    with pytest.raises(ServerDiedError, match="No such option"):
        async with port.open(serena=(str(port.agent.program), "start-mcp-server", "--no-such-option")):
            pass


async def test_a_serena_that_is_not_there_says_how_to_install_it(port: Setting) -> None:
    with pytest.raises(ServerMissingError, match="uv tool install serena-agent"):
        async with port.open(serena=("serena-that-is-not-there",)):
            pass


async def test_a_codeloupe_that_cannot_start_takes_serena_down_with_it(port: Setting) -> None:
    with pytest.raises(ServerDiedError, match="codeloupe ended as it was started"):
        async with port.open(CODELOUPE_SEARCH_LIMIT="many"):
            pass
    eventually(lambda: not mine("start-mcp-server"), "Serena has ended")


async def test_nobody_is_left_when_the_bridge_is_closed_and_what_was_raised_comes_out_as_it_was(port: Setting) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with port.open() as bridge:
            await bridge.semantic_search("BerthPlanner")
            everybody = family(psutil.Process().pid)[1:]
            raise KeyError("mine")
    assert_gone([process for process in everybody if "start-mcp-server" in " ".join(cmdline(process))])
    eventually(lambda: not mine("start-mcp-server") and not mine("mcp_server.cli"), "both servers have ended")


def cmdline(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return list(process.cmdline())
    return []


async def test_names_beyond_ascii_are_found_confirmed_and_referenced(
    agent: SerenaAgent, home: Home, tmp_path: Path
) -> None:
    project = tmp_path / "Häfen & Küsten 港"
    (project / "größe").mkdir(parents=True)
    (project / "größe" / "__init__.py").touch()
    (project / "größe" / "straße_1.py").write_text("def länge_über_alles(schiff):\n    return schiff.länge\n", "utf-8")
    user = "def gebühr(schiff):\n    return 3 * länge_über_alles(schiff)\n"
    (project / "größe" / "wert.py").write_text(
        f"from größe.straße_1 import länge_über_alles\n\n\n{user}",
        "utf-8",
    )
    async with settled(agent, home, project).open() as bridge:
        found = next(hit for hit in await bridge.semantic_search("länge_über_alles") if hit.confirmed)
        assert found.symbol is not None
        assert (found.relative_path, found.symbol.name_path) == ("größe/straße_1.py", "länge_über_alles")
        (use,) = await bridge.references(found)
        assert (use.relative_path, use.line) == ("größe/wert.py", 5)
        assert use.within is not None
        assert use.within.name_path == "gebühr"


async def test_what_is_not_confirmed_has_no_references(port: Setting) -> None:
    async with port.open() as bridge:
        found = next(hit for hit in await bridge.semantic_search("pilotage", limit=20) if not hit.confirmed)
        with pytest.raises(ServerRefusedError, match="no symbol for this hit"):
            await bridge.references(found)


async def test_usage_is_told_by_text_where_serena_knows_no_definition(port: Setting) -> None:
    async with port.open() as bridge:
        found = await bridge.find_usage_patterns("func (l *Limiter) Allow() bool")
    assert any("have Allow( in their text" in note for note in found.notes)
    assert all(use.within is None for pattern in found.patterns for use in pattern.usages)


def test_the_command_prints_places_names_and_users(port: Setting) -> None:
    line = [*MODULE, "serena", "where does a ship get its berth", "--root", str(port.project)]
    line += ["--serena", str(port.agent.program), "--references", "--json"]
    environment = port.home.environment()
    done = subprocess.run(
        line, capture_output=True, encoding="utf-8", env=environment, timeout=2 * PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    hit = next(hit for hit in answer["hits"] if hit["symbol"])
    assert {"relative_path", "name_path", "kind", "lines"} <= set(hit)
    assert isinstance(hit["references"], list)
