"""A server leaves when it is told to, whatever hangs."""

import subprocess
import sys

from embedding.process import PACKAGE_ROOT

PROGRAM = """
import threading
from mcp_server.server import leave

class Hung:
    def close(self):
        threading.Event().wait()

leave(Hung())
"""


def test_a_server_leaves_also_when_what_it_closes_hangs() -> None:
    line = [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(PACKAGE_ROOT)!r})\n{PROGRAM}"]
    assert subprocess.run(line, timeout=60, check=False).returncode == 0
