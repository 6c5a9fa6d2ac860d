"""Whether the metrics tell the truth: a load from a real client, timed by its own clock, beside a scrape of the server.

    python -m benchmarks.metrics [--chunks 10000] [--searches 400] [--at-once 4]

Client and server stand at two ends of a pipe, and both clocks start at other places: the client's runs from the first
byte of its request to the last of the answer, ``codeloupe_tool_call_seconds`` from the arguments to the answer. Between
the two lie JSON, the pipe, the event loop and, with several calls at once, the wait for it: some milliseconds. So calls
are heavy, that these do not count: expressions that no line matches, and texts to embed. Figures are compared as they
are, nothing is subtracted. Ordinary searches, of which those milliseconds are a part, are shown after them without a
limit, beside what a refused call takes outside of the server's own clock.

The second half leaves the pipe out: an engine in this process, timed at the very calls that it times itself.
"""

from __future__ import annotations

import argparse
import http.client
import math
import random
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.serving import SERVER, Peer, environment, longest_stalls, phrase, plant, served
from mcp_server.metrics import families
from mcp_server.metrics.calls import ToolCall
from mcp_server.metrics.counts import Times
from mcp_server.metrics.meter import Meter
from mcp_server.metrics.wrappers import ErrorsCounted

if TYPE_CHECKING:
    from prometheus_client.core import Metric

WITHIN = 0.05
SHARES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
SCRAPE_EVERY_S = 0.5
TEXTS, LONG = 24, 40  # texts of an embed call, phrases in each: some tenths of a second of the model's work


@dataclass(frozen=True)
class Histogram:
    """One histogram of a scrape, read as Prometheus reads it."""

    total_s: float
    buckets: tuple[tuple[float, float], ...]  # upper bound, how many within it

    @property
    def count(self) -> float:
        return self.buckets[-1][1] if self.buckets else 0.0

    def since(self, earlier: Histogram) -> Histogram:
        """What came to it since ``earlier``."""
        before = dict(earlier.buckets)
        return Histogram(
            self.total_s - earlier.total_s,
            tuple((bound, count - before.get(bound, 0.0)) for bound, count in self.buckets),
        )

    def quantile(self, share: float) -> float:
        """``histogram_quantile``: linear within a bucket."""
        rank, below, lower = share * self.count, 0.0, 0.0
        for upper, count in self.buckets:
            if count >= rank and count > below:
                return lower if upper == float("inf") else lower + (upper - lower) * (rank - below) / (count - below)
            below, lower = count, upper
        return lower


class Scraped:
    """The port of a server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.sizes: list[int] = []
        self.took_s: list[float] = []

    def families(self) -> dict[str, Metric]:
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read()
        self.took_s.append(time.perf_counter() - began)
        self.sizes.append(len(text))
        return {metric.name: metric for metric in text_string_to_metric_families(text.decode())}

    def histogram(self, name: str, **labels: str) -> Histogram:
        total, buckets = 0.0, []
        for sample in self.families()[name].samples:
            own = {key: value for key, value in sample.labels.items() if key != "le"}
            if own == labels and sample.name.endswith("_sum"):
                total = sample.value
            elif own == labels and sample.name.endswith("_bucket"):
                buckets.append((float(sample.labels["le"]), sample.value))
        return Histogram(total, tuple(buckets))


class Report:
    """Prints both clocks beside each other, and knows whether they agree."""

    def __init__(self) -> None:
        self.agrees = True

    def compare(self, what: str, own: Sequence[float], said: Histogram, within: float | None = WITHIN) -> None:
        """Count, sum and mean, which are to agree within ``within``, and percentiles, which are as good as buckets."""
        ordered = sorted(own)
        print(f"{what}\n{'':10}{'own clock':>14}{'scrape':>14}{'differs':>10}")
        self._row("count", len(own), said.count, "", 0.0)
        self._row("sum", sum(own), said.total_s, "s", within)
        self._row("mean", 1000 * statistics.fmean(own), 1000 * said.total_s / max(1.0, said.count), "ms", within)
        for name, share in SHARES.items():
            if len(own) * (1 - share) < 1:  # one value, and that an outlier
                continue
            true = ordered[math.ceil(share * len(ordered)) - 1]
            self._row(name, 1000 * true, 1000 * said.quantile(share), "ms", None)
        print(flush=True)

    def _row(self, name: str, own: float, said: float, unit: str, limit: float | None) -> None:
        difference = said / own - 1 if own else 0.0
        over = limit is not None and abs(difference) > limit
        self.agrees = self.agrees and not over
        print(f"{name:10}{own:>11.2f} {unit:2}{said:>11.2f} {unit:2}{difference:>+9.1%}{'  OVER' if over else ''}")


def load(peers: Sequence[Peer], calls: Sequence[Callable[[Peer], float]], at_once: int) -> list[float]:
    """Make the calls, ``at_once`` at a time; the seconds of each by the client's clock."""
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda one: one[1](peers[one[0] % len(peers)]), enumerate(calls)))


