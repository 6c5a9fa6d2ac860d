"""Real faults, for the tests of doctor: disks that are full or read-only, programs that misbehave."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[3]
PATIENCE_S = 60.0
# Instructions that are none, by processor, and Python that runs them: what a build for a newer processor does.
ILLEGAL = {"x86_64": b"\x0f\x0b", "AMD64": b"\x0f\x0b", "aarch64": b"\0\0\0\0", "arm64": b"\0\0\0\0"}
DIES = """
import ctypes, mmap
room = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
room.write({code!r})
ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(room)))()
"""


def alone(script: str, *, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a shell script where it may mount things and set limits for itself alone; skips where that is not allowed."""
    if not _may_unshare():
        unavailable("no namespaces of one's own on this system (unshare -rm), so its disks cannot be filled")
    return subprocess.run(
        ["unshare", "-rm", "sh", "-eu", "-c", script],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env=os.environ | (environment or {}),
        timeout=PATIENCE_S,
        check=False,
    )


@cache
def _may_unshare() -> bool:
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return False
    tried = subprocess.run(
        ["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"],
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return tried.returncode == 0


def unavailable(reason: str) -> None:
    """In CI on Linux everything must be possible; elsewhere a system may lack it."""
    if os.environ.get("CI") and sys.platform == "linux":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def program(path: Path, body: str) -> Path:
    """A program of a few lines of shell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def python(code: str, *, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run some Python in a process of its own, as codeloupe's own code."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env=os.environ | (environment or {}),
        timeout=PATIENCE_S,
        check=False,
    )
