"""What the shared embedding service gives, beside bare llama.cpp and beside its limits: texts a second, a query's time.

    python -m benchmarks service [--model PATH] [--seconds N] [--rounds N]

Texts are code of this repository, cut at 200 tokens of the model at hand. Everything is measured in turns within a
round, so that other work on the machine hits all ways alike, and ratios are medians over rounds. *Processor* is what
the work costs, client and service included: the figure that other work disturbs least. *Neighbours* are processes that
spin at nice 0, one for each core, in a session of their own as the service is in its own. Where a limit is missed the
exit code is 1.
"""

from __future__ import annotations

import argparse
import itertools
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import platformdirs
import psutil

from benchmarks.bare import Bare, Event, together, vocabulary
from embedding.child.layout import BATCH
from embedding.client import ServiceEmbedder, SharedEmbedder
from embedding.gguf import complete_spec, read_header
from embedding.model import DEFAULT_MODEL, spec_for
from embedding.model_run import usable_cores
from embedding.open import wanted_file
from embedding.settings import MemorySettings, ModelSettings
from embedding.shared.state import ServiceState
from embedding.wire import Load

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("embedding", "indexer", "mcp_server", "storage")
TOKENS, TEXTS = 200, 240
MOST_TOKENS_A_WORD = 20  # nearly: what is a word here may be a long expression
LARGE_BYTES = 500_000_000  # a model of that size takes seconds for a text
QUERIES = 100
EDGE = 0.8  # of a turn is looked at: it ends while some are at work and others are not
LEAST_TEXTS_PER_S, LEAST_OF_BARE, LEAST_BESIDE, MOST_QUERY_MS = 30.0, 0.9, 0.45, 100.0
MOST_LARGE_QUERY_MS = 2000.0
PATIENCE_S = 60.0

Work = Callable[[float], list[Event]]


@dataclass
class Figures:
    """Prints what was measured, and knows whether every limit was kept."""

    kept: bool = True

    def add(self, what: str, value: str, limit: str = "", *, met: bool = True) -> None:
        self.kept = self.kept and met
        print(f"{what:62} {value:>22}  {limit:16}{'' if met else 'MISSED'}".rstrip(), flush=True)


@dataclass(frozen=True)
class Case:
    """The model, and how long it is looked at."""

    model: ModelSettings
    load: Load
    texts: list[str]
    tokens: float  # of a text, in the mean
    piece: int  # texts of a request
    seconds: float  # of a turn
    rounds: int
    queries: int
    large: bool

    def pieces(self) -> list[list[str]]:
        return [self.texts[at : at + self.piece] for at in range(0, len(self.texts), self.piece)]


