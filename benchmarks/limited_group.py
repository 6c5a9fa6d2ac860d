"""A control group with a hard memory limit, for a while: made, entered by processes, emptied and removed.

In v1 where its memory hierarchy may be written, in v2 where the top of it hands memory on. Needs root, as a rule.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from embedding.machine.cgroups import MOUNTED_AT, ControlGroups, read_text

_PATIENCE_S = 10.0
_FILES = {  # what we ask, by version
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes"),
    2: ("memory.max", "memory.current", "memory.peak"),
}


class NoGroupError(Exception):
    """No group with a limit can be made here; the text says why."""


@dataclass(frozen=True, slots=True)
class LimitedGroup:
    """One group. What its processes start is in it too."""

    directory: Path
    version: int

    @property
    def usage_bytes(self) -> int:
        """Charged now, page cache included."""
        return int(read_text(self.directory / _FILES[self.version][1]) or 0)

    @property
    def peak_bytes(self) -> int:
        """The most that was ever charged."""
        return int(read_text(self.directory / _FILES[self.version][2]) or 0)

    @property
    def limit_hits(self) -> int:
        """How often something did not fit under the limit, so that the kernel took memory back, or killed."""
        if self.version == 1:
            return int(read_text(self.directory / "memory.failcnt") or 0)
        events = dict(line.split() for line in read_text(self.directory / "memory.events").splitlines())
        return int(events.get("max", 0))

    def limit(self, count: int) -> None:
        """Set the hard limit, in bytes. Raises OSError."""
        (self.directory / _FILES[self.version][0]).write_text(str(count), "ascii")

    def start(self, line: Sequence[str], environment: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """A process that is in the group before it is anything else; its pipes are text."""
        entered = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(self.directory), *line]
        return subprocess.Popen(
            entered, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment
        )

    def empty(self) -> None:
        """End whatever is still in it: processes that ``start`` started, and their children."""
        until = time.monotonic() + _PATIENCE_S
        while (pids := read_text(self.directory / "cgroup.procs").split()) and time.monotonic() < until:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.05)


@contextmanager
def limited_group(limit_bytes: int) -> Iterator[LimitedGroup]:
    """A new group with that limit, removed in the end. Raises NoGroupError."""
    group = _made(limit_bytes)
    try:
        yield group
    finally:
        group.empty()
        _remove(group.directory)


def _made(limit_bytes: int) -> LimitedGroup:
    top = _top()
    directory = top.directory / f"codeloupe-{secrets.token_hex(4)}"
    try:
        directory.mkdir()
    except OSError as error:
        raise NoGroupError(f"{directory} cannot be made: {error.strerror}") from error
    group = LimitedGroup(directory, top.version)
    try:
        group.limit(limit_bytes)
    except OSError as error:
        _remove(directory)
        raise NoGroupError(f"the limit of {directory} cannot be set: {error.strerror}") from error
    return group


def _top() -> LimitedGroup:
    """Where a group may be made: beside or below ours in v1, at the top of v2, where no process may be in the way."""
    groups = ControlGroups().of("memory")
    if not groups or not groups[-1].directory.is_dir():
        raise NoGroupError(f"no memory control groups are mounted below {MOUNTED_AT}")
    top = groups[-1]
    if top.version == 2 and "memory" not in read_text(top.directory / "cgroup.subtree_control").split():
        raise NoGroupError(f"{top.directory} does not hand the memory controller on (cgroup.subtree_control)")
    return LimitedGroup(top.directory, top.version)


def _remove(directory: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        try:
            directory.rmdir()
        except OSError:
            time.sleep(0.05)  # the last process is not quite gone
        else:
            return
