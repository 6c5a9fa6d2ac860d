"""A round trip through the Serena bridge, its phases beside each other, with the real Serena.

    python -m benchmarks.serena [--serena PROGRAM] [--root DIR] [--rounds N]

Without ``--serena`` the one of the tests is taken (tests/e2e/serena), installed now if it is not; without ``--root`` a
copy of this repository's four packages, without an index, and no model: what is timed is the bridge. A phase is what
one server took to answer, as the bridge sees it; ``whole`` is what its caller waited, with reading and matching.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from mcp_server.serena import CodeReferences, SerenaBridge
from tests.e2e.homes import MODULE, Home
from tests.e2e.serena.agent import installed, settled

T = TypeVar("T")

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("mcp_server", "indexer", "embedding", "storage")
QUESTIONS = (
    "where are candidates of text and vectors ranked into hits",
    "a server ends with its client",
    "cut a long function into chunks",
    "one writer at a time holds the lock",
    "how much memory may the model take",
    "read the settings of a file",
)
FUNCTION = "def content_hash(content: str) -> str:"


class Phases(logging.Handler):
    """What the bridge logs of each call: who was asked what, and for how long."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._took: list[tuple[str, float]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        server, asked, milliseconds = tuple(record.args or ())
        self._took.append((f"{server} {asked}", float(str(milliseconds))))

    def taken(self) -> list[tuple[str, float]]:
        """What came since the last time."""
        took, self._took = self._took, []
        return took


class Report:
    """One line a step: the whole, and of its phases number, sum and the longest."""

    def __init__(self) -> None:
        self._phases = Phases()
        log = logging.getLogger("mcp_server.serena.peers")
        log.addHandler(self._phases)
        log.setLevel(logging.DEBUG)
        print(f"{'step':34} {'whole':>10}  phases (calls, sum, longest; calls at Serena overlap)")

    async def step(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work and print what it took."""
        began = time.perf_counter()
        done = await work()
        self.line(name, 1000 * (time.perf_counter() - began), self._phases.taken())
        return done

    @staticmethod
    def line(name: str, whole: float, took: list[tuple[str, float]]) -> None:
        """Print one."""
        phases: dict[str, list[float]] = {}
        for phase, milliseconds in took:
            phases.setdefault(phase, []).append(milliseconds)
        said = [f"{phase} {len(all_)} × {sum(all_):,.0f} ms (≤ {max(all_):,.0f})" for phase, all_ in phases.items()]
        print(f"{name:34} {whole:8,.0f} ms  {'; '.join(said)}", flush=True)


async def round_trip(options: argparse.Namespace, opened: Any) -> None:
    """Start, search, confirm, references, patterns; then the questions again and again, warm."""
    report = Report()
    bridge: SerenaBridge = await report.step("start both", opened.__aenter__)
    try:
        first = await report.step("first question", lambda: bridge.semantic_search(QUESTIONS[0]))
        await report.step("its references", lambda: referenced(bridge, first))
        times = []
        for number in range(options.rounds):
            question = QUESTIONS[(number + 1) % len(QUESTIONS)]
            began = time.perf_counter()
            found = await report.step(question[:34], partial(bridge.semantic_search, question))
            times.append(time.perf_counter() - began)
            print(f"{'':34} {sum(one.confirmed for one in found)} of {len(found)} confirmed", flush=True)
        await report.step("usage patterns", lambda: bridge.find_usage_patterns(FUNCTION))
        print(f"{'a question, median':34} {1000 * statistics.median(times):8,.0f} ms")
    finally:
        await report.step("end both", lambda: opened.__aexit__(None, None, None))


async def referenced(bridge: SerenaBridge, found: CodeReferences) -> None:
    """Who uses each of the confirmed hits."""
    uses = [len(await bridge.references(one)) for one in found if one.confirmed]
    print(f"{'':34} {len(uses)} symbols, {sum(uses)} references", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--serena", help="its program")
    parser.add_argument("--root", type=Path, help="a project with Serena's configuration in it")
    parser.add_argument("--rounds", type=int, default=len(QUESTIONS) - 1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        asyncio.run(round_trip(options, opened(options, Path(scratch))))


def opened(options: argparse.Namespace, scratch: Path) -> Any:
    """The bridge that is measured, not open yet."""
    if options.root is not None:
        return SerenaBridge.open(options.root, serena_command=(options.serena or "serena",))
    project = scratch / "project"
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, project / package, ignore=shutil.ignore_patterns("__pycache__", "*.embd"))
    setting = settled(installed(), Home(scratch / "home", scratch / "models"), project)
    return SerenaBridge.open(
        project,
        serena_command=(options.serena or str(setting.agent.program),),
        codeloupe_command=MODULE,
        environment=setting.home.environment(CODELOUPE_MODEL_NAME="none"),
    )


if __name__ == "__main__":
    main()