def code() -> str:
    """This repository's own."""
    files = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def texts_of(load: Load) -> tuple[list[str], float]:
    """Pieces of code of TOKENS tokens, the model's own included, and how many they have in the mean."""
    reader = vocabulary(load)
    words = re.findall(r"\s*\S+", code())
    texts: list[str] = []
    counts: list[int] = []
    at = 0
    while len(texts) < TEXTS:
        end = at + TOKENS  # a word is a token at least
        while (tokens := sum(map(len, reader.windows("document", "".join(words[at:end]))))) > TOKENS:
            end -= max(1, (tokens - TOKENS) // MOST_TOKENS_A_WORD)
        texts.append("".join(words[at:end]))
        counts.append(tokens)
        at = end
    return texts, statistics.mean(counts)


def prepared(options: argparse.Namespace) -> Case:
    models = Path(platformdirs.user_data_dir("codeloupe", appauthor=False)) / "models"
    model = ModelSettings(name=options.model, directory=str(models), linger_s=0)
    path = wanted_file(model, models)
    spec = complete_spec(spec_for(options.model), read_header(path), path)
    load = Load(
        str(path), spec.dim, str(spec.pooling), spec.window, spec.add_eos, spec.repack, 1, 0, "", spec.document_prefix
    )
    large = path.stat().st_size > LARGE_BYTES
    texts, tokens = texts_of(load)
    return Case(
        model=model,
        load=replace(load, batch=BATCH),
        texts=texts,
        tokens=tokens,
        piece=1 if large else 8,
        seconds=options.seconds or (45.0 if large else 3.0),
        rounds=options.rounds or (1 if large else 7),
        queries=5 if large else QUERIES,
        large=large,
    )


@dataclass
class Client:
    """One client of the service that sends texts for as long as it is ``at_work``."""

    embedder: ServiceEmbedder
    pieces: list[list[str]]
    events: list[Event] = field(default_factory=list)

    @contextmanager
    def at_work(self) -> Iterator[list[Event]]:
        """Each child has a piece, and one waits; what is done is noted meanwhile."""
        over = threading.Event()
        turns = itertools.cycle(self.pieces)
        self.events.clear()
        threads = [threading.Thread(target=self._send, args=(turns, over)) for _ in range(self.embedder.parallel + 1)]
        for thread in threads:
            thread.start()
        try:
            yield self.events
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def _send(self, turns: Iterator[list[str]], over: threading.Event) -> None:
        while not over.is_set():
            piece = next(turns)
            self.embedder.embed_documents(piece)
            self.events.append((time.perf_counter(), len(piece)))

    def work(self, seconds: float) -> list[Event]:
        with self.at_work() as events:
            time.sleep(seconds)
        return events

    def state(self) -> ServiceState:
        state = self.embedder.state()
        assert state is not None, "the service has ended"
        return state


def per_second(events: Sequence[Event], seconds: float) -> float:
    """Texts a second while all were at work: from the first event to the last within ``seconds`` of it."""
    within = [event for event in events if event[0] <= events[0][0] + seconds]
    if len(within) < 2:
        return sum(texts for _, texts in within) / seconds
    return sum(texts for _, texts in within[1:]) / (within[-1][0] - within[0][0])


def processor_seconds(pids: Sequence[int]) -> float:
    """Of these processes and all below them, and of this one."""
    roots = [psutil.Process(pid) for pid in pids]
    times = [one.cpu_times() for root in roots for one in (root, *root.children(recursive=True))]
    return time.process_time() + float(sum(one.user + one.system for one in times))


def cost(pids: Sequence[int], work: Work, seconds: float) -> tuple[float, float]:
    """Texts a second, by the clock and for a second of processor."""
    before = processor_seconds(pids)
    events = work(seconds)
    done = sum(texts for _, texts in events)
    return per_second(events, EDGE * seconds), done / (processor_seconds(pids) - before)


@contextmanager
def neighbours() -> Iterator[None]:
    """Every core has another program that wants all of it."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(usable_cores())]
    try:
        yield
    finally:
        for one in spinning:
            one.kill()
            one.wait()


def beside_neighbours(work: Work, seconds: float) -> list[Event]:
    with neighbours():
        return work(seconds)


def rates(case: Case, client: Client, bare: list[Bare], threaded: Bare) -> dict[str, list[tuple[float, float]]]:
    """By way and round: texts a second, and for a second of processor. Every way has its turn in each round."""
    service, alone = [client.state().pid], [one.pid for one in bare]
    ways: dict[str, tuple[list[int], Work]] = {
        "bare": (alone, partial(together, bare)),
        "service": (service, client.work),
        "service, busy": (service, partial(beside_neighbours, client.work)),
        "threads": ([threaded.pid], partial(together, [threaded])),
        "threads, busy": ([threaded.pid], partial(beside_neighbours, partial(together, [threaded]))),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(case.rounds):
        for name, (pids, work) in ways.items():
            found[name].append(cost(pids, work, case.seconds))
    return found


def ratio(found: dict[str, list[tuple[float, float]]], one: str, other: str, what: int = 0) -> float:
    """Of two ways in the same round, in the median."""
    return statistics.median(a[what] / b[what] for a, b in zip(found[one], found[other], strict=True))


def report_rates(case: Case, client: Client, figures: Figures) -> float:
    """The rates beside bare llama.cpp's and beside neighbours; returns the service's quiet one."""
    cores = usable_cores()
    with ExitStack() as running:
        bare = [running.enter_context(closing(Bare(case.load, case.texts[at::cores]))) for at in range(cores)]
        all_threads = replace(case.load, threads=cores)
        threaded = running.enter_context(closing(Bare(all_threads, case.texts, spinning=True)))
        found = rates(case, client, bare, threaded)
    typical = {name: statistics.median(rate for rate, _ in turns) for name, turns in found.items()}
    share = ratio(found, "service", "bare")
    beside = ratio(found, "service, busy", "service")
    floor = 0.0 if case.large else LEAST_TEXTS_PER_S
    least = f">= {floor:g}" if floor else ""
    figures.add(f"bare llama.cpp, {cores} processes of one thread", f"{typical['bare']:.2f} texts/s")
    figures.add("the service", f"{typical['service']:.2f} texts/s", least, met=typical["service"] >= floor)
    figures.add("  of bare", f"{share:.2f}", f">= {LEAST_OF_BARE}", met=share >= LEAST_OF_BARE)
    figures.add("  of bare, for a second of processor", f"{ratio(found, 'service', 'bare', 1):.2f}")
    figures.add(
        "  beside neighbours, of its quiet rate", f"{beside:.2f}", f">= {LEAST_BESIDE}", met=beside >= LEAST_BESIDE
    )
    figures.add(f"bare llama.cpp, one process of {cores} threads", f"{typical['threads']:.2f} texts/s")
    figures.add("  beside neighbours, of its quiet rate", f"{ratio(found, 'threads, busy', 'threads'):.2f}")
    return typical["service"]


def report_considerate(case: Case, scratch: Path, quiet: float, figures: Figures) -> None:
    """What the default setting leaves beside neighbours: first nice 5 alone, then half of the children too."""
    with opened(case, scratch, considerate=True) as client:
        client.embedder.embed_documents(client.pieces[0])
        with neighbours():
            first = per_second(client.work(case.seconds), EDGE * case.seconds)
            with client.at_work() as events:
                halved_s = seconds_until(lambda: client.state().children_allowed < client.embedder.parallel)
                events.clear()
                time.sleep(case.seconds)
                later = per_second(list(events), case.seconds)
    figures.add("the same, stepping back (the default): at first", f"{first / quiet:.2f}")
    figures.add(f"  with half of the children, {halved_s:.0f} s later", f"{later / quiet:.2f}")


def seconds_until(reached: Callable[[], bool]) -> float:
    began = time.perf_counter()
    while not reached() and time.perf_counter() - began < PATIENCE_S:
        time.sleep(0.2)
    return time.perf_counter() - began


_numbers = itertools.count()


def asked(embedder: ServiceEmbedder, count: int) -> tuple[float, float]:
    """p50 and p95 in milliseconds, of questions that were never asked before."""
    times = []
    for number in itertools.islice(_numbers, count):
        began = time.perf_counter()
        embedder.embed_query(f"where is request number {number} parsed and checked, and who hears of its errors")
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times), sorted(times)[int(0.95 * (count - 1))]


def report_queries(case: Case, client: Client, asker: ServiceEmbedder, figures: Figures) -> None:
    """A query's time as another client of the same service sees it."""
    limit = MOST_LARGE_QUERY_MS if case.large else MOST_QUERY_MS
    asked(asker, 2)
    found = {"quiet": asked(asker, case.queries)}
    with client.at_work():
        time.sleep(1.0)
        found["while every child embeds"] = asked(asker, case.queries)
    with neighbours():
        time.sleep(1.0)
        found["beside neighbours"] = asked(asker, case.queries)
    for when, (p50, p95) in found.items():
        bound = when != "beside neighbours"
        beside = f"p95 < {limit:g}" if bound else ""
        figures.add(f"a query, {when}, p50 / p95", f"{p50:.1f} / {p95:.1f} ms", beside, met=not bound or p95 < limit)


def report_fairness(case: Case, first: Client, second: Client, figures: Figures) -> None:
    """What two that send as much as they can get."""
    with first.at_work() as ours, second.at_work() as theirs:
        time.sleep(4 * case.seconds)
        done = [sum(texts for _, texts in list(events)) for events in (ours, theirs)]
    figures.add("two clients at once, texts", f"{done[0]} : {done[1]}")


@contextmanager
def opened(case: Case, data_dir: Path, *, considerate: bool) -> Iterator[Client]:
    """A client of a service that nobody else knows of."""
    memory = MemorySettings(considerate=considerate)
    path = Path(case.load.path)
    with closing(SharedEmbedder(spec_for(case.model.name), path, case.model, memory, data_dir)) as embedder:
        yield Client(embedder, case.pieces())


def report(case: Case, scratch: Path, figures: Figures) -> None:
    texts = f"{len(case.texts)} texts of {case.tokens:.0f} tokens, {case.piece} a request"
    print(f"{Path(case.load.path).name}: {texts}, {case.rounds} rounds of {case.seconds:g} s a turn; median")
    with opened(case, scratch / "one", considerate=False) as client:
        client.work(case.seconds)
        quiet = report_rates(case, client, figures)
        state = client.state()
        figures.add("tokens of a text, by the service's count", f"{state.tokens / state.documents:.0f}")
        with opened(case, scratch / "one", considerate=False) as other:
            report_queries(case, client, other.embedder, figures)
            report_fairness(case, client, other, figures)
    report_considerate(case, scratch / "two", quiet, figures)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL, help="a known model that is here, or a GGUF file")
    parser.add_argument("--seconds", type=float, default=0.0, help="of a turn")
    parser.add_argument("--rounds", type=int, default=0)
    figures = Figures()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        report(prepared(parser.parse_args()), Path(directory), figures)
    return 0 if figures.kept else 1


if __name__ == "__main__":
    sys.exit(main())
