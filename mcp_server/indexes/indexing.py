"""One run of the indexer over one root: judge what is there, refresh the text, embed, tidy.

The same function serves a terminal, a server's child process, and a server that keeps its index in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, time

from embedding.errors import EmbeddingError
from indexer.cutting import Cutting
from indexer.pipeline import Progress, Report, Stop, TextSummary, refresh_text
from indexer.refine import Refiner
from indexer.rules import KeptRules
from indexer.walker import Look, Part
from mcp_server.home import index_directory, note_root
from mcp_server.meaning import Meaning, wanted_fingerprint
from mcp_server.metrics.meter import Meter
from mcp_server.metrics.wrappers import IndexRun, measured_store
from mcp_server.patience import passes
from mcp_server.settings import Settings
from storage.backends import open_store
from storage.fingerprint import Fingerprint, IndexState
from storage.lock import WriterLock
from storage.store import ChunkStore

# How often an idle child reads the whole index: 17 s of processor time for a million chunks, ended by any request.
CHECK_EVERY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did, in figures, and what the index holds after it."""

    files: int
    chunks: int
    vectors: int
    read: int
    removed: int
    embedded: int
    seconds: float
    finished: bool
    skipped: Mapping[str, int] = field(default_factory=dict)
    meaning_off: str = ""  # why there are no vectors, in a sentence; "" where there are
    rebuilt: str = ""  # why an earlier index was dropped; "" where it was not
    passing: bool = False  # ``meaning_off`` may be over in a while: worth another run then


@contextmanager
def writing(settings: Settings, root: Path) -> Iterator[ChunkStore]:
    """The store of ``root``, for the one process that may write it.

    Raises IndexBusyError where another process does.
    """
    directory = index_directory(settings, root)
    note_root(directory, root)
    store = open_store(settings.storage, directory)
    try:
        with store.writing():
            yield store
    finally:
        store.close()


@dataclass(frozen=True, slots=True)
class Work:
    """What is indexed and how, and what is kept in mind from run to run."""

    root: Path
    settings: Settings
    meaning: Meaning
    refiner: Refiner = field(default_factory=Refiner)  # knows what searches asked for
    rules: KeptRules | None = None  # of the root, where it is looked at again and again
    meter: Meter = field(default_factory=Meter)


@dataclass(frozen=True, slots=True)
class Scope:
    """How much a run does: what changed, or every file, or the text and a few vectors."""

    force: bool = False
    most_vectors: int | None = None
    paths: frozenset[str] | None = None  # nothing else has changed


def write(work: Work, report: Report, stop: Stop, scope: Scope) -> tuple[Summary, bool]:
    """One run as the one writer; and whether another process asked meanwhile to look at the directory again.

    Asked, the run ends early, but not before the whole text is published: what changed since is for the next run.
    Raises IndexBusyError where another process writes.
    """
    lock = WriterLock(index_directory(work.settings, work.root))
    phase = ""

    def reported(progress: Progress) -> None:
        nonlocal phase
        phase = progress.phase
        report(progress)

    def ended() -> bool:
        work.refiner.ask(lock.wanted())
        return stop() or (phase == "vectors" and lock.asked())

    with writing(work.settings, work.root) as store:
        lock.answer()
        summary = run(work, store, reported, ended, scope)
        return summary, lock.asked()


def write_while_asked(work: Work, report: Report, stop: Stop, scope: Scope) -> Summary:
    """``write``, and again as long as another process asks for it meanwhile."""
    summary, asked = write(work, report, stop, scope)
    while asked and not stop():
        summary, asked = write(work, report, stop, replace(scope, force=False))
    return summary


def run(work: Work, store: ChunkStore, report: Report, stop: Stop, scope: Scope) -> Summary:
    """Bring the store up to date with the root; what was committed stays, whatever happens after it."""
    with IndexRun(work.meter) as counted:
        summary = _run(work, measured_store(store, work.meter), report, stop, scope)
        counted.finished = summary.finished
    return summary


def _run(work: Work, store: ChunkStore, report: Report, stop: Stop, scope: Scope) -> Summary:
    started = monotonic()
    rebuilt = prepare(store, wanted_fingerprint(work.settings, work.meaning))
    cutting = Cutting(work.settings.index, work.meaning.table)
    part = Part(scope.paths) if scope.paths is not None and not rebuilt else None
    look = Look(part, scope.force, work.rules.found(anew=part is None) if work.rules else None)
    text = refresh_text(work.root, store, cutting, report, stop, look)
    _tidy(store, report)
    made = _embed(work, store, report, stop, scope)
    if made.vectors:
        _tidy(store, report)
    summary = _summary(store, text, made, seconds=monotonic() - started, rebuilt=rebuilt)
    return summary if scope.most_vectors is None else replace(summary, finished=text.finished)


def inspect(work: Work, stop: Stop) -> bool:
    """Read the whole index once a day as its one writer, and mend it; whether anything was damaged.

    What is forgotten by that, the next run reads again. Raises IndexBusyError where another process writes.
    """
    checked = index_directory(work.settings, work.root) / "checked"
    if checked.exists() and time() - checked.stat().st_mtime < CHECK_EVERY_S:
        return False
    with writing(work.settings, work.root) as store:
        damages = store.mend(thorough=True, stop=stop)
    if not stop():
        checked.touch(mode=0o600)
    return bool(damages)


def prepare(store: ChunkStore, wanted: Fingerprint) -> str:
    """Drop what cannot serve ``wanted``; returns why, in words, or ""."""
    store.mend()
    state = store.state(wanted)
    if state in REBUILD_REASONS:
        store.reset(wanted)
        return REBUILD_REASONS[state]
    if state is IndexState.STALE_MODEL:
        store.reset_vectors(wanted)
        return "the vectors were made by another model"
    return ""


REBUILD_REASONS = {
    IndexState.MISSING: "",
    IndexState.STALE_SCHEMA: "the index was written by another version of codeloupe",
    IndexState.STALE_CHUNKER: "files are cut in another way now",
    IndexState.STALE_SKETCH: "the lookup table is another one now",
    IndexState.CORRUPT: "the index on disk is damaged",
}


@dataclass(frozen=True, slots=True)
class _Made:
    """How many vectors a run made, and what kept it from making more."""

    vectors: int = 0
    off: str = ""
    passing: bool = False


def _embed(work: Work, store: ChunkStore, report: Report, stop: Stop, scope: Scope) -> _Made:
    if work.meaning.embedder is None:
        return _Made(off=work.meaning.off)
    before = store.stats().vectors
    try:
        work.refiner.run(store, work.meaning.embedder, report, stop, scope.most_vectors)
    except EmbeddingError as error:  # the text is there and serves; the reason is said with every answer
        return _Made(store.stats().vectors - before, str(error), passes(error))
    return _Made(store.stats().vectors - before)


def _tidy(store: ChunkStore, report: Callable[[Progress], None]) -> None:
    report(Progress("tidy", 0, 0))
    store.maintain()


def _summary(store: ChunkStore, text: TextSummary, made: _Made, *, seconds: float, rebuilt: str) -> Summary:
    stats = store.stats()
    complete = text.finished and (bool(made.off) or stats.vectors >= stats.chunks)
    return Summary(
        stats.searchable_files,
        stats.chunks,
        stats.vectors,
        text.read,
        text.removed,
        made.vectors,
        seconds,
        complete,
        text.skipped,
        made.off,
        rebuilt,
        made.passing,
    )
