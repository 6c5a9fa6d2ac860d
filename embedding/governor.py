"""How much the model may do now: pure decisions on a reading of memory. The service acts on them.

Pressure is the largest of three shares: what is used of each limit, what our own processes take of their budget, and
what stalls amount to. It gives a level, and the level what may run. Up at once, down one level at a time after calm.

Two rules keep the model's own memory from chasing its own tail: what is about to be allocated is asked for first
(``admits``), and a further child is admitted only where the level would still allow it afterwards, with room to spare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from embedding.machine.budget import Budget, in_words
from embedding.pressure import Reading, Stall

MIB = 1 << 20


class Level(StrEnum):
    """How short memory is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Rung:
    """What a level allows, and the pressure from which on it is entered."""

    level: Level
    from_pressure: float
    children: int  # for documents
    batch_tokens: int  # of a decoder's call, whose private memory grows with it
    cache_bytes: int  # of query vectors


LADDER = (
    Rung(Level.LOW, 0.0, 8, 256, 8 * MIB),
    Rung(Level.MEDIUM, 0.60, 4, 128, 4 * MIB),
    Rung(Level.HIGH, 0.75, 2, 64, 2 * MIB),
    Rung(Level.CRITICAL, 0.90, 1, 64, MIB),  # 32 tokens a call: a third slower, for 10 MB
)
TOP = LADDER[-1].from_pressure
MARGIN = 0.05  # calm is pressure so far below the level's threshold; allocators and caches move it by 1 or 2 points
HOLD_S = 10.0  # calm for so long before one level down: as long as PSI averages
UNLOAD_AFTER_S = 10.0  # critical for so long, with documents paused, before the weights go too,
UNLOAD_AT = 0.95  # or at once from here: a neighbour that takes 1 GB in a second fills the rest of 16 GB in the next
# Percent of ten seconds stalled, and the pressure that is worth. A model whose weights do not fit stalls far more.
_SOME = ((0.0, 0.0), (5.0, 0.60), (15.0, 0.75), (40.0, 0.90), (100.0, 1.0))
_FULL = ((0.0, 0.0), (2.0, 0.60), (5.0, 0.75), (15.0, 0.90), (100.0, 1.0))
# Stalls are the machine's where the kernel does not tell those of our control group. Where little of every limit is
# used they are somebody else's, in a group of their own, and a pause of ours would not end them.
_STALLS_ALONE = 0.89
_BUSY_FROM, _BUSY_UNTIL = 0.60, 0.40  # share of the cores that others use


@dataclass(frozen=True, slots=True)
class Limits:
    """What was configured."""

    budget: Budget
    processes: int = 0  # model.processes: at most so many children for documents; 0: one for each core
    considerate: bool = True  # memory.considerate


