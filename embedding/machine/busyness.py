"""The processor: cores this process may use, what of them others use, and whether the machine runs on battery."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from embedding.machine.cgroups import ControlGroups, cpu_quota, read_text

# The kernel counts in hundredths of a second: over less than half a second a core, one tick is two percent and more.
_SHORTEST_S = 0.5
_BATTERY_EVERY_S = 30.0
_BUSY_FIELDS = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, steal of a line of /proc/stat
_IDLE_FIELDS = (3, 4)  # idle, iowait


def allowed_cores(groups: ControlGroups) -> int:
    """Cores' worth of work that may run at once, by affinity and by every quota, rounded up; at least 1."""
    quota = min(map(cpu_quota, groups.of("cpu")), default=math.inf)
    affine = len(affinity()) or os.cpu_count() or 1
    return max(1, min(affine, math.ceil(quota)) if quota < math.inf else affine)


def affinity() -> frozenset[int]:
    """Numbers of the cores this process may run on; empty where the system does not say."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset()


@dataclass(frozen=True, slots=True)
class _Count:
    """Seconds of processor since the machine, or a process, started."""

    busy: float
    total: float
    own: dict[int, float]  # by process id


@dataclass(slots=True)
class Busyness:
    """What others do with the cores this process may use, between one look and the next."""

    proc: Path
    clock: Callable[[], float] = time.monotonic
    _before: _Count | None = None
    _share: float = 0.0
    _battery: bool = False
    _battery_until: float = field(default=-math.inf)

    def others(self, pids: Sequence[int]) -> float:
        """Share of the cores that others than ``pids`` kept busy, 0 to 1, since the last look at least .5 s ago.

        0 until there were two such looks.
        """
        count = self._count(pids)
        if self._before is None:
            self._before = count
        elif count.total - self._before.total >= _SHORTEST_S * (len(affinity()) or os.cpu_count() or 1):
            self._share = _share(self._before, count)
            self._before = count
        return self._share

    def _count(self, pids: Sequence[int]) -> _Count:
        if lines := _core_lines(read_text(self.proc / "stat")):
            busy = sum(line[at] for line in lines for at in _BUSY_FIELDS)
            idle = sum(line[at] for line in lines for at in _IDLE_FIELDS)
            tick = os.sysconf("SC_CLK_TCK")
            return _Count(busy / tick, (busy + idle) / tick, {pid: self._ticks(pid) / tick for pid in pids})
        return _counted_by_psutil(pids)

    def _ticks(self, pid: int) -> int:
        """User and system time of one process and its threads; what follows its name in parentheses."""
        words = read_text(self.proc / str(pid) / "stat").rpartition(")")[2].split()
        return sum(int(word) for word in words[11:13] if word.isdecimal())

    def on_battery(self) -> bool:
        """Whether the machine runs on its battery; False where nobody knows. Looked up every 30 s."""
        if self.clock() >= self._battery_until:
            self._battery_until = self.clock() + _BATTERY_EVERY_S
            self._battery = _on_battery()
        return self._battery


def _share(before: _Count, now: _Count) -> float:
    own = sum(max(0.0, spent - before.own.get(pid, 0.0)) for pid, spent in now.own.items())
    return min(1.0, max(0.0, (now.busy - before.busy - own) / (now.total - before.total)))


def _core_lines(stat: str) -> list[list[int]]:
    """Times of the cores this process may run on, from the lines ``cpu7 ...``."""
    wanted = affinity()
    rows = (line.split() for line in stat.splitlines() if line.startswith("cpu"))
    named = ((words[0][3:], words[1:9]) for words in rows if len(words) > 8 and all(map(str.isdecimal, words[1:9])))
    return [
        [int(word) for word in times]
        for core, times in named
        if core.isdecimal() and (not wanted or int(core) in wanted)
    ]


def _counted_by_psutil(pids: Sequence[int]) -> _Count:
    import psutil  # only where there is no /proc

    times = psutil.cpu_times()
    total = float(sum(times))
    own = {}
    for pid in pids:
        try:
            spent = psutil.Process(pid).cpu_times()
        except psutil.Error:
            continue
        own[pid] = float(spent.user + spent.system)
    return _Count(total - float(times.idle), total, own)


def _on_battery() -> bool:
    import psutil  # asked twice a minute

    try:
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, RuntimeError, ValueError):  # no such function, no such file, garbage in it
        return False
    return battery is not None and battery.power_plugged is False
