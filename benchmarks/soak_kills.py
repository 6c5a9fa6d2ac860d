"""Model children, services and servers get SIGKILL at random moments while editors work: nothing is lost or left.

Rounds of kills of one kind after the other. One server is never killed, so that what leaks can be seen in it; after a
kill of anything its children must end by themselves.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from random import Random

import psutil

from benchmarks.census import CHILD, JOB, SERVER, SERVICE, Belongings, Found, belongings, counted, defunct, of_kind
from benchmarks.soak_index import ask, different_rows, rows
from benchmarks.soaking import Editor, NodeClient, Place, Tally, clients, sentences, together
from tests.e2e.node_clients import Node

KILLS = {CHILD: 1000, SERVICE: 100, SERVER: 20, JOB: 20}
PACE_S = {CHILD: 0.4, SERVICE: 1.5, SERVER: 3.0, JOB: 2.0}  # between recovery from one and the next, on average
RECOVERY_S = 90.0  # until there are vectors again: three kills in a row and the model is left alone for half a minute
ROUNDS = 10
GRACE_S = 15.0  # for the children of what was killed: an indexing child may need ten to finish its commit
REAPED_S = 40.0  # an idle child that died is noticed at the next look of what keeps it
VICTIM_S = 60.0  # until there is one to kill
SAMPLES = 5
WARM_UP_S = 60.0  # before what the survivor holds is noted: pools and caches fill until then
JUDGED_FROM = 0.2  # of the kills: fewer end while they still fill
# What the server that lives through all of it may hold more of in the end: what is in flight differs from second to
# second, and a thread pool grows to its bound.
MOST_DESCRIPTORS, MOST_THREADS, MOST_MIB, MOST_FILES = 8, 10, 24.0, 4


@dataclass
class Row:
    """Kills of one kind, and what they came to."""

    kills: int = 0
    requests: int = 0
    errors: int = 0
    lost: int = 0
    orphans: int = 0

    def take(self, tally: Tally) -> None:
        """Count the requests of a phase."""
        self.requests += tally.ends.total()
        self.errors += tally.errors
        self.lost += tally.ends["lost"]


@dataclass
class Record:
    """The table so far; kept in a file, so that a run can go on where it was interrupted."""

    path: Path
    rows: dict[str, Row] = field(default_factory=dict)

    @classmethod
    def at(cls, path: Path) -> Record:
        """What ``path`` holds, or a new one."""
        rows = json.loads(path.read_text("utf-8")) if path.exists() else {}
        return cls(path, {kind: Row(**row) for kind, row in rows.items()})

    def row(self, kind: str) -> Row:
        """The row of one kind."""
        return self.rows.setdefault(kind, Row())

    def save(self) -> None:
        """Write it down."""
        self.path.write_text(json.dumps({kind: asdict(row) for kind, row in self.rows.items()}), "utf-8")


class Killer:
    """Kills by kind, and sees to it that nobody survives a dead parent."""

    def __init__(self, place: Place, survivor: NodeClient, random: Random) -> None:
        self._place, self._survivor, self._random = place, survivor, random
        self._doomed: list[tuple[float, Found]] = []

    def kill(self, kind: str) -> bool:
        """End one of ``kind``; False where none has come for VICTIM_S."""
        end = time.monotonic() + VICTIM_S
        while time.monotonic() < end:
            found = self._place.members()
            victims = [one for one in of_kind(found, kind) if one.pid != self._survivor.server]
            if victims and self._kill(self._random.choice(victims), found):
                return True
            time.sleep(0.05)
        return False

    def _kill(self, victim: Found, found: list[Found]) -> bool:
        with suppress(psutil.Error):
            below = {child.pid for child in victim.process.children(recursive=True)}
            apart = [one for one in of_kind(found, SERVICE) if one.pid in below]
            for service in apart:  # it is everybody's, whoever started it
                below -= {service.pid, *(child.pid for child in service.process.children(recursive=True))}
            now = time.monotonic()
            self._doomed += [(now, one) for one in found if one.pid in below]
            victim.process.kill()
            return True
        return False  # it has ended by itself meanwhile

    def orphans(self) -> list[Found]:
        """Those that should have ended by now and have not; each is told of once."""
        now = time.monotonic()
        alive = [(since, one) for since, one in self._doomed if lives(one.process)]
        late = [one for since, one in alive if now - since > GRACE_S]
        self._doomed = [(since, one) for since, one in alive if now - since <= GRACE_S]
        return late

    def settle(self) -> list[Found]:
        """Give all of them their time; those that are left."""
        end = time.monotonic() + GRACE_S + 1
        while any(lives(one.process) for _, one in self._doomed) and time.monotonic() < end:
            time.sleep(0.1)
        return self.orphans()


def lives(process: psutil.Process) -> bool:
    """Whether it runs; one that its parent has not waited for does not."""
    with suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def kinds() -> list[str]:
    """What there is to kill."""
    return [kind for kind in KILLS if kind != SERVICE or find_spec("embedding.shared.serving")]


def held(client: NodeClient, seconds: int) -> Belongings:
    """What the server of a client holds while it works: medians of some seconds."""
    process = psutil.Process(client.server)
    samples = []
    for _ in range(seconds):
        samples.append(belongings(process))
        time.sleep(1.0)
    return Belongings(
        statistics.median(one.private_mib for one in samples),
        round(statistics.median(one.descriptors for one in samples)),
        round(statistics.median(one.threads for one in samples)),
    )


def grown(before: Belongings, after: Belongings) -> list[str]:
    """What the survivor holds too much of."""
    found = []
    for what, first, last, most in (
        ("descriptors", before.descriptors, after.descriptors, MOST_DESCRIPTORS),
        ("threads", before.threads, after.threads, MOST_THREADS),
        ("MiB of private memory", before.private_mib, after.private_mib, MOST_MIB),
    ):
        if last - first > most:
            found.append(f"the server that was never killed went from {first:.0f} to {last:.0f} {what}")
    return found


class Killing:
    """A run: rounds of kills with editors at work, then the look at what is left."""

    def __init__(self, node: Node, place: Place, editor: Editor, record: Record, seed: int, pace: float = 1.0) -> None:
        """``pace``: the time between kills, as a share of the usual."""
        self._node, self._place, self._editor, self._record = node, place, editor, record
        self._pace = pace
        self._random = Random(seed + sum(row.kills for row in record.rows.values()))
        self.faults: list[str] = []

    def run(self, scale: float) -> Iterator[str]:
        """Say what happens; ``faults`` are the broken promises."""
        wanted = {kind: max(1, round(KILLS[kind] * scale)) for kind in kinds()}
        with clients(self._node, self._place, self._editor.paths) as editors:
            survivor = editors[0]
            yield f"at work: {counted(self._place.members())}"
            time.sleep(min(WARM_UP_S, WARM_UP_S * scale))
            seconds = SAMPLES if scale >= JUDGED_FROM else 1
            first_server, before, lying = survivor.server, held(survivor, seconds), self._place.files()
            killer = Killer(self._place, survivor, self._random)
            rounds = max(1, min(ROUNDS, round(ROUNDS * scale)))
            for number in range(1, rounds + 1):
                for kind, count in wanted.items():
                    yield self._phase(killer, editors, kind, round(count * number / rounds))
            yield from self._after(survivor, before, lying, seconds=seconds)
            self.faults += ["the survivor did not survive"] if survivor.server != first_server else []
        yield from self._requests(editors)
        yield from self._in_the_end()

    def _phase(self, killer: Killer, editors: list[NodeClient], kind: str, until: int) -> str:
        row = self._record.row(kind)
        before = together(editors)
        while row.kills < until:
            self._editor.edit(1)
            time.sleep(self._pace * self._random.expovariate(1 / PACE_S[kind]))
            made = vectors_made(editors)
            if not killer.kill(kind):
                self.faults.append(f"no {kind} came up for {VICTIM_S:.0f} s")
                break
            row.kills += 1
            self._left(kind, killer.orphans())
            self._recover(kind, editors, made)
        self._left(kind, killer.settle())
        row.take(together(editors).since(before))
        self._record.save()
        return f"{kind}: {row.kills} killed"

    def _recover(self, kind: str, editors: list[NodeClient], made: int) -> None:
        """Wait until some editor was given vectors again."""
        end = time.monotonic() + RECOVERY_S
        while vectors_made(editors) <= made:
            if time.monotonic() > end:
                self.faults.append(f"after a kill of a {kind}, nobody was given a vector for {RECOVERY_S:.0f} s")
                return
            time.sleep(0.05)

    def _left(self, kind: str, orphans: list[Found]) -> None:
        self._record.row(kind).orphans += len(orphans)
        self.faults += [f"after a kill of a {kind}, a {one.kind} was left: {one.process}" for one in orphans]

    def _after(self, survivor: NodeClient, before: Belongings, lying: set[str], *, seconds: int) -> Iterator[str]:
        after = held(survivor, seconds)
        yield f"the server that was never killed held {before}, holds {after}"
        self.faults += grown(before, after) if seconds == SAMPLES else []
        new = sorted(self._place.files() - lying)
        yield f"files that were not there before: {', '.join(new) or 'none'}"
        self.faults += [f"{len(new)} files more than before"] if len(new) > MOST_FILES else []
        zombies = unreaped(self._place)
        yield f"ended and not waited for: {', '.join(sorted(zombies)) or 'none'}"
        self.faults += [f"nobody waits for the process {one}, which has ended" for one in sorted(zombies)]

    def _requests(self, editors: list[NodeClient]) -> Iterator[str]:
        total = together(editors)
        yield f"{total.sent} requests: " + ", ".join(f"{count} {end}" for end, count in total.ends.items())
        yield from (f"  {count:5} x {said}" for said, count in sentences(editors).most_common())
        lost = total.ends["lost"] + total.open
        self.faults += [f"{lost} requests were lost"] if lost else []
        for client in editors:
            self.faults += [f"{client.flavour}: {said}" for said in client.last["trouble"]]

    def _in_the_end(self) -> Iterator[str]:
        """The index is whole, its answers are those of one that nobody disturbed, and everybody has gone."""
        disturbed, root = ask(self._place)
        yield f"in the end: {root['chunks']} chunks, {root['state']}, vectors {root['coverage']['vectors']:.0%}"
        if root["state"] != "current" or root["coverage"]["vectors"] != 1:
            self.faults.append(f"the index is not complete: {root['state']}, {root['coverage']}, {root['notes']}")
        quiet = Place(self._place.scratch / "quiet", self._place.root, self._place.model, self._place.settings)
        wanted, _ = ask(quiet)
        for query, found in disturbed.items():
            different = found.differs(wanted[query])
            self.faults += [f"{query!r} does not find what it should: {different}"] if different else []
        self.faults += different_rows(rows(self._place), rows(quiet))
        for place in (self._place, quiet):
            left = place.left(PATIENCE_LEFT_S)
            self.faults += [f"a {one.kind} is left in the end: {one.process}" for one in left]
            self.faults += [f"a file is left: {path}" for path in sorted(place.files()) if path.startswith("tmp")]


PATIENCE_LEFT_S = 30.0  # the service may stay as long after its last user


def vectors_made(editors: list[NodeClient]) -> int:
    """How often a model has answered an editor."""
    counts = [client.last.get("outcomes", {}).get(deed, {}) for client in editors for deed in ("embed", "query")]
    return sum(int(count.get("answered", 0)) for count in counts)


def unreaped(place: Place) -> set[str]:
    """The processes that had ended and were not waited for during all of some seconds."""
    end = time.monotonic() + REAPED_S
    waiting = set(defunct(place.members()))
    while waiting and time.monotonic() < end:
        time.sleep(0.5)
        waiting &= set(defunct(place.members()))
    return waiting


def table(record: Record) -> Iterator[str]:
    """One line a kind."""
    yield f"{'killed':16}{'kills':>7}{'requests':>10}{'errors':>8}{'lost':>6}{'orphans':>9}"
    for kind, row in record.rows.items():
        yield f"{kind:16}{row.kills:7}{row.requests:10}{row.errors:8}{row.lost:6}{row.orphans:9}"
