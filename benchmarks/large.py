"""A model of 7 billion weights here: checking, loading, queries, chunks, and memory with one and three servers.

    python -m benchmarks.large [--model FILE] [--queries 20] [--chunks 12] [--servers 3]

The model is nomic-embed-code where it is on this machine, else a file of its shapes with random weights (4.4 GB,
written to FILE once, else beside the caches of codeloupe). Everything runs for a user of its own, through the
embedding service that the servers share. Limits are the owner's. Memory: *private* is what the processes of the model
have for themselves (anonymous), together; *shared* is what they map of files, counted once.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
import psutil

from benchmarks.attached import memory_of, model_processes, settled
from benchmarks.embedding import chunks
from benchmarks.serving import SERVER, Peer, Table, environment, plant
from benchmarks.shapes import NOMIC, write_model
from embedding.embedder import Embedder
from embedding.files.footprint import estimate
from embedding.gguf import complete_spec, read_header
from embedding.model import spec_for
from embedding.open import open_embedder
from embedding.process import Child
from embedding.sources import locate
from embedding.wire import Load
from mcp_server.home import cache_directory, data_directory
from mcp_server.settings import load as settings_of_user

QUERY_TOKENS, CHUNK_TOKENS = 24, 200
QUERY_LIMIT_MS = 2000.0  # the owner's figures
PRIVATE_LIMIT_MB, PEAK_LIMIT_MB = 3000.0, 6000.0
SERVER_LIMIT_MIB = 60.0
HEADER_LIMIT_MB = 4.0
SAMPLE_S = 0.05
PATIENCE_S = 900.0


# Linux says what a process was at its largest since it was started; elsewhere what is not given back is seen.
GROWTH = """
import sys
from pathlib import Path
import psutil
from embedding.gguf import read_header

def held():
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    peak = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return 1024 * int(peak[0]) if peak else psutil.Process().memory_info().rss

