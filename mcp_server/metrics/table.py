"""An overview in words: `codeloupe metrics` on a terminal, and one line in a status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mcp_server.freshness import counted, percent
from mcp_server.metrics import families
from mcp_server.metrics.counts import Counts, Times, total
from mcp_server.metrics.families import BUCKETS_S, Family
from mcp_server.metrics.figures import RootFigures
from mcp_server.metrics.overview import Overview, ServerSeen, moment
from mcp_server.statuses import MIB, service_sentence

NOBODY = "No codeloupe server of yours runs; an editor or an agent starts one with 'codeloupe serve'."
FOOTNOTE = "p50, p95 and p99 are reckoned out of buckets: off by a quarter at most, mostly by some per cent."


def sentence(seen: Overview) -> str:
    """Everything, for a reader."""
    if not seen.servers and not seen.services:
        return NOBODY
    counts = total([server.figures.counts for server in seen.servers])
    lines = [NOBODY] if not seen.servers else [line for server in seen.servers for line in _server(server)]
    lines += [f"model {service.model}: {service_sentence(service)}" for service in seen.services]
    return "\n".join([*lines, "", *_latencies(counts), *_numbers(counts), FOOTNOTE])


def line(counts: Counts) -> str:
    """The most telling numbers of one server, in one line."""
    searches = _together(counts, families.SEARCH)
    parts = [counted(searches.count, "search", "searches") + _tail(searches)]
    for kind in families.EMBEDDED.values:
        times = counts.time(families.EMBEDDING, kind)
        if times.count:
            parts.append(f"{counted(times.count, f'{kind} call')} of the model{_tail(times)}")
    parts.append(counted(_errors(counts), "error"))
    return f"since its start: {', '.join(parts)}"


def _tail(times: Times) -> str:
    slow = times.percentile(0.95)
    return f" (p95 {span(slow)})" if slow is not None else ""


def _server(server: ServerSeen) -> Iterator[str]:
    figures = server.figures
    port = f", metrics at port {figures.metrics_port}" if figures.metrics_port else ""
    yield (
        f"server {figures.process.pid} ({figures.version}, since {moment(figures.process.started)}{port}): "
        f"{server.memory.private / MIB:.0f} MiB of its own, {server.memory.shared / MIB:.0f} MiB shared; "
        f"its children {server.children.private / MIB:.0f} MiB"
    )
    yield from (f"  {_root(root)}" for root in figures.roots)


def _root(root: RootFigures) -> str:
    shares = {"text": root.text_share, "sketch": root.sketch_share, "vectors": root.vector_share}
    tiers = ", ".join(f"{tier} {percent(share)}" for tier, share in shares.items())
    doing = f"; {root.phase} {root.done:,} of {root.total:,}" if root.phase and root.total else ""
    return f"{root.name}: {root.state}, {counted(root.files, 'file')}, {counted(root.chunks, 'chunk')}, {tiers}{doing}"


def _latencies(counts: Counts) -> Iterator[str]:
    yield f"{'':26}{'calls':>9}{'mean':>10}{'p50':>10}{'p95':>10}{'p99':>10}"
    for name, times in _rows(counts).items():
        shown = (times.mean, times.percentile(0.50), times.percentile(0.95), times.percentile(0.99))
        yield f"{name:26}{times.count:>9,}" + "".join(f"{span(one):>10}" for one in shown)


def _rows(counts: Counts) -> dict[str, Times]:
    """What is shown of latencies: each mode, kind and leg that was used."""
    words = {families.SEARCH: "search", families.EMBEDDING: "model", families.STORE: "index"}
    return {
        f"{word}, {labels[0]}": times
        for family, word in words.items()
        for labels, times in sorted(counts.times_of(family).items())
    }


def span(seconds: float | None) -> str:
    """Seconds as a reader likes them."""
    if seconds is None:
        return "-"
    if seconds >= BUCKETS_S[-1]:
        return f"> {seconds:.0f} s" if seconds == BUCKETS_S[-1] else f"{seconds:.0f} s"
    return f"{1000 * seconds:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _numbers(counts: Counts) -> Iterator[str]:
    yield f"cache: vectors {_hits(counts, families.VECTOR_CACHE)}; queries {_hits(counts, families.QUERY_CACHE)}"
    yield (
        f"indexed: {counted(counts.number(families.FILES), 'file')}, "
        f"{counted(counts.number(families.CHUNKS), 'chunk')}, "
        f"{counted(counts.number(families.VECTORS), 'vector')}; "
        f"embedded: {counted(counts.number(families.TEXTS, 'document'), 'text')}, "
        f"{counted(counts.number(families.TEXTS, 'query'), 'query', 'queries')}"
    )
    met: Mapping[Any, float] = counts.numbers_of(families.ERRORS)
    named = ", ".join(f"{number:,.0f} {': '.join(labels)}" for labels, number in sorted(met.items()))
    yield f"errors: {named or 'none'}"


def _hits(counts: Counts, family: Family) -> str:
    hits, misses = counts.number(family, "hit"), counts.number(family, "miss")
    return f"{percent(hits / (hits + misses))} of {hits + misses:,} known" if hits + misses else "not asked"


def _errors(counts: Counts) -> int:
    return int(sum(counts.numbers_of(families.ERRORS).values()))


def _together(counts: Counts, family: Family) -> Times:
    whole = Times()
    for times in counts.times_of(family).values():
        whole = whole.plus(times)
    return whole
