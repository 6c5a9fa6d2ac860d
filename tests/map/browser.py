"""A browser for the tests: the machine's own, else the one of a pinned list, driven by scripts in tests/map/node."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.e2e.node_clients import Node, installed, unavailable

SOURCES = Path(__file__).parent / "node"
OLDEST_NODE = (20, 11)  # of the browser's package
NO_BROWSER = 3  # as tests/map/node/browser.mjs says it
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")


def browser_node() -> Node:
    """What drives a browser, installed now if it is not; skips the test, or fails it in CI, where that cannot be."""
    return installed(SOURCES, OLDEST_NODE)


def run(node: Node, script: str, page: Path, scratch: Path, **asked: Any) -> Any:
    """What one of our scripts saw of ``page``."""
    own = next(filter(None, map(shutil.which, NAMES)), "")
    given = {"url": page.as_uri(), "browser": own, "profile": str(scratch / "profile"), **asked}
    done = node.start(str(SOURCES / script), json.dumps(given), environment={"HOME": str(scratch)})
    if done.returncode == NO_BROWSER:
        unavailable(f"No browser starts here, so the map is not looked at; install chromium. {done.stderr[-500:]}")
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)
