"""What refining costs those who search meanwhile, and how soon it serves them: real servers, the real model.

    python -m benchmarks.refining [CHUNKS]

Queries are asked while vectors are made at full speed and again when all are there, in one run; the same for a server
that only echoes, and for the embedding of a query alone. Then: how soon the chunks of a question have their vectors, a
second copy of the directory beside the first one, and a third one after them. Processor time is that of the children
that run the model for documents: what it does not buy was not embedded.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil

from benchmarks.serving import ECHO, PATIENCE_S, SERVER, Peer, Table, environment, milliseconds, phrase, plant, served

CHUNKS = 3_000
QUERIES = 60
LOOK_S = 0.02
SLOWER = 3.0  # times that a query may take beside indexing on every core; without priorities it is 10 and more


def family(peer: Peer) -> dict[str, list[psutil.Process]]:
    """The server's descendants: "documents" are models below the indexing child, "queries" those beside it."""
    found: dict[str, list[psutil.Process]] = {"indexer": [], "documents": [], "queries": []}
    for child in psutil.Process(peer.pid).children(recursive=True):
        line = child.cmdline()
        if "mcp_server.indexes.job" in line:
            found["indexer"].append(child)
        elif "embedding.worker" in line:
            found["queries" if child.ppid() == peer.pid else "documents"].append(child)
    return found


def coverage(peer: Peer) -> float:
    """Share of chunks that have a vector."""
    _, result = peer.call("status", format="json")
    return float(result["structuredContent"]["roots"][0]["coverage"]["vectors"])


def until(reached: Callable[[], bool]) -> float:
    """Seconds until it is."""
    began = time.perf_counter()
    while not reached():
        if time.perf_counter() - began > PATIENCE_S:
            raise SystemExit("It took too long.")
        time.sleep(LOOK_S)
    return time.perf_counter() - began


def asked(peer: Peer, echo: Peer, queries: list[str]) -> dict[str, list[float]]:
    """Seconds of each query: as a search, as the embedding alone, and echoed; in turn."""
    times: dict[str, list[float]] = {"search": [], "embedding alone": [], "echo": []}
    for query in queries:
        times["search"].append(peer.call("search", query=query)[0])
        times["embedding alone"].append(peer.call("embed", texts=[query], kind="query", cache=False)[0])
        times["echo"].append(echo.call("echo", query=query)[0])
    return times


def beside_indexing(peer: Peer, echo: Peer, table: Table) -> None:
    """Queries while every core embeds, and when none does."""
    queries = [" ".join(phrase(number * 37)) + f" number {number}" for number in range(2 * QUERIES)]
    until(lambda: coverage(peer) > 0.0)
    peer.call("search", query="warm up")
    during = asked(peer, echo, queries[:QUERIES])
    share = coverage(peer)
    if share >= 1.0:
        raise SystemExit("All vectors were made before the queries were asked: take more chunks.")
    print(f"  asked while vectors went up to {100 * share:.0f} %")
    priorities = {kind: sorted({one.nice() for one in some}) for kind, some in family(peer).items()}
    print(f"  priorities: {priorities}")
    peer.call("index", wait=True)
    after = asked(peer, echo, queries[QUERIES:])
    for kind in during:
        (busy, busy_95), (quiet, quiet_95) = milliseconds(during[kind]), milliseconds(after[kind])
        table.add(f"{kind}, nothing being embedded, p50", quiet, "ms")
        table.add(f"{kind}, nothing being embedded, p95", quiet_95, "ms")
        table.add(f"{kind}, every core embedding, p50", busy, "ms", SLOWER * quiet if kind == "search" else None)
        table.add(f"{kind}, every core embedding, p95", busy_95, "ms")


def a_question(peer: Peer, table: Table, number: int) -> None:
    """The last function in the order of refining is asked for, again and again until its vector speaks for it."""
    name = "_".join([*phrase(number)[:2], str(number)])
    began = coverage(peer)

    def found_by_meaning() -> bool:
        _, result = peer.call("search", query=f"{name} {phrase(number)[2]}", format="json")
        return any(
            hit["name_path"].endswith(name) and "vector" in hit["found_by"]
            for hit in result["structuredContent"]["hits"]
        )

    took = until(found_by_meaning)
    table.add("a question's best hit has its vector after", took, "s")
    table.add("  when it was asked there were vectors of", 100 * began, "%")
    table.add("  and when it had it, of", 100 * coverage(peer), "%", 99.0)


def document_seconds(peer: Peer) -> float:
    """Processor seconds of the children that embed documents."""
    times = [child.cpu_times() for child in family(peer)["documents"]]
    return float(sum(one.user + one.system for one in times))


def copies(scratch: Path, user: Mapping[str, str], root: Path, table: Table) -> None:
    """A directory and a copy of it, indexed by two servers at once; then another copy, when all is known."""
    first, second, third = (shutil.copytree(root, scratch / f"copy-{number}") for number in range(3))
    alone = _indexed([first], dict(user), scratch / "cache-alone")
    both = _indexed([second, third], dict(user), scratch / "cache-both")
    table.add("processor time of embedding one copy alone", alone, "s")
    table.add("of two copies at the same time", both, "s", 1.25 * alone)
    later = shutil.copytree(root, scratch / "copy-later")
    with served([*SERVER, str(later)], dict(user) | {"XDG_CACHE_HOME": str(scratch / "cache-both")}) as peer:
        took, result = peer.call("index", wait=True)
        assert coverage(peer) == 1.0, result
        table.add("a third copy, to its last vector", took, "s")
        table.add("  processor time of embedding it", document_seconds(peer), "s", 0.0)


def _indexed(roots: list[Path], user: dict[str, str], cache: Path) -> float:
    """Index each root by a server of its own, all at once; the processor seconds of embedding."""
    peers = [Peer([*SERVER, str(root)], user | {"XDG_CACHE_HOME": str(cache)}) for root in roots]
    try:
        for peer in peers:
            peer.call("search", query="load an order")
        until(lambda: all(coverage(peer) == 1.0 for peer in peers))
        return sum(map(document_seconds, peers))
    finally:
        for peer in peers:
            peer.close()


def main() -> int:
    chunks = int(sys.argv[1]) if len(sys.argv) > 1 else CHUNKS
    table = Table()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        scratch = Path(directory)
        root = plant(scratch / "root", chunks // 10, 10)
        user: dict[str, Any] = environment(scratch / "home")
        with served(ECHO, user) as echo, served([*SERVER, str(root)], user) as peer:
            peer.call("search", query="load an order")
            beside_indexing(peer, echo, table)
        again = environment(scratch / "another-home")
        with served([*SERVER, str(root)], again) as peer:
            peer.call("search", query="load an order")
            until(lambda: coverage(peer) > 0.0)
            a_question(peer, table, chunks - 1)
        copies(scratch, environment(scratch / "third-home"), plant(scratch / "small", chunks // 40, 10), table)
    return 0 if table.kept else 1


if __name__ == "__main__":
    sys.exit(main())
