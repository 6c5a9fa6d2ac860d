"""benchmarks/governing.py by arithmetic: real decisions, and a service whose processes are numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.governing_moments import CHILDREN, LENGTH_S, Moment, neighbours_at
from embedding.governor import Decision, Limits, Need, admits, decide
from embedding.machine.budget import Budget
from embedding.pressure import Bound, Reading

LIMIT = 16_000_000_000
WEIGHTS, CHILD, SERVICE = 4_375_000_000, 400_000_000, 60_000_000  # nomic-embed-code Q4_K_M, not repacked
EVERY_S = 1.0
BUDGET = Budget.parse("100%")


@dataclass(slots=True)
class _Service:
    """What would run."""

    documents: int = 0
    asks: bool = False  # the child for queries

    @property
    def private(self) -> int:
        return SERVICE + CHILD * (self.documents + self.asks)

    @property
    def shared(self) -> int:
        return WEIGHTS if self.documents or self.asks else 0

    def obey(self, reading: Reading, decision: Decision) -> bool:
        """End what is too much, start what may be; whether a query was answered."""
        if decision.unload:
            self.documents, self.asks = 0, False
        self.documents = min(self.documents, 0 if decision.paused else decision.children)
        promised = 0
        if not self.asks and not self._refused(reading, decision, 0, promised):
            self.asks = True
            promised += CHILD
        while not self._refused(reading, decision, self.documents + 1, promised):
            self.documents += 1
            promised += CHILD
        return self.asks

    @staticmethod
    def _refused(reading: Reading, decision: Decision, children: int, promised: int) -> str:
        return admits(reading, BUDGET, Need("a process", CHILD, WEIGHTS, children), decision, promised)


def simulated(
    neighbours: Callable[[float], int] = lambda at_s: neighbours_at(at_s, LIMIT), seconds: float = LENGTH_S
) -> list[Moment]:
    """Every second of the schedule; ``neighbours`` says the bytes that others hold then."""
    service, limits, decision = _Service(), Limits(BUDGET), None
    moments: list[Moment] = []
    queries = failed = texts = 0
    for step in range(int(seconds / EVERY_S) + 1):
        at_s = step * EVERY_S
        reading = _reading(neighbours(at_s), service)
        decision = decide(reading, limits, decision, at_s)
        answered = service.obey(reading, decision)
        queries, failed, texts = queries + answered, failed + (not answered), texts + service.documents
        after = _reading(neighbours(at_s), service)
        used = max(reading.used_bytes, after.used_bytes)
        moments.append(
            Moment(
                at_s=at_s,
                level=str(decision.level),
                allowed=0 if decision.paused else decision.children,
                running=service.documents,
                loaded=service.asks or service.documents > 0,
                unload=decision.unload,
                neighbours=neighbours(at_s),
                own=after.own_bytes,
                used=used,
                limit=LIMIT,
                limit_hits=(moments[-1].limit_hits if moments else 0) + (used >= LIMIT),
                texts=texts,
                queries=queries,
                failed_queries=failed,
                why=decision.why,
            )
        )
    return moments


def _reading(neighbours: int, service: _Service) -> Reading:
    used = neighbours + service.private + service.shared
    return Reading((Bound("this machine", LIMIT, used),), service.private, service.shared, cores=CHILDREN)
