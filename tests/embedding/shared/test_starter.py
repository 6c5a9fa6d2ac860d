"""A process that has stepped back starts others that have not."""

import subprocess
import sys
import textwrap

import pytest

from embedding.process import PACKAGE_ROOT

PROGRAM = """
import os, subprocess, sys
from embedding.shared.starter import STARTER

def started():
    return int(subprocess.run([sys.executable, "-c", "import os; print(os.nice(0))"], capture_output=True).stdout)

first = os.nice(0)
STARTER.keep()
os.nice(4)
print(first, started(), STARTER.start(started))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only there threads have priorities of their own")
def test_what_is_started_after_stepping_back_has_the_priority_of_before() -> None:
    line = [
        sys.executable,
        "-P",
        "-c",
        f"import sys; sys.path.insert(0, {str(PACKAGE_ROOT)!r})\n{textwrap.dedent(PROGRAM)}",
    ]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    first, inherited, kept = map(int, done.stdout.split())
    assert inherited == min(19, first + 4)
    assert kept == first
