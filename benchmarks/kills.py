"""An indexer is killed at random moments, and the index is looked at after each: nothing may be lost or torn.

    python -m benchmarks.kills [--times 100] [--files 250] [--source DIRECTORY] [--seed 1]

A server indexes and refines a real repository, of which some files change before each kill. Its indexing child, or
every second time its whole family, gets SIGKILL (benchmarks/trees.py keeps every version of every file). Each time:

* the index opens and is read at once, and every file in it is whole: its chunks are those of one version of the file,
* what was searchable before the kill still is: no chunk, sketch or vector less of a file that is in the same version,
* what a commit left half done is announced, and a server that lives on answers a search,

and in the end, when a last server has finished: all files as they are on disk, every checksum right, every vector
there, and no vector kept twice. What was at work in the model at a kill is lost with it, made again and counted.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
import psutil

from benchmarks.kept import Kept
from benchmarks.serving import Peer, environment
from benchmarks.trees import PROJECT, Tree, plant
from embedding.open import CACHE_FILE
from mcp_server.home import index_directory
from mcp_server.meaning import open_meaning, wanted_fingerprint
from mcp_server.settings import Settings, load
from storage.chunk import Chunk
from storage.fingerprint import IndexState
from storage.lance_store import LanceStore
from storage.schema import CHUNK_FIELDS, chunks_from, matrix_from

INDEXER = "mcp_server.indexes.job"
LONGEST_S = 3.0  # from the indexer's start to the kill
REFINING_S = 10.0  # from its first text at work in the model, which may have to be loaded first
TO_THE_MODEL_S = 25.0  # an indexer has begun to embed by then, or has nothing to embed
SHARE_REFINING = 0.5  # of the kills, awaited until the model is at work; the others hit start and text more often
PATIENCE_S = 60.0
CHANGED_FILES = 12  # before each kill


@dataclass(frozen=True, slots=True)
class View:
    """The index at one moment, as a reader sees it."""

    state: IndexState
    chunks: dict[str, tuple[Chunk, ...]] = field(default_factory=dict)  # by path, in file order
    vectors: frozenset[str] = frozenset()  # ids
    sketches: frozenset[str] = frozenset()
    pending: frozenset[str] = frozenset()
    damaged: frozenset[str] = frozenset()
    took_s: float = 0.0


@dataclass
class Place:
    """Where everything of one run lies."""

    scratch: Path

    def __post_init__(self) -> None:
        self.root = self.scratch / "root"
        self.environment = environment(self.scratch / "home")
        self.settings: Settings = load(self.root, [], self.environment).settings
        self.index = index_directory(self.settings, self.root)
        self.wanted = wanted_fingerprint(self.settings, open_meaning(self.settings))

    @property
    def cache(self) -> Path:
        return Path(self.environment["XDG_CACHE_HOME"]) / "codeloupe" / CACHE_FILE

    def view(self, *, checked: bool) -> View:
        """Open the index and read all of it; ``checked``, every checksum as well."""
        began = time.perf_counter()
        store = LanceStore(self.index)
        try:
            state = store.state(self.wanted)
            if state is not IndexState.CURRENT:
                return View(state)
            pending = frozenset(path for path, record in store.files().items() if record.size < 0)
            view = _read(store)
            took_s = time.perf_counter() - began
            damages = store.check() if checked else []
            damaged = frozenset(damage.path for damage in damages)
            return View(state, *view, pending, damaged, took_s)
        finally:
            store.close()


def _read(store: LanceStore) -> tuple[dict[str, tuple[Chunk, ...]], frozenset[str], frozenset[str]]:
    """Chunks by path, ids with a vector, ids with a sketch."""
    index = store._begun()  # noqa: SLF001 - the rows as they are, which no search shows
    rows = index.chunks.select([*CHUNK_FIELDS, "sketch"] if index.sketches else CHUNK_FIELDS)
    chunks = sorted(chunks_from(rows), key=lambda chunk: chunk.chunk_index)
    by_path: dict[str, list[Chunk]] = {}
    for chunk in chunks:
        by_path.setdefault(chunk.file_path, []).append(chunk)
    sketched = frozenset[str]()
    if index.sketches:
        places = np.flatnonzero(matrix_from(rows.column("sketch")).any(axis=1))
        sketched = frozenset(rows.column("id").take(places).to_pylist())
    ids = index.vectors.select(["id"]).column("id").to_pylist() if index.vectors else []
    known = {chunk.id for chunk in chunks}
    return {path: tuple(some) for path, some in by_path.items()}, frozenset(ids) & known, sketched


def lost(before: View, after: View, tree: Tree) -> list[str]:
    """What was there before a kill and is not after it."""
    if before.state is IndexState.CURRENT and after.state is not IndexState.CURRENT:
        return [f"the index was current and is {after.state}"]
    faults = [f"{path} is gone" for path in before.chunks if path not in after.chunks and not tree.may_be_without(path)]
    for path, chunks in before.chunks.items():
        ids = {chunk.id for chunk in chunks}
        if after.chunks.get(path) == chunks:
            faults += [f"{path} has lost vectors"] if before.vectors & ids > after.vectors & ids else []
            faults += [f"{path} has lost sketches"] if before.sketches & ids > after.sketches & ids else []
    return faults


def torn(view: View, tree: Tree) -> list[str]:
    """Files that are not whole, and damage that nobody announced."""
    faults = [f"{path} is no version of the file" for path, chunks in view.chunks.items() if not tree.is_one(chunks)]
    return faults + [f"{path!r} does not fit together, unannounced" for path in view.damaged - view.pending]


class Killing:
    """Server after server on one root, each killed or robbed of its indexer."""

    def __init__(self, place: Place, tree: Tree, kept: Kept, random: Random) -> None:
        self._place, self._tree, self._kept, self._random = place, tree, kept, random
        self._peer: Peer | None = None

    def once(self, *, whole: bool) -> tuple[View, View]:
        """Change files, have them indexed, kill at a random moment; the index just before and just after."""
        self._tree.change(CHANGED_FILES, self._random)
        peer = self.peer()
        begun = self._kept.begun()
        peer.call("index")
        indexer = _indexer(peer)
        longest_s = LONGEST_S
        if self._random.random() < SHARE_REFINING:
            longest_s = REFINING_S
            end = time.monotonic() + TO_THE_MODEL_S
            while self._kept.begun() == begun and time.monotonic() < end:
                time.sleep(0.02)
        time.sleep(self._random.uniform(0.0, longest_s))
        before = self._place.view(checked=False)
        if whole:
            kill(psutil.Process(peer.pid))
            self._peer = None
        elif indexer:
            kill(indexer)
        after = self._place.view(checked=True)
        if not whole:
            peer.call("search", query="open the connection", mode="text")
        return before, after

    def peer(self) -> Peer:
        """The server at work, or a new one."""
        if self._peer is None:
            line = [sys.executable, "-P", "-m", "mcp_server.cli", "serve", "--root", str(self._place.root)]
            self._peer = Peer(line, self._place.environment)
        return self._peer

    def finish(self) -> View:
        """Let the last server finish; what the index is in the end."""
        peer = self.peer()
        for _ in range(2):  # a change during the first is for the second
            peer.call("index", wait=True)
        peer.close()
        return self._place.view(checked=True)


def _indexer(peer: Peer) -> psutil.Process | None:
    """The server's indexing child, once it is there; None where it ended already."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        for child in psutil.Process(peer.pid).children():
            with suppress(psutil.Error):
                if INDEXER in child.cmdline():
                    return child
        time.sleep(0.02)
    return None