held()
before = held()
read_header(Path(sys.argv[1]))
print(held() - before)
"""


def header_growth(path: Path) -> int:
    """Bytes a process of its own grows by when it reads the header."""
    line = [sys.executable, "-P", "-c", GROWTH, str(path)]
    return int(subprocess.run(line, check=True, capture_output=True, text=True).stdout)


class Counter:
    """Counts tokens as a model does; its weights are not read."""

    def __init__(self, path: Path) -> None:
        import llama_cpp

        self._api = llama_cpp
        llama_cpp.llama_log_set(_SILENCE, ctypes.c_void_p(0))
        parameters = llama_cpp.llama_model_default_params()
        parameters.vocab_only = True
        self._model = llama_cpp.llama_model_load_from_file(os.fsencode(path), parameters)
        self._buffer = (ctypes.c_int32 * (1 << 16))()

    def count(self, text: str) -> int:
        vocabulary, data = self._api.llama_model_get_vocab(self._model), text.encode()
        return int(self._api.llama_tokenize(vocabulary, data, len(data), self._buffer, len(self._buffer), 0, 0))

    def cut(self, text: str, tokens: int) -> str:
        """The longest start of ``text`` of at most so many tokens."""
        short, long = 0, len(text)
        while short < long:
            middle = (short + long + 1) // 2
            short, long = (middle, long) if self.count(text[:middle]) <= tokens else (short, middle - 1)
        return text[:short]


def _silence(level: int, text: bytes, data: object) -> None:
    """What llama.cpp has to say is of no interest here."""


_SILENCE = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(_silence)


@dataclass(slots=True)
class Sampler:
    """Memory of the processes of the model, watched while it works, in bytes."""

    home: str
    private: list[int] = field(default_factory=list)
    shared: list[int] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self._over.wait(SAMPLE_S):
            self.look()

    def look(self) -> None:
        used = list(_usages(self.home))
        self.private.append(sum(rss - mapped for rss, mapped in used))
        self.shared.append(max((mapped for _, mapped in used), default=0))

    def stop(self) -> None:
        self._over.set()

    @property
    def peak(self) -> int:
        return max(private + shared for private, shared in zip(self.private, self.shared, strict=False))


def _usages(home: str) -> Iterator[tuple[int, int]]:
    for _, pid in model_processes(home):
        with contextlib.suppress(psutil.Error):
            usage = psutil.Process(pid).memory_info()
            yield usage.rss, getattr(usage, "shared", 0)


@contextlib.contextmanager
def sampled(home: str) -> Iterator[Sampler]:
    sampler = Sampler(home)
    thread = threading.Thread(target=sampler.watch, daemon=True)
    thread.start()
    try:
        yield sampler
    finally:
        sampler.stop()
        thread.join()


def model_file(wanted: Path | None) -> Path:
    """The model to measure with, written where there is none."""
    if wanted is None:
        directory = Path(platformdirs.user_data_dir("codeloupe", appauthor=False)) / "models"
        real = locate(spec_for(NOMIC.name), directory)
        if real is not None:
            return real
        caches = Path(platformdirs.user_cache_dir("codeloupe", appauthor=False))
        wanted = caches / "shapes" / spec_for(NOMIC.name).file_name
    if not wanted.exists():
        wanted.parent.mkdir(parents=True, exist_ok=True)
        aside = wanted.with_suffix(f".{os.getpid()}")
        write_model(NOMIC, aside)
        aside.replace(wanted)
    return wanted


def seconds(times: Sequence[float]) -> tuple[float, float]:
    """p50 and p95."""
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def checking(path: Path, user: dict[str, str], table: Table) -> None:
    began = time.perf_counter()
    header = read_header(path)
    spec = complete_spec(spec_for(str(path)), header, path)
    table.add("header read and held to what is possible", 1000 * (time.perf_counter() - began), "ms")
    table.add("what a process grows by for that", header_growth(path) / 1e6, "MB", HEADER_LIMIT_MB)
    line = [sys.executable, "-P", "-m", "mcp_server.cli", "models", "verify", str(path)]
    began = time.perf_counter()
    subprocess.run(line, env=user, cwd=user["HOME"], check=True, capture_output=True)
    table.add("models verify, all bytes read", time.perf_counter() - began, "s")
    said = estimate(header, spec.window, 256)
    table.add("estimated before loading, private, one child", said.private_bytes / 1e6, "MB")


def loading(path: Path, table: Table) -> None:
    """From nothing to a child that has said hello, the file's pages in memory."""
    spec = complete_spec(spec_for(str(path)), read_header(path), path)
    load = Load(str(path), spec.dim, str(spec.pooling), spec.window, spec.add_eos, spec.repack, 1, 0, "", "")
    for what in ("first", "again"):
        began = time.perf_counter()
        child = Child(load)
        table.add(f"a child is ready, {what}", time.perf_counter() - began, "s")
        child.close()


def asking(embedder: Embedder, counter: Counter, texts: Sequence[str], prefix: str, table: Table) -> None:
    """Queries of 24 tokens, the prefix among them, and of 24 beside it."""
    embedder.embed_query("warm", PATIENCE_S)
    beside = QUERY_TOKENS + counter.count(prefix)
    for what, tokens in (("its prefix among them", QUERY_TOKENS), ("beside its prefix", beside)):
        times = []
        for place, text in enumerate(texts):  # numbered, for what was asked lately is remembered
            query = counter.cut(f"{prefix}{place} {' '.join(text.split())}", tokens).removeprefix(prefix)
            began = time.perf_counter()
            embedder.embed_query(query, PATIENCE_S)
            times.append(time.perf_counter() - began)
        p50, p95 = seconds(times)
        table.add(f"query of {QUERY_TOKENS} tokens, {what}, p50", 1000 * p50, "ms", QUERY_LIMIT_MS)
        table.add(f"query of {QUERY_TOKENS} tokens, {what}, p95", 1000 * p95, "ms", QUERY_LIMIT_MS)


