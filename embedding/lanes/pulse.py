"""Whether a child at work does anything: by the processor time it takes, for the clock tells nothing on a busy machine.

A 7B model reads 2,000 letters in 10 s on a quiet machine; behind a dozen busy processes the same took over 4 minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

import psutil

STILL_S = 120.0  # without any processor time: it waits for something that does not come; a slow disk still costs some
_LEAST_CPU_S = 0.01  # what the system counts in
LONGEST_CPU_S = 1_800.0  # on one request of 16 KiB, which takes a 7B model 100 s: it goes round in a circle

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class _Beat:
    """When a child was last seen to have taken processor time."""

    at: float
    cpu_s: float
    first_cpu_s: float  # as its work began
    work: int  # the number of its request


class Pulse:
    """Of children by their process ids. No threads: who uses it locks it."""

    def __init__(self, clock: Clock = time.monotonic, cpu_s: Callable[[int], float] | None = None) -> None:
        self._clock = clock
        self._cpu_s = cpu_s or processor_seconds
        self._beats: dict[int, _Beat] = {}

    def lost(self, pid: int, work: int = 0) -> str:
        """Why a child at work on its ``work``-th request must be given up, in words; "" where it need not.

        Ask every second or so.
        """
        now, cpu_s = self._clock(), self._cpu_s(pid)
        beat = self._beats.get(pid)
        if beat is None or beat.work != work:  # a busy child is hardly ever seen between two requests
            beat = self._beats[pid] = _Beat(now, cpu_s, cpu_s, work)
        if cpu_s - beat.first_cpu_s > LONGEST_CPU_S:
            return f"it worked for {LONGEST_CPU_S:.0f} s of processor time on one request"
        if cpu_s - beat.cpu_s >= _LEAST_CPU_S:
            self._beats[pid] = _Beat(now, cpu_s, beat.first_cpu_s, work)
        elif now - beat.at > STILL_S:
            return f"it took no processor time for {STILL_S:.0f} s while it was asked something"
        return ""

    def forget(self, pid: int) -> None:
        """It is not at work, or stands still on purpose."""
        self._beats.pop(pid, None)

    def keep(self, pids: Collection[int]) -> None:
        """Forget all others: they have ended, and their numbers may come again."""
        self._beats = {pid: beat for pid, beat in self._beats.items() if pid in pids}


def processor_seconds(pid: int) -> float:
    """What a process has taken of the processor, in seconds; 0 where it has ended."""
    with suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return 0.0
