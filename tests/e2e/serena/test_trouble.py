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
    Lines,
    SerenaBridge,
    ServerDiedError,
    ServerMissingError,
    Symbol,
    ToolsMissingError,
)
from tests.e2e.homes import MODULE, Home
from tests.e2e.processes import INDEXER, eventually, family
from tests.e2e.serena.agent import SerenaAgent, Setting, settled
from tests.e2e.wire import PATIENCE_S

pytestmark = pytest.mark.anyio

SERENA, CODELOUPE = "start-mcp-server", "mcp_server.cli"
PLANNER = Symbol("berths/planner.py", "BerthPlanner", "Class", Lines(17, 38))


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
    planner = port.project / "berths" / "planner.py"
    async with port.open() as bridge:
        await indexed(bridge, "berths/planner.py")
        indexers = mine(INDEXER)
        for process in indexers:
            process.suspend()
        text = planner.read_text(encoding="utf-8").replace("class QuayFullError", "class QuayError")
        planner.write_text("# moved\n" * 7 + text, encoding="utf-8")
        found = await bridge.semantic_search("BerthPlanner QuayFullError Ship", limit=40)
        for process in indexers:
            process.resume()
    assert not found.worth.current
    assert found.worth.changed_files == 1
    hits = {hit.name_path: hit for hit in found if hit.relative_path == "berths/planner.py"}
    assert hits
    for name_path, hit in hits.items():
        if name_path.startswith(("BerthPlanner", "Ship")):
            assert hit.symbol is not None
            assert hit.symbol.name_path == name_path
            assert "# moved" not in "".join(text.splitlines()[hit.symbol.lines.first - 8 : hit.symbol.lines.last - 7])
        else:
            assert "changed since" in hit.unconfirmed


async def test_a_language_server_that_cannot_be_started_names_the_setting_and_nobody_is_left_behind(
    port: Setting,
) -> None:
    port.agent.settle(port.home.directory / "home", language_server=port.home.directory / "no-such-program")
    with pytest.raises(KeyError, match="of the caller"):
        async with port.open() as bridge:
            found = await bridge.semantic_search("BerthPlanner")
            assert mine(SERENA)
            raise KeyError("of the caller")
    eventually(lambda: not mine(SERENA) and not mine(CODELOUPE), "both servers have ended")
    assert found
    assert not any(hit.confirmed for hit in found)
    assert any("ls_specific_settings" in note for note in found.notes)


async def test_a_serena_that_hangs_and_then_dies_costs_time_limits_and_no_hit(port: Setting) -> None:
    async with port.open(Limits(start_s=PATIENCE_S, search_s=PATIENCE_S, confirm_s=0.5)) as bridge:
        (serena, *_) = mine(SERENA)
        serena.suspend()
        found = await bridge.semantic_search("BerthPlanner")
        assert found
        assert all("did not answer find_symbol within 0.5 s" in hit.unconfirmed for hit in found)
        died: list[BridgeError] = []

        async def ask() -> None:
            try:
                await bridge.references(PLANNER)
            except ServerDiedError as error:
                died.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            serena.kill()  # while it has a call under way
        assert "Serena has ended" in str(died[0])
        later = await bridge.semantic_search("BerthPlanner")
        assert later[0].name_path == "BerthPlanner"
        assert not any(hit.confirmed for hit in later)
        assert any("open the bridge anew" in note for note in later.notes)


async def test_a_serena_that_only_hung_is_asked_again(port: Setting) -> None:
    async with port.open() as bridge:
        before = await bridge.references(PLANNER)
        (serena, *_) = mine(SERENA)
        serena.suspend()
        with anyio.move_on_after(0.1):
            await bridge.references(PLANNER)
        serena.resume()
        assert await bridge.references(PLANNER) == before


@pytest.mark.parametrize("told", ["user", "project"])
async def test_a_serena_that_offers_its_repl_alone_is_refused_with_the_flag_to_add(port: Setting, told: str) -> None:
    program = str(port.agent.program)
    if told == "user":
        port.agent.settle(port.home.directory / "home", interface="REPL")
        command: tuple[str, ...] = (program, SERENA, "--project", str(port.project), "--context", "ide")
    else:
        command = (program,)
        configuration = port.project / ".serena" / "project.yml"
        configuration.write_text(f"{configuration.read_text('utf-8')}agent_interface: REPL\n", encoding="utf-8")
    with pytest.raises(ToolsMissingError, match=r"start it with '--agent-interface tools'.*'agent_interface: REPL'"):
        async with port.open(serena=command):
            pass


async def test_a_serena_that_ends_at_once_is_quoted(port: Setting) -> None:
    with pytest.raises(ServerDiedError, match="No such option"):
        async with port.open(serena=(str(port.agent.program), SERENA, "--no-such-option")):
            pass


async def test_a_serena_that_is_not_there_says_how_to_install_it(port: Setting) -> None:
    with pytest.raises(ServerMissingError, match="uv tool install serena-agent"):
        async with port.open(serena=("serena-that-is-not-there",)):
            pass


async def test_a_codeloupe_that_cannot_start_is_quoted_and_takes_serena_down_with_it(port: Setting) -> None:
    with pytest.raises(ServerDiedError, match=r"codeloupe ended as it was started, and said last: .*search\.limit"):
        async with port.open(CODELOUPE_SEARCH_LIMIT="many"):
            pass
    eventually(lambda: not mine(SERENA), "Serena has ended")


def test_the_command_prints_places_names_and_users(agent: SerenaAgent, home: Home, harbour: Path) -> None:
    setting = settled(agent, home, harbour)
    line = [*MODULE, "serena", "where does a ship get its berth", "--root", str(harbour)]
    line += ["--serena", str(agent.program), "--references", "--json"]
    environment = setting.home.environment()
    done = subprocess.run(
        line, capture_output=True, encoding="utf-8", env=environment, timeout=4 * PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    hit = next(hit for hit in answer["hits"] if hit["symbol"])
    assert {"relative_path", "name_path", "kind", "lines"} <= set(hit)
    assert isinstance(hit["references"], list)
