"""What memory there is, what of it is used, and by whom: read, never judged (embedding/governor.py does that).

The weights of a model are pages of a mapped file. To the kernel they are cache, the first thing it takes back: it
counts them as available memory (MemAvailable), and as inactive (``inactive_file``) even while every pass of the model
reads them all. Whoever believes that sees an empty machine until the limit is hit, and from there on every pass reads
the whole file from the disk (docs/service.md has the figures). So here: page cache can be had back, but not the pages
that the processes asked about have mapped themselves.
"""

from __future__ import annotations

import mmap
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedding.machine.busyness import Busyness, allowed_cores
from embedding.machine.cgroups import MOUNTED_AT, ControlGroups, Group, memory_held, memory_limit, read_text

MACHINE = "this machine"
_AVERAGE = re.compile(r"(some|full) avg10=([0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class Bound:
    """One thing that holds only so much: the machine, or a control group with a limit."""

    name: str
    limit_bytes: int
    used_bytes: int  # what cannot be had back without harm

    @property
    def share(self) -> float:
        """Of the limit that is used, 0 upwards."""
        return self.used_bytes / self.limit_bytes if self.limit_bytes > 0 else 1.0

    @property
    def free_bytes(self) -> int:
        """What is left below the limit."""
        return max(0, self.limit_bytes - self.used_bytes)


@dataclass(frozen=True, slots=True)
class Stall:
    """PSI: percent of the last ten seconds in which some, or all, processes at work waited for memory."""

    some: float
    full: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Memory and processor at one moment."""

    bounds: tuple[Bound, ...]  # the machine last; at least that
    private_bytes: int  # of the processes asked about, summed
    shared_bytes: int  # of them, counted once: they map the same file
    stall: Stall | None = None  # None where the kernel does not tell
    swap_used_bytes: int = 0
    others_cpu: float = 0.0  # share of the cores that others keep busy, 0 to 1
    on_battery: bool = False
    cores: int = 1

    @property
    def limit_bytes(self) -> int:
        """The least of the machine's memory and every limit around this process."""
        return min(bound.limit_bytes for bound in self.bounds)

    @property
    def used_bytes(self) -> int:
        """What is used within that limit."""
        return min(self.bounds, key=lambda bound: bound.limit_bytes).used_bytes

    @property
    def available_bytes(self) -> int:
        """What is left where least is left."""
        return min(bound.free_bytes for bound in self.bounds)

    @property
    def own_bytes(self) -> int:
        """Memory of the processes asked about: private, and what they share once."""
        return self.private_bytes + self.shared_bytes


class Gauge:
    """Reads. Directories other than the system's are for tests."""

    def __init__(
        self,
        proc: Path = Path("/proc"),
        cgroup: Path = Path(str(MOUNTED_AT)),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._proc = proc
        self._groups = ControlGroups(proc, cgroup)
        self._busyness = Busyness(proc, clock)

    def read(self, pids: Sequence[int]) -> Reading:
        """Everything now; ``pids`` are our own processes, this one among them. Some .5 ms; raises nothing."""
        private, shared = self._own(pids)
        total, available, swapped = self._memory()
        machine = Bound(MACHINE, total, min(total, total - available + self._uncounted(shared)))
        groups = (_bound(group, total, shared) for group in self._groups.of("memory"))
        return Reading(
            bounds=(*(bound for bound in groups if bound), machine),
            private_bytes=private,
            shared_bytes=shared,
            stall=self._stall(),
            swap_used_bytes=swapped,
            others_cpu=self._busyness.others(pids),
            on_battery=self._busyness.on_battery(),
            cores=allowed_cores(self._groups),
        )

    def _memory(self) -> tuple[int, int, int]:
        """Bytes of memory, of what is available of it, and of what is swapped out."""
        fields = _kibibytes(read_text(self._proc / "meminfo"))
        if "MemTotal" in fields and "MemAvailable" in fields:
            swapped = fields.get("SwapTotal", 0) - fields.get("SwapFree", 0)
            return fields["MemTotal"], fields["MemAvailable"], max(0, swapped)
        return _memory_by_psutil()

    def _uncounted(self, shared: int) -> int:
        """Of our mapped files, what the system counts as available: all on Linux, nothing on macOS and Windows.

        There pages mapped by a process that uses them are active, or in its working set, and not among the available.
        """
        return shared if (self._proc / "meminfo").exists() else 0

    def _stall(self) -> Stall | None:
        """Of our own control group where it tells, else of the machine."""
        groups = [group.directory / "memory.pressure" for group in self._groups.unified()[:1]]
        for path in (*groups, self._proc / "pressure" / "memory"):
            if stall := _parsed_stall(read_text(path)):
                return stall
        return None

    def _own(self, pids: Sequence[int]) -> tuple[int, int]:
        """Private bytes summed, and shared ones of the process that has most, for all map the same weights."""
        pairs = [self._one(pid) for pid in pids]
        return sum(private for private, _ in pairs), max((shared for _, shared in pairs), default=0)

    def _one(self, pid: int) -> tuple[int, int]:
        words = read_text(self._proc / str(pid) / "statm").split()
        if len(words) > 2 and words[1].isdecimal() and words[2].isdecimal():
            resident, shared = int(words[1]) * mmap.PAGESIZE, int(words[2]) * mmap.PAGESIZE
            return max(0, resident - shared), shared
        return (0, 0) if (self._proc / "meminfo").exists() else _one_by_psutil(pid)


def _bound(group: Group, total: int, shared: int) -> Bound | None:
    """What the group limits; None where that is no less than the machine has."""
    limit = memory_limit(group)
    held = memory_held(group) if limit < total else None
    if held is None:
        return None
    kept = min(shared, held.mapped)  # ours may be charged to another group, which touched them first
    return Bound(group.name, int(limit), max(0, held.used - max(0, held.files - kept)))


def _kibibytes(meminfo: str) -> dict[str, int]:
    """Bytes by name from lines ``MemTotal:  24684000 kB``."""
    pairs = (line.partition(":") for line in meminfo.splitlines())
    words = ((name, value.split()) for name, _, value in pairs)
    return {name: int(value[0]) * 1024 for name, value in words if value and value[0].isdecimal()}


def _parsed_stall(text: str) -> Stall | None:
    """From lines ``some avg10=0.24 avg60=...`` and ``full avg10=...``."""
    shares = {}
    for line in text.splitlines():
        if found := _AVERAGE.match(line):
            shares[found[1]] = float(found[2])
    return Stall(shares["some"], shares.get("full", 0.0)) if "some" in shares else None


def _memory_by_psutil() -> tuple[int, int, int]:
    import psutil  # only where there is no /proc

    memory = psutil.virtual_memory()
    try:
        swapped = int(psutil.swap_memory().used)
    except (OSError, RuntimeError):  # not everywhere, and not for everybody
        swapped = 0
    return int(memory.total), int(memory.available), swapped


def _one_by_psutil(pid: int) -> tuple[int, int]:
    """On Windows by its private bytes, elsewhere by what would be free if it ended."""
    import psutil

    try:
        process = psutil.Process(pid)
        info: Any = process.memory_info()
        private = info.private if hasattr(info, "private") else process.memory_full_info().uss
    except (psutil.Error, OSError):
        return 0, 0
    return int(private), max(0, int(info.rss) - int(private))
