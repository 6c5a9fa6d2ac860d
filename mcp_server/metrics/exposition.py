"""An overview as Prometheus reads it: the only place prometheus_client is imported from, and only once it is scraped.

Numbers come from counts of our own (meter.py), which all servers keep; what the library does is the two text formats,
their escaping, and which of them a client asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from mcp_server.metrics import families
from mcp_server.metrics.counts import Counts, Times
from mcp_server.metrics.families import Family
from mcp_server.metrics.figures import RootFigures
from mcp_server.metrics.overview import Overview

if TYPE_CHECKING:
    from embedding.shared.state import ServiceState

Labels = tuple[str, ...]
Values = Mapping[Labels, float]


class Overviews(Collector):
    """Looks anew at each scrape."""

    def __init__(self, look: Callable[[], Overview]) -> None:
        self._look = look

    def describe(self) -> Iterable[Metric]:
        """See Collector: without, a scrape of some metrics by name (``?name[]=``) would find none."""
        return [Metric(one.name.removesuffix("_total"), one.help, one.kind) for one in families.FAMILIES]

    def collect(self) -> Iterable[Metric]:
        """See Collector."""
        return list(metrics(self._look()))


def application(look: Callable[[], Overview]) -> Callable[..., Any]:
    """A WSGI application that answers with what ``look`` gives, in the format that was asked for."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Overviews(look))
    return make_wsgi_app(registry)


def metrics(seen: Overview) -> Iterator[Metric]:
    """All families, in their order; one of which nothing is known has no samples."""
    gauges = {**_servers(seen), **_roots(seen), **_services(seen.services)}
    for family in families.FAMILIES:
        if family.kind == "histogram":
            yield _histogram(family, seen.totals.times_of(family))
        else:
            yield _plain(family, gauges[family] if family in gauges else _counted(family, seen.totals))


def _histogram(family: Family, found: Mapping[Labels, Times]) -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=_names(family))
    for labels, times in sorted(found.items()):
        buckets = [
            ("+Inf" if bound == float("inf") else repr(bound), float(count)) for bound, count in times.cumulative()
        ]
        metric.add_metric(labels, buckets, times.seconds)
    return metric


def _plain(family: Family, values: Values) -> Metric:
    kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = kind(family.name, family.help, labels=_names(family))
    for labels, value in sorted(values.items()):
        metric.add_metric(labels, value)
    return metric


def _counted(family: Family, counts: Counts) -> Values:
    """A counter, at nought where it never moved: a rate that begins with the first event has lost that event."""
    noughts: Values = {}
    if all(label.values for label in family.labels):
        noughts = dict.fromkeys(product(*(label.values for label in family.labels)), 0.0)
    return {**noughts, **counts.numbers_of(family)}


def _names(family: Family) -> list[str]:
    return [label.name for label in family.labels]


def _servers(seen: Overview) -> dict[Family, Values]:
    memory = {"server": [one.memory for one in seen.servers], "children": [one.children for one in seen.servers]}
    values: dict[Labels, float] = {}
    for process, several in memory.items():
        values[process, "private"] = float(sum(one.private for one in several))
        values[process, "shared"] = float(max((one.shared for one in several), default=0))
    return {families.SERVERS: {(): float(len(seen.servers))}, families.MEMORY: values}


def _roots(seen: Overview) -> dict[Family, Values]:
    roots = labelled(seen)
    coverage = {"text": "text_share", "sketch": "sketch_share", "vectors": "vector_share"}
    return {
        families.ROOT_FILES: {(name,): float(root.files) for name, root in roots.items()},
        families.ROOT_CHUNKS: {(name,): float(root.chunks) for name, root in roots.items()},
        families.ROOT_DISK: {(name,): float(root.disk_bytes) for name, root in roots.items()},
        families.ROOT_COVERAGE: {
            (name, tier): float(getattr(root, share))
            for name, root in roots.items()
            for tier, share in coverage.items()
        },
        families.ROOT_STATE: {
            (name, state): float(root.state == state) for name, root in roots.items() for state in families.STATE.values
        },
    }


def labelled(seen: Overview) -> dict[str, RootFigures]:
    """Each root once, by the name it is known by: as the server says that said something last."""
    newest: dict[str, RootFigures] = {}
    for server in sorted(seen.servers, key=lambda one: one.figures.at):
        newest |= {root.id: replace(root, name=_printable(root.name)) for root in server.figures.roots}
    names = [root.name for root in newest.values()]
    return {
        root.name if names.count(root.name) == 1 else f"{root.name}~{root.id[:6]}": root for root in newest.values()
    }


def _printable(name: str) -> str:
    """A directory's name; bytes of it that are not UTF-8 by their code."""
    return name.encode("utf-8", "backslashreplace").decode()


def _services(states: Iterable[ServiceState]) -> dict[Family, Values]:
    by_model = {state.model: state for state in states}

    def each(read: Callable[[ServiceState], float]) -> Values:
        return {(model,): float(read(state)) for model, state in by_model.items()}

    return {
        families.SERVICE_CLIENTS: each(lambda state: state.clients),
        families.SERVICE_WAITING: each(lambda state: state.waiting),
        families.SERVICE_CHILDREN: each(lambda state: state.children),
        families.SERVICE_ALLOWED: each(lambda state: state.children_allowed),
        families.SERVICE_LEVEL: {
            (model, level): float(state.level == level)
            for model, state in by_model.items()
            for level in families.LEVEL.values
        },
        families.SERVICE_PAUSED: each(lambda state: bool(state.paused)),
        families.SERVICE_LEFT_ALONE: each(lambda state: bool(state.left_alone)),
        families.SERVICE_MEMORY: {
            (model, kind): float(size)
            for model, state in by_model.items()
            for kind, size in (("private", state.private_bytes), ("shared", state.shared_bytes))
        },
        families.SERVICE_BUDGET: each(lambda state: state.budget_bytes),
        families.SERVICE_UPTIME: each(lambda state: state.seconds),
        families.SERVICE_QUERIES: each(lambda state: state.queries),
        families.SERVICE_DOCUMENTS: each(lambda state: state.documents),
        families.SERVICE_TOKENS: each(lambda state: state.tokens),
        families.SERVICE_RESTARTS: each(lambda state: state.restarts),
    }
