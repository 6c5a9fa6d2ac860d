"""Editors on Node work for a long time while everything changes under them: what grows, what stalls, what is lost.

    python -m benchmarks.soak [--minutes 30] [--model PATH] [--files 300] [--seed 1]
    python -m benchmarks.soak --kills [--scale 1] [--directory DIRECTORY]

Both TypeScript SDKs search, read, ask and embed over real servers (`codeloupe serve` on stdio) while files are edited
and an index with vectors is being made; a bare server of the same SDK is pinged beside ours by the same process, and so
shows what Node, the protocol and the machine do by themselves. Held to limits: pings never wait longer than 50 ms,
every request gets an answer or a refusal, private memory and Node's heap do not grow, nobody is left in the end.

``--kills``: 1,000 kills of model children, 100 of the service, 20 of servers meanwhile (benchmarks/soak_kills.py).
An interrupted run goes on with the same --directory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.census import MIB, SERVER, Found, belongings, counted, defunct, of_kind
from benchmarks.slopes import slope
from benchmarks.soak_kills import PATIENCE_LEFT_S, Killing, Record, table
from benchmarks.soaking import Editor, NodeClient, Place, clients, sentences, together
from tests.e2e.node_clients import Node, installed

FUNCTIONS = 10  # a file
ENOUGH = 0.95  # of chunks with a vector: so few are left to make that more is changed
STEP_S = 1.0
EDIT_EVERY = 2  # steps
WARM_UP = 0.25  # of the run: until then caches fill and pools grow
JUDGED_FROM_S = 600.0  # in a shorter run that goes on to its end, and slopes are only shown
# The echo server, the editors, and the machine's share in stalls: what the same load does to others.
CONTROLS = ("python", "node", f"{SERVER}: waited for a core")
LONGEST_GAP_MS = 50.0
MOST_PER_HOUR = {"MiB": 1.0, "": 4.0}  # surely growing faster than this is a leak


@dataclass
class Series:
    """Figures over time, by name; the unit is the name's last word where it is MiB."""

    began: float = field(default_factory=time.monotonic)
    points: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    _in_line: dict[int, tuple[float, float]] = field(default_factory=dict)

    def add(self, name: str, value: float, at: float | None = None) -> None:
        """One figure of now."""
        self.points[name].append(((at or time.monotonic()) - self.began, value))

    def sample(self, found: Sequence[Found]) -> None:
        """What each kind of process holds, on average of its processes."""
        by_kind = defaultdict(list)
        for one in found:
            with suppress(psutil.Error):
                held = belongings(one.process)  # first: a process that has just ended founds no kind
                by_kind[one.kind].append(held)
        for kind, some in by_kind.items():
            self.add(f"{kind}: private MiB", sum(one.private_mib for one in some) / len(some))
            if kind == SERVER:
                self.add(f"{kind}: descriptors", sum(one.descriptors for one in some) / len(some))
                self.add(f"{kind}: threads", sum(one.threads for one in some) / len(some))
        for one in of_kind(found, SERVER):
            self._waited(one.process)
        self.add("processes that ended and were not waited for", len(defunct(found)))

    def _waited(self, process: psutil.Process) -> None:
        """How long of each second a server's event loop stood in line for a core; known on Linux alone."""
        with suppress(OSError, IndexError):
            waited_ms = int(Path(f"/proc/{process.pid}/task/{process.pid}/schedstat").read_text().split()[1]) / 1e6
            before = self._in_line.get(process.pid, (time.monotonic(), waited_ms))
            self._in_line[process.pid] = now = time.monotonic(), waited_ms
            if now[0] > before[0]:
                self.add(f"{SERVER}: waited for a core, ms", (now[1] - before[1]) / (now[0] - before[0]))

    def judged(self) -> Iterator[tuple[str, bool]]:
        """A line for each figure, and whether it surely grows."""
        end = max((points[-1][0] for points in self.points.values()), default=0.0)
        for name, points in sorted(self.points.items()):
            warm = [(at, value) for at, value in points if at >= WARM_UP * end]
            fitted = slope([at for at, _ in warm], [value for _, value in warm])
            if fitted is None:
                continue
            most = MOST_PER_HOUR["MiB" if name.endswith("MiB") else ""]
            grows = end >= JUDGED_FROM_S and not name.startswith(CONTROLS) and fitted.grows(most)
            values = [value for _, value in warm]
            said = f"{name:46} {values[0]:8.1f} .. {values[-1]:8.1f}, at most {max(values):8.1f}"
            sure = f"{fitted.per_hour:+8.2f} an hour ({fitted.low:+.2f} to {fitted.high:+.2f}), limit {most:g}"
            yield f"{said}; {sure}{'  GROWS' if grows else ''}", grows