def searching(numbers: Sequence[int]) -> list[Callable[[Peer], float]]:
    """Searches of four modes, none like another."""
    modes = ("auto", "semantic", "text", "regex")

    def one(number: int) -> Callable[[Peer], float]:
        mode = modes[number % 4]
        words = " ".join(phrase(number * 37))
        query = f"{words.split()[0]}_.*{number % 100}" if mode == "regex" else f"{words} number {number}"
        return lambda peer: peer.call("search", query=query, mode=mode, limit=20)[0]

    return [one(number) for number in numbers]


def matching(numbers: Sequence[int]) -> list[Callable[[Peer], float]]:
    """Expressions that are tried on every line of the index, and match none."""

    def one(number: int) -> Callable[[Peer], float]:
        query = rf"(\w)\w*\1\w*\1\w*\1\w*\1\w{{{7 + number % 5}}}\1"
        return lambda peer: peer.call("search", query=query, mode="regex")[0]

    return [one(number) for number in numbers]


def refused(numbers: Sequence[int]) -> list[Callable[[Peer], float]]:
    """Calls that are refused at once."""

    def one(peer: Peer) -> float:
        return peer.ask("tools/call", {"name": "search", "arguments": {"query": ""}})[0]

    return [one for _ in numbers]


def embedding(numbers: Sequence[int]) -> list[Callable[[Peer], float]]:
    """Calls for vectors that nobody remembers."""

    def one(number: int) -> Callable[[Peer], float]:
        chance = random.Random(number)
        texts = [" ".join(" ".join(phrase(chance.randrange(1_728))) for _ in range(LONG)) for _ in range(TEXTS)]
        return lambda peer: peer.call("embed", texts=texts, cache=False)[0]

    return [one(number) for number in numbers]


