"""Running a model in the ways there are to choose from (embedding/child/tuning.py), for a short time each.

What documents cost is told in processor time, which other work on the machine disturbs least; what a query takes, on
the clock, for more threads take more processor time, not less.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import psutil

from embedding.child.tuning import Measurements, Tuning, choose, quickest, remember, remembered
from embedding.errors import EmbeddingError, EmbeddingTimeoutError, ModelFailedError
from embedding.files.footprint import estimate
from embedding.files.header import GgufHeader
from embedding.gguf import read_header
from embedding.model_run import LARGE_FILE_BYTES
from embedding.process import Child
from embedding.wire import Load, texts_frame

_log = logging.getLogger(__name__)

LIMIT_S = 30.0  # for all of it; docs/models.md says what it takes
AGAIN_S = 86_400.0  # after which what a busy machine let be measured is measured again
_LEAST_PROCESSOR_S = 0.25  # it is counted in ticks of 10 ms
_MOST_TEXTS = 64
_QUERIES_S = 0.3
_LEAST_QUERIES, _MOST_QUERIES = 2, 60
_QUIET = 0.7  # of the cores it could use, so much must have been ours or idle
_LOOK_S = 0.2
_PLAIN_TYPES = frozenset((0, 1, 30))  # F32, F16, BF16 (ggml_type): nothing to repack
_DOCUMENT = "def parse_header(path):\n    return dict(line.split('=', 1) for line in path.open() if '=' in line)\n"
_QUERY = "Represent this query for searching relevant code: where is the header of a file parsed"

Start = Callable[[Load], Child]


def tuned(load: Load, cores: int, otherwise: Tuning, may: Callable[[int], bool], start: Start = Child) -> Tuning:
    """How to run the model of ``load`` on this machine: as remembered, else measured in up to LIMIT_S seconds.

    ``otherwise`` is how it runs where the time was too short to tell; ``may`` says whether a child may take so many
    bytes of private memory; ``start`` starts one (and may keep it, to hold or to kill it meanwhile). Raises what
    ``start`` does, and ModelFailedError where the model dies.
    """
    path = Path(load.path)
    if (known := remembered(path, cores)) is not None:
        return known
    measured = measure(load, cores, may, start)
    chosen = choose(measured, otherwise)
    _log.info("%s runs with %s, chosen of %s.", path, chosen, measured)
    remember(path, cores, chosen, None if measured.complete else time.time() + AGAIN_S)
    return chosen


def worth_trying(path: Path) -> bool:
    """Whether anything is to be gained: a small model without quantised weights is quick in the plainest way."""
    header = read_header(path)
    return header.tensor_bytes > LARGE_FILE_BYTES or _can_repack(header)


def measure(
    load: Load, cores: int, may: Callable[[int], bool], start: Start = Child, limit_s: float = LIMIT_S
) -> Measurements:
    """Try what there is to choose from, one child at a time, until the time is over or nothing is to be gained.

    Raises as ``tuned`` does.
    """
    trial = _Trial(start, replace(load, threads=1, repack=False), time.monotonic() + limit_s)
    if not _is_quiet(min(cores, 2)):
        return Measurements({}, {}, sound=False)
    with suppress(EmbeddingTimeoutError):
        trial.single()
        for threads in _thread_counts(cores):
            if not trial.quiet or quickest(trial.query_s) != max(trial.query_s):
                break
            trial.threads(threads)
        trial.sound = trial.quiet
        header = read_header(Path(load.path))  # last, for loading takes longest
        if trial.sound and _can_repack(header) and may(_repacked_bytes(header, load)):
            trial.repacked()
    return Measurements(trial.token_s, trial.query_s, trial.sound)


def _thread_counts(cores: int) -> list[int]:
    return [threads for threads in (2, 4, 8) if threads <= cores]


def _can_repack(header: GgufHeader) -> bool:
    return any(tensor.type not in _PLAIN_TYPES for tensor in header.tensors)


def _repacked_bytes(header: GgufHeader, load: Load) -> int:
    return estimate(header, load.window, load.batch, repack=True).private_bytes


@dataclass(slots=True)
class _Trial:
    """Children, one at a time, none of them beyond ``end`` (by time.monotonic), and what was found with them."""

    start: Start
    plain: Load  # one thread, nothing repacked
    end: float
    texts: list[str] = field(default_factory=lambda: [_DOCUMENT])
    token_s: dict[bool, float] = field(default_factory=dict)
    query_s: dict[int, float] = field(default_factory=dict)
    quiet: bool = True  # so far
    sound: bool = False

    def single(self) -> None:
        """What documents and a query cost the plain way; takes as many texts as a processor's time can be told of."""
        with self._child(self.plain) as child:
            with self._watched(child, 1):
                seconds, tokens = self._cost(child)
                while seconds < _LEAST_PROCESSOR_S and len(self.texts) < _MOST_TEXTS:
                    self.texts *= 2
                    seconds, tokens = self._cost(child)
            self.token_s[False] = seconds / tokens
            if self.quiet:
                self._ask_queries(child, 1)

    def threads(self, threads: int) -> None:
        """What a query costs with so many."""
        with self._child(replace(self.plain, threads=threads)) as child:
            self._ask_queries(child, threads)

    def repacked(self) -> None:
        """What documents cost with weights repacked; not told where that takes too long or ends the child."""
        with suppress(EmbeddingError), self._child(replace(self.plain, repack=True)) as child:
            seconds, tokens = self._cost(child)
            self.token_s[True] = seconds / tokens

    @contextmanager
    def _child(self, load: Load) -> Iterator[Child]:
        """A child that has read all its weights once."""
        child = self.start(load)
        try:
            self._ask(child, "query", ["warm"])
            yield child
        finally:
            child.kill()

    def _ask(self, child: Child, kind: str, texts: list[str]) -> int:
        """How many tokens were read."""
        answer = child.ask(texts_frame(kind, texts), max(0.0, self.end - time.monotonic()))
        if "error" in answer.header:
            raise EmbeddingError(f"The model failed while it was tried: {answer.header['error']}")
        return int(answer.header["tokens"])

    def _cost(self, child: Child) -> tuple[float, int]:
        before = _processor_s(child)
        tokens = self._ask(child, "document", self.texts)
        return _processor_s(child) - before, tokens

    def _ask_queries(self, child: Child, threads: int) -> None:
        taken: list[float] = []
        with self._watched(child, threads):
            while len(taken) < _LEAST_QUERIES or (sum(taken) < _QUERIES_S and len(taken) < _MOST_QUERIES):
                before = time.perf_counter()
                self._ask(child, "query", [_QUERY])
                taken.append(time.perf_counter() - before)
        self.query_s[threads] = median(taken)

    @contextmanager
    def _watched(self, child: Child, threads: int) -> Iterator[None]:
        """Notice whether other programs take the cores that so many threads would have."""
        since, before = time.perf_counter(), _processor_s(child) + _idle_s()
        yield
        left = (_processor_s(child) + _idle_s() - before) / (time.perf_counter() - since)
        self.quiet = self.quiet and left >= _QUIET * threads


def _processor_s(child: Child) -> float:
    try:
        times = psutil.Process(child.pid).cpu_times()
    except psutil.Error as error:  # memory was short, and it was ended between two requests
        raise ModelFailedError("The process on trial has ended.") from error
    return float(times.user + times.system)


def _is_quiet(threads: int) -> bool:
    """Whether that many cores have nothing to do, by a short look."""
    since, before = time.perf_counter(), _idle_s()
    time.sleep(_LOOK_S)
    return _idle_s() - before >= _QUIET * threads * (time.perf_counter() - since)


def _idle_s() -> float:
    """Seconds that the cores of this machine, added up, had nothing to do."""
    times = psutil.cpu_times()
    return float(times.idle + getattr(times, "iowait", 0.0))