@dataclass(frozen=True, slots=True)
class Busy:
    """Whether others count as busy, and since when a look says otherwise."""

    now: bool = False
    turning_since: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What may run, from one reading until the next."""

    level: Level
    pressure: float  # 0 upwards
    children: int  # for documents, at least 1 also while they are paused
    batch_tokens: int
    cache_bytes: int
    paused: bool  # no documents: their children end
    unload: bool  # no model at all: every child ends
    why: str  # the largest part of the pressure, with its figures
    since: float  # when the level was entered
    calm_since: float | None = None  # since when the pressure is well below it
    over_since: float | None = None  # since when the pressure itself is critical
    busy: Busy = Busy()


@dataclass(frozen=True, slots=True)
class Need:
    """What somebody wants to allocate."""

    what: str  # "a process of all-minilm-l6-v2", for the sentence
    private_bytes: int
    shared_bytes: int = 0  # the mapped weights, whole, whether or not another child has them mapped
    children: int = 0  # for documents there would be with this one; 0 where it is none


def decide(reading: Reading, limits: Limits, before: Decision | None, now: float) -> Decision:
    """What may run after ``reading``. ``now`` is in seconds and never goes back; ``before`` is the last decision."""
    pressure, why = pressure_of(reading, limits.budget)
    level, since, calm_since = _level(pressure, before, now)
    busy = _busy(reading.others_cpu, before.busy if before else Busy(), now)
    spared = _spared(reading, busy) if limits.considerate else ""
    rung = rung_of(level)
    over_since = _over_since(pressure, before, now)
    return Decision(
        level=level,
        pressure=pressure,
        children=_children(rung, reading, limits, halved=bool(spared)),
        batch_tokens=rung.batch_tokens,
        cache_bytes=rung.cache_bytes,
        paused=level is Level.CRITICAL,
        unload=level is Level.CRITICAL and (pressure >= UNLOAD_AT or _unloads(before, over_since, now)),
        why=why + _easing(rung, pressure) + spared,
        since=since,
        calm_since=calm_since,
        over_since=over_since,
        busy=busy,
    )


def rung_of(level: Level) -> Rung:
    """What the level allows."""
    return next(rung for rung in LADDER if rung.level is level)


def level_of(pressure: float) -> Level:
    """The level of a pressure, without regard to what was before."""
    return next(rung.level for rung in reversed(LADDER) if pressure >= rung.from_pressure)


def pressure_of(reading: Reading, budget: Budget) -> tuple[float, str]:
    """The largest part of the pressure, and that part in words."""
    parts = _shares(reading, budget)
    parts.append(_stalled(reading.stall, max(parts)[0]))
    return max(parts)


def _shares(reading: Reading, budget: Budget) -> list[tuple[float, str]]:
    parts = [(bound.share, f"{bound.name} uses {_of(bound.used_bytes, bound.limit_bytes)}") for bound in reading.bounds]
    allowed = budget.bytes_of(reading.limit_bytes)
    words = f"the model's processes take {_of(reading.own_bytes, allowed)} of memory.budget"
    return [*parts, (reading.own_bytes / max(1, allowed), words)]


def _of(used: float, whole: float) -> str:
    return f"{in_words(used)} of {in_words(whole)} ({used / max(1, whole):.0%})"


def _stalled(stall: Stall | None, used: float) -> tuple[float, str]:
    if stall is None:
        return 0.0, ""
    worth = max(_between(_SOME, stall.some), _between(_FULL, stall.full))
    worth = worth if used >= LADDER[1].from_pressure else min(worth, _STALLS_ALONE)
    return worth, f"processes wait for memory {stall.some:.0f} % of the time, all of them {stall.full:.0f} %"


def _between(points: tuple[tuple[float, float], ...], at: float) -> float:
    """The straight lines through ``points``, and their ends beyond them."""
    for (left, low), (right, high) in pairwise(points):
        if at < right:
            return low + (high - low) * max(0.0, at - left) / (right - left)
    return points[-1][1]


def _level(pressure: float, before: Decision | None, now: float) -> tuple[Level, float, float | None]:
    """The level, since when, and since when the pressure is well below it."""
    target = level_of(pressure)
    if before is None or rung_of(target).from_pressure > rung_of(before.level).from_pressure:
        return target, now, None
    rung = rung_of(before.level)
    if pressure >= rung.from_pressure - MARGIN:
        return before.level, before.since, None
    calm_since = now if before.calm_since is None else before.calm_since
    if now - calm_since < HOLD_S:
        return before.level, before.since, calm_since
    return LADDER[LADDER.index(rung) - 1].level, now, now


def _over_since(pressure: float, before: Decision | None, now: float) -> float | None:
    if pressure < TOP:
        return None
    return now if before is None or before.over_since is None else before.over_since


def _unloads(before: Decision | None, over_since: float | None, now: float) -> bool:
    """A pause was not enough. It lasts as long as the level, or the model would come back to be sent away again."""
    lasted = over_since is not None and now - over_since >= UNLOAD_AFTER_S
    return lasted or (before is not None and before.unload)


def _easing(rung: Rung, pressure: float) -> str:
    """What is missing for a better level, where the pressure alone does not explain this one."""
    if pressure >= rung.from_pressure:
        return ""
    calm = rung.from_pressure - MARGIN
    return f"; it eases below {calm:.0%}" if pressure >= calm else f"; it eases when that lasts {HOLD_S:.0f} s"


def _busy(others_cpu: float, before: Busy, now: float) -> Busy:
    """Turns only where every look said so for HOLD_S: a page that loads is not a busy machine."""
    turns = others_cpu < _BUSY_UNTIL if before.now else others_cpu >= _BUSY_FROM
    if not turns:
        return Busy(before.now)
    since = now if before.turning_since is None else before.turning_since
    return Busy(not before.now) if now - since >= HOLD_S else replace(before, turning_since=since)


def _spared(reading: Reading, busy: Busy) -> str:
    """Why half the children are spared; empty where they are not."""
    if reading.on_battery:
        return "; half the processes, for the machine runs on battery"
    return f"; half the processes, for others use {reading.others_cpu:.0%} of the cores" if busy.now else ""


def _children(rung: Rung, reading: Reading, limits: Limits, *, halved: bool) -> int:
    most = min(rung.children, max(1, reading.cores), limits.processes or rung.children)
    return max(1, most // 2 if halved else most)


def can_ever(limit_bytes: int, budget: Budget, need: Need) -> str:
    """Empty where ``need`` fits where there are ``limit_bytes``, were they free; else a sentence why it never will.

    Never above 90 % of the budget, for above that the governor would end it again.
    """
    wanted = need.private_bytes + need.shared_bytes
    if wanted < TOP * budget.bytes_of(limit_bytes):
        return ""
    enough = math.ceil(100 * wanted / TOP / max(1, limit_bytes) + 0.5)
    more = f"set memory.budget to \"{enough}%\" or more and run 'codeloupe service stop', or choose"  # it keeps its own
    advice = more if enough <= 100 else "choose"
    return (
        f"There is too little memory for {need.what}: it needs {in_words(wanted)}, and of the "
        f"{in_words(limit_bytes)} there are it may take {in_words(TOP * budget.bytes_of(limit_bytes))} "
        f'(90 % of memory.budget = "{budget.text.strip()}"); {advice} a smaller model.'
    )


def admits(
    reading: Reading, budget: Budget, need: Need, decision: Decision | None = None, promised_bytes: int = 0
) -> str:
    """Empty where ``need`` may be allocated now; else a sentence: why not, with figures, and what to do.

    ``promised_bytes`` are private bytes admitted before that no reading shows yet: of children that are starting.
    With a ``decision``, no child is admitted beyond those it allows or would allow afterwards, and nothing at all
    where it unloads; a child for queries (``children`` 0) is not kept from loading by a pause alone.
    """
    if never := can_ever(reading.limit_bytes, budget, need):
        return never
    if decision is not None and _forbids(decision, need):
        return _not_now(need, decision.why)
    pressure, why = max(_shares(_after(reading, need, promised_bytes), budget))
    if pressure >= _most(need):
        return _not_now(need, f"with it {why}, where less than {_most(need):.0%} is wanted")
    return ""


def _forbids(decision: Decision, need: Need) -> bool:
    allowed = 0 if decision.paused else decision.children
    return decision.unload or need.children > allowed


def _after(reading: Reading, need: Need, promised_bytes: int) -> Reading:
    """The reading as it would be with the need allocated and touched, every page."""
    private = need.private_bytes + promised_bytes
    weights = max(0, need.shared_bytes - reading.shared_bytes)
    bounds = tuple(replace(bound, used_bytes=bound.used_bytes + private + weights) for bound in reading.bounds)
    return replace(
        reading,
        bounds=bounds,
        private_bytes=reading.private_bytes + private,
        shared_bytes=reading.shared_bytes + weights,
    )


def _most(need: Need) -> float:
    """Pressure below which the need must leave us: where the level that forbids so many children is well away."""
    forbidding = (rung.from_pressure for rung in LADDER if rung.children < need.children)
    return min(forbidding, default=TOP + MARGIN) - MARGIN


def _not_now(need: Need, why: str) -> str:
    wanted = need.private_bytes + need.shared_bytes
    return (
        f"There is no memory now for {need.what}, {in_words(wanted)}: {why}; "
        "it is tried again when there is more, so close something large or wait."
    )