def indexing(embedder: Embedder, texts: Sequence[str], table: Table) -> None:
    """Chunks of 200 tokens, all handed over at once."""
    began = time.perf_counter()
    embedder.embed_documents(texts, PATIENCE_S)
    took = time.perf_counter() - began
    table.add(f"chunks of {CHUNK_TOKENS} tokens a minute", 60 * len(texts) / took, "")
    table.add("tokens a second", CHUNK_TOKENS * len(texts) / took, "")


def serving(count: int, user: dict[str, str], scratch: Path, table: Table) -> None:
    """Servers, one after the other, each asked once; then what each has for itself."""
    root = plant(scratch / "root", 2, 2)
    with contextlib.ExitStack() as stack:
        peers: list[Peer] = []
        for number in range(1, count + 1):
            peer = Peer([*SERVER, str(root)], user)
            stack.callback(peer.close)
            peers.append(peer)
            peer.call("search", query="load an order")
            alone = settled(peer.pid).alone
            table.add(f"server {number}, its own alone", alone, "MiB", SERVER_LIMIT_MIB if number > 1 else None)
            if number in (1, count):
                _model_memory(user["HOME"], f"{number} attached", table)
        table.add(f"{count} servers together, resident", sum(memory_of(peer.pid).resident for peer in peers), "MiB")


def _model_memory(home: str, when: str, table: Table) -> None:
    sampler = Sampler(home)
    sampler.look()
    table.add(f"the model's processes, private, {when}", sampler.private[-1] / 1e6, "MB", PRIVATE_LIMIT_MB)
    table.add(f"the model's processes, shared, {when}", sampler.shared[-1] / 1e6, "MB")
    services = sum(name == "embedding.shared.serving" for name, _ in model_processes(home))
    table.add(f"embedding services, {when}", services, "", 1)


def measure(path: Path, options: argparse.Namespace, scratch: Path, table: Table) -> None:
    user = environment(scratch / "home") | {"CODELOUPE_MODEL_NAME": str(path)}
    os.environ.update(user)  # the servers' place and ours must be one
    checking(path, user, table)
    loading(path, table)
    counter, spec = Counter(path), spec_for(str(path))
    texts = [counter.cut(text * 3, CHUNK_TOKENS) for text in chunks()]
    settings = settings_of_user().settings
    memory = settings.memory.model_copy(update={"vector_cache_mb": 0})  # what is measured is not to be remembered
    embedder = open_embedder(settings.model, memory, data_directory(), cache_directory())
    try:
        with sampled(user["HOME"]) as sampler:
            began = time.perf_counter()
            embedder.embed_query("hello", PATIENCE_S)
            table.add("first query, everything started for it", time.perf_counter() - began, "s")
            asking(embedder, counter, texts[: options.queries], spec.query_prefix, table)
            indexing(embedder, texts[: options.chunks], table)
            table.add("the model's processes, private, indexing", max(sampler.private) / 1e6, "MB", PRIVATE_LIMIT_MB)
            table.add("the model's processes, peak of all", sampler.peak / 1e6, "MB", PEAK_LIMIT_MB)
            serving(options.servers, user, scratch, table)
            table.add("peak with servers and their indexing", sampler.peak / 1e6, "MB", PEAK_LIMIT_MB)
    finally:
        embedder.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument(
        "--model", type=Path, help="a GGUF file; written in nomic-embed-code's shapes where it is absent"
    )
    parser.add_argument("--queries", type=int, default=20)
    parser.add_argument("--chunks", type=int, default=12)
    parser.add_argument("--servers", type=int, default=3)
    options = parser.parse_args()
    table = Table()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        measure(model_file(options.model), options, Path(scratch), table)
    return 0 if table.kept else 1


if __name__ == "__main__":
    sys.exit(main())