class Soak:
    """One run without kills."""

    def __init__(self, node: Node, place: Place, editor: Editor) -> None:
        self._node, self._place, self._editor = node, place, editor
        self._series = Series()
        self.faults: list[str] = []
        self.share = 0.0  # of chunks that have a vector
        self.over: list[str] = []  # figures beyond their limits: of this machine and its load as well

    def run(self, seconds: float) -> Iterator[str]:
        """Say what happens; ``faults`` are the broken promises, ``over`` the figures beyond their limits."""
        with clients(self._node, self._place, self._editor.paths) as editors:
            yield f"at work: {counted(self._place.members())}"
            self._series = Series()
            end = time.monotonic() + seconds
            for step in range(1, sys.maxsize):
                if time.monotonic() > end:
                    break
                self._step(step, editors)
            yield f"at the end: {counted(self._place.members())}"
        yield from self._figures(editors)
        yield from self._requests(editors)
        self.faults += [f"a {one.kind} is left: {one.process}" for one in self._place.left(PATIENCE_LEFT_S)]
        self.faults += [f"a file is left: {path}" for path in sorted(self._place.files()) if path.startswith("tmp")]

    def _step(self, step: int, editors: list[NodeClient]) -> None:
        self.share = max(float(client.last.get("share", 0.0)) for client in editors)
        if self.share > ENOUGH:
            self._editor.edit(len(self._editor.paths) // 10)
        elif step % EDIT_EVERY == 0:
            self._editor.edit(1)
        self._series.sample(self._place.members())
        time.sleep(STEP_S)

    def _figures(self, editors: list[NodeClient]) -> Iterator[str]:
        for client in editors:
            yield from self._stalls(client)
            for at, line in client.lines:
                if line["heap"] is not None:
                    self._series.add(f"Node's heap, {client.flavour}: MiB", line["heap"] / MIB, at)
        for said, grows in self._series.judged():
            self.over += [said] if grows else []
            yield said

    def _stalls(self, client: NodeClient) -> Iterator[str]:
        """The event loop as this editor saw it: seconds in which a ping waited too long."""
        lines = [line for _, line in client.lines]
        late = [line for line in lines if line["gap_ms"] > LONGEST_GAP_MS]
        alone = [line for line in late if max(line["echo_ms"], line["own_ms"]) <= LONGEST_GAP_MS]
        longest = max(line["gap_ms"] for line in lines)
        echo, own = max(line["echo_ms"] for line in lines), max(line["own_ms"] for line in lines)
        pings = sum(line["pings"] for line in lines)
        self.over += [f"{client.flavour}: {len(alone)} seconds with a gap that the others had not"] if alone else []
        yield (
            f"{client.flavour}: longest gap {longest:.1f} ms (limit {LONGEST_GAP_MS:g}; echo {echo:.1f}, Node itself "
            f"{own:.1f}) in {pings} pings; {len(late)} of {len(lines)} seconds over it, {len(alone)} without the others"
        )

    def _requests(self, editors: list[NodeClient]) -> Iterator[str]:
        total = together(editors)
        yield f"{total.sent} requests: " + ", ".join(f"{count} {end}" for end, count in total.ends.items())
        yield from (f"  {count:5} x {said}" for said, count in sentences(editors).most_common())
        broken = total.open + total.ends["lost"] + total.ends["failed"]
        self.faults += [f"{broken} requests had neither an answer nor a refusal"] if broken else []
        for client in editors:
            self.faults += [f"{client.flavour}: {said}" for said in client.last["trouble"]]
            took = {deed: max(line["took_ms"].get(deed, 0.0) for _, line in client.lines) for deed in DEEDS}
            yield f"{client.flavour}: longest " + ", ".join(f"{deed} {ms:.0f} ms" for deed, ms in took.items())


DEEDS = ("search", "read", "status", "embed", "query")


def main(arguments: Sequence[str]) -> int:
    """Print the report; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--kills", action="store_true")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of kills")
    parser.add_argument("--model", default="", help="a known model, or a path to a GGUF file")
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", type=Path, default=None, help="kept, so that an interrupted run can go on")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as scratch:
        directory: Path = asked.directory or Path(scratch)
        directory.mkdir(parents=True, exist_ok=True)
        place = Place(directory, directory / "root", asked.model)
        editor = Editor(place.root, asked.files, FUNCTIONS, asked.seed)
        return kills(place, editor, asked.scale, asked.seed) if asked.kills else soak(place, editor, asked.minutes)


def soak(place: Place, editor: Editor, minutes: float) -> int:
    """A long run; the exit code."""
    run = Soak(installed(), place, editor)
    for said in run.run(60 * minutes):
        print(said, flush=True)
    for late in run.over:
        print(f"OVER {late}")
    return max(verdict(run.faults), bool(run.over))


def kills(place: Place, editor: Editor, scale: float, seed: int) -> int:
    """A run with kills; the exit code."""
    record = Record.at(place.scratch / "kills.json")
    run = Killing(installed(), place, editor, record, seed)
    for said in run.run(scale):
        print(said, flush=True)
    for said in table(record):
        print(said)
    return verdict(run.faults)


def verdict(faults: Sequence[str]) -> int:
    """Print what was broken; the exit code."""
    for fault in faults:
        print(f"FAULT {fault}")
    print(f"{len(faults)} broken promises")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
