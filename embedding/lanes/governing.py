"""Governing: reads memory every second while the model runs, keeps what was decided, and has it done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from embedding.errors import MemoryShortError
from embedding.files.footprint import Footprint, estimate
from embedding.governor import Decision, Limits, Need, admits, can_ever, decide
from embedding.machine.budget import Budget
from embedding.model import Pooling
from embedding.model_run import ModelRun
from embedding.pressure import Reading
from embedding.wire import Load

EVERY_S = 1.0  # a reading costs .5 ms
AT_REST_S = 30.0  # while no child runs
# A child touches what it was started for within its first pieces of work; so long its estimate counts in full.
PROMISED_S = 30.0

Clock = Callable[[], float]
Read = Callable[[Sequence[int]], Reading]


@dataclass(frozen=True, slots=True)
class _Promise:
    """Memory that was admitted."""

    at: float
    private_bytes: int
    private_before: int  # what our processes had then


class Governing:
    """Thread-safe. ``tend`` is called with each decision, from a thread of its own."""

    def __init__(
        self,
        run: ModelRun,
        pids: Callable[[], list[int]],
        tend: Callable[[Decision], None],
        read: Read,
        clock: Clock = time.monotonic,
    ) -> None:
        self._run = run
        self._pids = pids
        self._tend = tend
        self._clock = clock
        self._read = read
        self._budget = Budget.parse(run.memory.budget)
        self._limits = Limits(self._budget, run.settings.processes, run.memory.considerate)
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._ended = False
        self._refused = ""  # why the last document child was not started
        self._promises: list[_Promise] = []
        self._footprints: dict[tuple[int, bool], Footprint] = {}
        self._reading, self._decision = self._decided(None)

    @property
    def decision(self) -> Decision:
        """What may run now."""
        return self._decision

    @property
    def budget_bytes(self) -> int:
        """What the model and its processes may take."""
        return int(self._budget.bytes_of(self._reading.limit_bytes))

    @property
    def paused(self) -> str:
        """Why documents wait for memory; "" where they need not."""
        return self._decision.why if self._decision.paused else self._refused

    def begin(self) -> None:
        """Look from now on."""
        threading.Thread(target=self._watch, name="governor", daemon=True).start()

    def look(self) -> tuple[Reading, Decision]:
        """A reading of this moment, and what it leads to."""
        with self._lock:
            self._reading, self._decision = self._decided(self._decision)
            return self._reading, self._decision

    def forget_refusal(self) -> None:
        """Nothing waits for the memory that was refused."""
        self._refused = ""

    def permitted(self, load: Load, children: int) -> Load:
        """``load`` as it may be started now, the ``children``-th for documents (0: for queries).

        Raises MemoryShortError with the reason, and whether it might be otherwise at another time.
        """
        reading, decision = self.look()
        load = self._sized(load, decision)
        need = self._need(load, children)
        with self._lock:
            promised = self._outstanding(reading.private_bytes)
            said = admits(reading, self._budget, need, decision, promised)
            self._refused = said if children else self._refused
            if said:
                ever = not can_ever(reading.limit_bytes, self._budget, need)
                raise MemoryShortError(said, ever=ever)
            self._promises.append(_Promise(self._clock(), need.private_bytes, reading.private_bytes))
        self._awake.set()
        return load

    def _sized(self, load: Load, decision: Decision) -> Load:
        """A decoder's batch is no larger than the level allows; an encoder reads a text at once."""
        allowed = decision.batch_tokens
        return replace(load, batch=min(load.batch or allowed, allowed)) if load.pooling == Pooling.LAST else load

    def _need(self, load: Load, children: int) -> Need:
        footprint = self._footprints.get((load.batch, load.repack))
        if footprint is None:
            footprint = estimate(self._run.header(), load.window, load.batch, repack=load.repack)
            self._footprints[load.batch, load.repack] = footprint
        what = f"a process of {self._run.name}"
        return Need(what, footprint.private_bytes, footprint.shared_bytes, children)

    def _outstanding(self, private: int) -> int:
        """Private bytes that were admitted and that no reading shows yet, where one now shows ``private``."""
        old = self._clock() - PROMISED_S
        self._promises = [promise for promise in self._promises if promise.at > old]
        if not self._promises:
            return 0
        seen = max(0, private - self._promises[0].private_before)
        return max(0, sum(promise.private_bytes for promise in self._promises) - seen)

    def _decided(self, before: Decision | None) -> tuple[Reading, Decision]:
        reading = self._read(self._pids())
        return reading, decide(reading, self._limits, before, self._clock())

    def _watch(self) -> None:
        while not self._ended:
            _, decision = self.look()
            self._tend(decision)
            self._awake.wait(AT_REST_S if self._rests() else EVERY_S)
            self._awake.clear()

    def _rests(self) -> bool:
        """Whether no child runs, is being started, or waits for memory."""
        with self._lock:
            old = self._clock() - PROMISED_S
            starting = any(promise.at > old for promise in self._promises)
        return not (starting or self._pids() or self.paused)

    def close(self) -> None:
        """Look no more."""
        self._ended = True
        self._awake.set()
