"""The libraries in machine code, but for llama.cpp: whether they load on this processor, asked in a process of its own.

A wheel for a newer processor ends whoever imports it, without a word; so this comes before doctor itself imports one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from embedding.child.build import is_illegal_instruction
from embedding.process import PACKAGE_ROOT, child_environment, ending_name
from mcp_server.checks.findings import Finding, error, well

WHAT = "libraries"
NAMES = ("numpy", "pyarrow", "storage.lance", "indexer.syntax")  # the latter two import lancedb and tree-sitter
IMPORT_S = 60.0  # half a second of processor; from a cold disk ten by the clock
LOAD = (
    "import importlib, sys\nfor name in sys.argv[1:]:\n    print(name, flush=True)\n    importlib.import_module(name)\n"
)


def examine(names: Sequence[str] = NAMES) -> Finding:
    """All of them, one after the other, in one process."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", LOAD, *names],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=PACKAGE_ROOT,
            env=child_environment(dict(os.environ), 1),
            timeout=IMPORT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as failed:
        return error(WHAT, f"they could not be tried: {failed}", "close what keeps the machine busy, and try again")
    if done.returncode == 0:
        return well(WHAT, "numpy, Arrow, LanceDB and tree-sitter load")
    last = (done.stdout.split() or [names[0]])[-1]
    return _broken(last, done.returncode, done.stderr)


def _broken(name: str, code: int, said: str) -> Finding:
    ending = ending_name(code)
    if is_illegal_instruction(code):
        pip = f"{sys.executable} -m pip install --force-reinstall --no-binary {name} {name}"
        mend = f"install an older version, or build it here: {pip}"
        return error(WHAT, f"{name} died of an instruction that this processor does not have: {ending}", mend)
    lines = said.strip().splitlines()
    reason = lines[-1] if lines and code > 0 else ending
    return error(WHAT, f"{name} cannot be loaded: {reason}", "install codeloupe again")