def kill(process: psutil.Process) -> None:
    """SIGKILL for a process and all below it, at once; returns when they are gone."""
    family = [process, *process.children(recursive=True)]
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(family, PATIENCE_S)


@dataclass
class Tally:
    """What all kills came to."""

    moments: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)

    def take(self, before: View, after: View, tree: Tree) -> list[str]:
        """Judge one kill; its faults."""
        found = lost(before, after, tree) + torn(after, tree)
        self.moments[moment(after, tree)] += 1
        self.faults += found
        self.took_s.append(after.took_s)
        return found


def moment(after: View, tree: Tree) -> str:
    """Where the indexer was when it was killed, by what it left."""
    if after.state is not IndexState.CURRENT:
        return "before the first commit"
    if after.pending:
        return "inside a commit"
    if not tree.is_current(after.chunks):
        return "between commits of text"
    return "refining" if len(after.vectors) < sum(map(len, after.chunks.values())) else "with all done"


def unfinished(last: View, tree: Tree, times: tuple[int, int]) -> list[str]:
    """What is not as it should be in the end."""
    faults = torn(last, tree)
    faults += [] if tree.is_current(last.chunks) else ["files are not as on disk"]
    missing = sum(map(len, last.chunks.values())) - len(last.vectors)
    faults += [f"{missing} chunks are without a vector"] if missing else []
    faults += [f"{times[0] - times[1]} vectors were kept twice"] if times[0] != times[1] else []
    return faults


def kills(place: Place, times: int, files: int, source: Path, seed: int) -> Iterator[tuple[str, list[str]]]:
    """So many kills; for each, and then for the end, what it was and its faults."""
    random = Random(seed)
    plant(source, place.root, files)
    tree = Tree(place.root, place.settings.index)
    kept = Kept(place.cache)
    killing, tally = Killing(place, tree, kept, random), Tally()
    for number in range(times):
        before, after = killing.once(whole=number % 2 == 1)
        faults = tally.take(before, after, tree)
        victim = "the whole server" if number % 2 else "the indexer"
        yield f"{victim:16} {moment(after, tree):24} {len(after.chunks):4} files {len(after.vectors):5} vectors", faults
    last = killing.finish()
    yield f"in the end       {sum(map(len, last.chunks.values()))} chunks", unfinished(last, tree, kept.times())
    moments = ", ".join(f"{count} {name}" for name, count in tally.moments.most_common())
    read = statistics.median(tally.took_s) * 1000, max(tally.took_s) * 1000
    yield f"killed {moments}", []
    yield f"opened and read in {read[0]:.0f} ms (median), {read[1]:.0f} ms at most", []
    again, most = kept.begun_again()
    yield f"vectors kept {kept.times()[0]:,}, of {kept.times()[1]:,} texts", []
    yield f"texts at work at a kill, made again: {again:,}, at most {most} at once", []


def main(arguments: Sequence[str]) -> int:
    """Print each kill, then the sum; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--files", type=int, default=250)
    parser.add_argument("--source", type=Path, default=PROJECT)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    broken = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        place = Place(Path(scratch))
        for number, (said, faults) in enumerate(kills(place, asked.times, asked.files, asked.source, asked.seed), 1):
            broken += bool(faults)
            print(f"{number:3} {said}", *(f"\n    FAULT {fault}" for fault in faults), flush=True)
    print(f"{asked.times} kills, {broken} with a broken promise")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
