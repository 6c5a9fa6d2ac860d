"""What a second and a third server cost, beside the first, with the real model and the embedding service they share.

    python -m benchmarks.attached [CHUNKS] [--apart] [--rest]

Real servers over stdio on one root, or with ``--apart`` each on a root of its own, started one after the other; each
figure is read when nothing is asked, after the first search, and after a hundred. *Alone* is memory no other process
has (USS; a library's pages count here until a second process maps them), *resident* is what the system says of the
process, *share* counts each page shared by n processes as an nth (PSS), so that shares add up. What the servers share
of the model, its service and the children that run llama.cpp, is counted once, apart. With ``--rest`` the servers are
looked at once more when nobody has asked them for two minutes. Nothing is written into the tree.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.serving import CHUNKS, SERVER, Peer, Table, environment, phrase, plant
from mcp_server.resting import LOOK_S, REST_S

SERVERS = 3
SEARCHES = 100
OWN_LIMIT_MIB = 60.0  # of the second and of each further server
RESIDENT_LIMIT_MIB = 300.0
MIB = 2**20

SETTLED_MIB, SETTLED_FOR, EVERY_S, LOOKS = 0.2, 8, 0.25, 240  # nothing moves for 2 s, waited for a minute at most


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process or of several together, in MiB; ``share`` is None where the system knows no PSS."""

    alone: float
    resident: float
    share: float | None

    def __add__(self, other: Memory) -> Memory:
        share = None if self.share is None or other.share is None else self.share + other.share
        return Memory(self.alone + other.alone, self.resident + other.resident, share)

    def __str__(self) -> str:
        share = "" if self.share is None else f"{self.share:8.1f} share"
        return f"{self.alone:8.1f} alone {self.resident:8.1f} resident {share}"


NOTHING = Memory(0.0, 0.0, 0.0)


def memory_of(pid: int) -> Memory:
    """What a process holds now; nothing where it has just ended."""
    with contextlib.suppress(psutil.Error):
        full = psutil.Process(pid).memory_full_info()
        share = getattr(full, "pss", None)
        return Memory(full.uss / MIB, full.rss / MIB, None if share is None else share / MIB)
    return NOTHING


def settled(pid: int) -> Memory:
    """What a process holds once that no longer changes, or after a minute."""
    last, still = memory_of(pid), 0
    for _ in range(LOOKS):
        time.sleep(EVERY_S)
        now = memory_of(pid)
        still = still + 1 if abs(now.alone - last.alone) < SETTLED_MIB else 0
        last = now
        if still == SETTLED_FOR:
            break
    return last


def model_processes(home: str) -> Iterator[tuple[str, int]]:
    """What runs the model for the user of ``home``: module and process id, whoever started it."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            line = process.cmdline()
            name = next((part for part in line if part.startswith("embedding.")), "")
            if name and process.environ().get("HOME") == home:
                yield name, process.pid


def model_memory(home: str) -> dict[str, Memory]:
    """What runs the model, by what it is."""
    held: dict[str, Memory] = {}
    for name, pid in model_processes(home):
        held[name] = held.get(name, NOTHING) + memory_of(pid)
    return held


def index(root: Path, user: dict[str, str]) -> None:
    """Index ``root`` whole, by a process that ends."""
    line = [sys.executable, "-P", "-m", "mcp_server.cli", "index", str(root)]
    print(subprocess.run(line, env=user, cwd=user["HOME"], check=True, capture_output=True, text=True).stdout.strip())


def questions() -> list[str]:
    """A hundred of which no two are the same."""
    return [" ".join(phrase(number * 37)) + f" number {number}" for number in range(SEARCHES)]


def work(peer: Peer) -> Iterator[tuple[str, Memory]]:
    """A server's life, and what it holds at three moments of it."""
    yield "idle", settled(peer.pid)
    peer.call("search", query="load an order")
    yield "after the first search", settled(peer.pid)
    for query in questions():
        peer.call("search", query=query)
    yield f"after {SEARCHES} searches", settled(peer.pid)


def attach(roots: list[Path], user: dict[str, str], table: Table, *, resting: bool) -> None:
    """Start a server for each of ``roots``, each while the ones before it stay, and report what each one adds."""
    with contextlib.ExitStack() as open_servers:
        peers: list[Peer] = []
        before = 0.0
        for number, root in enumerate(roots, 1):
            peer = Peer([*SERVER, str(root)], user)
            open_servers.callback(peer.close)
            peers.append(peer)
            for moment, memory in work(peer):
                print(f"server {number}, {moment:24} {memory}", flush=True)
            total = _report(number, peers, before, table)
            before = total
        for name, memory in sorted(model_memory(user["HOME"]).items()):
            print(f"{name:34} {memory}", flush=True)
        if resting:
            time.sleep(REST_S + 2 * LOOK_S)
            for number, peer in enumerate(peers, 1):
                print(f"server {number}, {'at rest':24} {memory_of(peer.pid)}", flush=True)


def _report(number: int, peers: list[Peer], before: float, table: Table) -> float:
    """The newest server's figures beside their limits; the shares of all servers together."""
    newest = memory_of(peers[-1].pid)
    total = sum((memory_of(peer.pid) for peer in peers), NOTHING).share or 0.0
    table.add(f"server {number}, resident", newest.resident, "MiB", RESIDENT_LIMIT_MIB)
    if number > 1:
        table.add(f"server {number}, its own alone", newest.alone, "MiB", OWN_LIMIT_MIB)
        table.add(f"what server {number} adds to the shares of all", total - before, "MiB")
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chunks", type=int, nargs="?", default=CHUNKS)
    parser.add_argument("--apart", action="store_true", help="a root of its own for each server")
    parser.add_argument("--rest", action="store_true", help="wait until the servers have let go of what they keep")
    options = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        scratch = Path(directory)
        user = environment(scratch / "home")
        names = ("one", "two", "three") if options.apart else ("one",)
        roots = [plant(scratch / name, options.chunks // 10, 10) for name in names]
        for root in roots:
            index(root, user)
        attach(roots if options.apart else roots * SERVERS, user, table, resting=options.rest)
    return 0 if table.kept else 1


if __name__ == "__main__":
    sys.exit(main())
