"""Who writes an index, and whether another process may: the rules, without looking at anything.

The operating system's lock goes with its process, and that settles nearly everything at once. Two cases are left: file
systems whose locks are not shared (some network disks, where everybody gets the lock), and locks that nobody gave back
(a host that vanished, seen by the file server as holding on). There the holder's signature decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

BEAT_S = 5.0  # how often a holder renews its signature: a touch of one file, 20 µs
# After so long without a beat a holder is out of order. Six missed beats: the longest a laptop's disk or a swapping
# machine was seen to hold a thread back is some seconds, and a file server's answer may be 3 s old.
SILENT_S = 30.0


@dataclass(frozen=True, slots=True)
class Holder:
    """A holder's signature."""

    pid: int
    host: str
    since: str  # ISO 8601, UTC
    started: float = 0.0  # when the process began, seconds since 1970, as the system says; 0 where that is not known

    @property
    def words(self) -> str:
        """For a sentence."""
        return f"process {self.pid} on {self.host} since {self.since}"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one who wants to write finds."""

    locked: bool  # the system's lock is another's; False: it could be taken
    holder: Holder | None = None  # who signed; None: nobody, or nobody legible
    alive: bool | None = None  # whether that process lives; None: it is on another host
    silent_s: float = 0.0  # since it last beat, by the file system's own clock

    @property
    def silent(self) -> bool:
        """Whether the holder has missed so many beats that it is out of order."""
        return self.silent_s > SILENT_S


class Verdict(Enum):
    """What one who wants to write does."""

    TAKE = "take"  # nobody writes
    BREAK = "break"  # nobody writes, and the system's lock was never given back: take it by a new lock file
    WAIT = "wait"  # somebody writes


def judge(seen: Sighting) -> Verdict:
    """Whether the index may be written.

    | system's lock | signed by | |
    |---|---|---|
    | free | nobody, or a dead process of this host | take, at once |
    | free | a living process of this host | wait, however long it is silent: the locks of this disk do not work |
    | free | a process of another host | take once it is silent |
    | another's | nobody, or a living process of this host | wait |
    | another's | a dead process of this host, or one of another host | break once it is silent |

    A living process is never robbed: it may be stopped in the middle of a commit, and go on. A lock that is another's
    while its signer is dead was mostly taken a moment ago and is about to be signed: hence the silence is awaited.
    """
    if seen.holder is None:
        return Verdict.WAIT if seen.locked else Verdict.TAKE
    if seen.alive:
        return Verdict.WAIT
    if seen.alive is False and not seen.locked:
        return Verdict.TAKE
    if not seen.silent:
        return Verdict.WAIT
    return Verdict.BREAK if seen.locked else Verdict.TAKE


def refusal(directory: str, seen: Sighting) -> str:
    """Why the index in ``directory`` may not be written now, in a sentence."""
    holder = seen.holder.words if seen.holder else "another process"
    if seen.holder is None or not seen.silent:
        return (
            f"The index in {directory} is being written by {holder}; "
            "searches still work, and changes are picked up when it has finished."
        )
    return (
        f"The index in {directory} is held by {holder}, which has given no sign of life for {seen.silent_s:.0f} s; "
        f"if it hangs, end it (process {seen.holder.pid}): searches still work, and changes are picked up then."
    )