def over_the_pipe(scratch: Path, asked: argparse.Namespace, report: Report) -> None:
    """A real client, a real server, a real scrape."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = plant(scratch / "project", asked.chunks // 10, 10)
    user = environment(scratch / "home") | {"CODELOUPE_SERVE_METRICS_PORT": str(port)}
    with served([*SERVER, str(root)], user | {"CODELOUPE_MODEL_NAME": "none"}) as peer:
        print(peer.call("index", wait=True)[1]["content"][0]["text"].partition(";")[0], end="\n\n", flush=True)
        load([peer], searching(range(8)), 1)
        scraped = Scraped(port)
        for at_once in sorted({1, asked.at_once}):
            numbers = range(1_000 * at_once, 1_000 * at_once + asked.searches // 4)
            _tool(peer, scraped, report, ("expressions", matching(numbers), WITHIN), at_once)
        for at_once in sorted({1, asked.at_once}):
            numbers = range(1_000 * at_once, 1_000 * at_once + asked.searches)
            _tool(peer, scraped, report, ("refused searches", refused(numbers), None), at_once)
            _tool(peer, scraped, report, ("searches", searching(numbers), None), at_once)

        def scrape() -> None:
            for _ in range(50):
                scraped.families()

        began = time.perf_counter()
        stalls = longest_stalls([peer], scrape)
        alone = longest_stalls([peer], lambda: time.sleep(time.perf_counter() - began))
        print(f"longest ping while it was scraped 50 times in a row: {stalls[0]:.0f} ms; in peace {alone[0]:.0f} ms")
        _said(scraped)
    with served([*SERVER, str(plant(scratch / "small", 1, 2))], user) as peer:
        load([peer], embedding(range(-2, 0)), 1)
        _embedded(peer, Scraped(port), report, embedding(range(asked.searches // 10)))


def _tool(
    peer: Peer,
    scraped: Scraped,
    report: Report,
    asked: tuple[str, Sequence[Callable[[Peer], float]], float | None],
    at_once: int,
) -> None:
    """One load, scraped all the while, and what the scrape gained by it."""
    what, calls, within = asked
    name = families.TOOL_SECONDS.name
    before, over, seen = scraped.histogram(name, tool="search"), threading.Event(), [0.0]

    def watch() -> None:
        while not over.wait(SCRAPE_EVERY_S):
            seen.append(scraped.histogram(name, tool="search").count)

    watcher = threading.Thread(target=watch)
    watcher.start()
    own = load([peer], calls, at_once)
    over.set()
    watcher.join()
    assert seen == sorted(seen), "a counter fell"
    gained = scraped.histogram(name, tool="search").since(before)
    title = f"{len(calls)} {what}, {at_once} at once, scraped {len(seen) - 1} times meanwhile"
    report.compare(title, own, gained, within)


def _embedded(peer: Peer, scraped: Scraped, report: Report, calls: Sequence[Callable[[Peer], float]]) -> None:
    """The model's own time beside the client's: what lies between is JSON of the vectors."""
    before = scraped.histogram(families.EMBEDDING.name, kind="document")
    own = load([peer], calls, 1)
    gained = scraped.histogram(families.EMBEDDING.name, kind="document").since(before)
    report.compare(f"{len(calls)} embed calls of {TEXTS} texts: the call, and the model's part of it", own, gained)


def _said(scraped: Scraped) -> None:
    print(
        f"a scrape: {statistics.median(scraped.sizes) / 1024:.0f} KiB, "
        f"median {1000 * statistics.median(scraped.took_s):.0f} ms under load, {len(scraped.sizes)} of them\n"
    )


def in_this_process(scratch: Path, asked: argparse.Namespace, report: Report) -> None:
    """The same boundary from outside: an index in memory, no model, no pipe."""
    from mcp_server.engine import Engine
    from mcp_server.requests import SearchRequest
    from mcp_server.settings import load as settings_for

    root = plant(scratch / "own", 100, 10)
    overrides = ["storage.backend=memory", "model.name=none", "search.first_answer_wait_s=60"]
    meter = Meter()
    engine = Engine([root], settings_for(None, overrides, {}).settings, meter=meter)
    requests = [SearchRequest(" ".join(phrase(number * 37)), 10, mode="text") for number in range(asked.searches)]
    engine.search(requests[0])
    before = _read(meter.counts().time(families.SEARCH, "text"))
    own = []
    for request in requests:
        began = time.perf_counter()
        engine.search(request)
        own.append(time.perf_counter() - began)
    engine.close()
    after = _read(meter.counts().time(families.SEARCH, "text"))
    report.compare(f"{len(own)} searches in this process, timed around the very call", own, after.since(before))


def _read(times: Times) -> Histogram:
    return Histogram(times.seconds, tuple((bound, float(count)) for bound, count in times.cumulative()))


def cost(times: int = 100_000) -> None:
    """What counting takes, in processor time."""
    meter = Meter()

    def each(work: Callable[[], None]) -> float:
        began = time.process_time()
        for _ in range(times):
            work()
        return 1e6 * (time.process_time() - began) / times

    def timed() -> None:
        with meter.timed(families.SEARCH, "auto"):
            pass

    def searched() -> None:
        """All that a search with three legs has counted."""
        with ToolCall(meter, "search"), meter.timed(families.SEARCH, "auto"):
            meter.count(families.QUERY_CACHE, "hit")
            for leg in ("text", "sketch", "vector"):
                with meter.timed(families.STORE, leg), ErrorsCounted(meter, "store"):
                    pass

    print(
        f"processor time: a search {each(searched):.1f} µs, "
        f"of which a number {each(lambda: meter.count(families.TEXTS, 'query')):.1f} µs, "
        f"a time {each(lambda: meter.observe(families.SEARCH, 0.01, 'auto')):.1f} µs, "
        f"a timed block {each(timed):.1f} µs"
    )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--searches", type=int, default=400)
    parser.add_argument("--at-once", type=int, default=4)
    asked, report = parser.parse_args(), Report()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        over_the_pipe(Path(directory), asked, report)
        in_this_process(Path(directory), asked, report)
    cost()
    return 0 if report.agrees else 1


if __name__ == "__main__":
    sys.exit(main())
