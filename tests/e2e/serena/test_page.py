"""What the bridge's page shows is what a reader gets who types it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.e2e.serena.agent import Setting
from tests.e2e.wire import PATIENCE_S

PAGE = Path(__file__).parents[3] / "docs" / "clients" / "serena.md"
HIT = re.compile(r"^\S+ \d+-\d+ \S* ?(Symbol\(|\w)", re.MULTILINE)
PATTERN = re.compile(r"^\d+ allocate\(", re.MULTILINE)


def test_the_program_on_the_page_prints_hits_their_users_and_patterns(port: Setting) -> None:
    (port.project / "berths" / "rush.py").write_text(
        "from berths.planner import BerthPlanner, Ship\n\n\n"
        "def rush(planner: BerthPlanner) -> float:\n"
        '    return planner.allocate(Ship("Aurora", 120.0))\n',
        encoding="utf-8",
    )
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    program = program.replace('Path("~/src/project")', f"Path({str(port.project)!r})")
    program = program.replace("where are retries handled", "which place at the quay does a ship get")
    program = program.replace(
        "def retry(times: int, *, wait_s: float = 1.0)", "def allocate(self, ship: Ship) -> float"
    )
    path = os.pathsep.join((str(port.agent.program.parent), os.environ["PATH"]))
    done = subprocess.run(
        [sys.executable, "-P", "-c", program],
        capture_output=True,
        encoding="utf-8",
        env=port.home.environment(PATH=path),
        timeout=4 * PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert HIT.search(done.stdout), done.stdout
    assert PATTERN.search(done.stdout), done.stdout
    assert "    berths/rush.py 5" in done.stdout
