"""One root as a server sees it: its store, the job that indexes it, and how far the directory has moved on."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic

from mcp_server import home
from mcp_server.errors import EXPECTED
from mcp_server.freshness import Freshness
from mcp_server.indexes.drift import Drift
from mcp_server.indexes.job_view import JobView
from mcp_server.indexes.jobs import Job
from mcp_server.indexes.root_watch import RootWatch
from mcp_server.indexes.standing import Standing
from mcp_server.meaning import Meaning, wanted_fingerprint
from mcp_server.metrics.figures import RootFigures
from mcp_server.metrics.meter import Meter
from mcp_server.metrics.wrappers import measured_store
from mcp_server.settings import Settings
from mcp_server.statuses import RootStatus
from storage.backends import open_store
from storage.errors import IndexUnusableError
from storage.fingerprint import IndexState
from storage.search import Query, Results, search
from storage.store import ChunkStore, StoreStats

DRIFT_WAIT_S = 0.15  # a look at 5,000 files ends within it
CHANGE_WAIT_S = 0.5  # a running job makes a few changed files searchable within it
OTHER_LOOK_S = 0.1  # how often one that waits for another process's work looks whether it is there
STATS_AGE_S = 2.0  # how old the figures of an answer's last line may be while nothing of ours writes

LOOK_S = 10.0  # the longest look that a batch of changes waits for; a longer one is asked for again

UNREADABLE = (IndexState.MISSING, IndexState.STALE_SCHEMA, IndexState.CORRUPT)

StartJob = Callable[["RootIndex", bool], Job]  # what brings an index up to date, from nothing where that is said

log = logging.getLogger(__name__)


class RootIndex:
    """The index of one directory. Thread-safe; opens its store at first use."""

    def __init__(
        self,
        path: Path,
        settings: Settings,
        meaning: Callable[[], Meaning],
        start_job: StartJob,
        meter: Meter | None = None,
    ) -> None:
        self.path = path
        self.settings = settings
        self.meaning = meaning
        self.meter = meter or Meter()
        self.directory = home.index_directory(settings, path)
        self._start_job = start_job
        self._lock = threading.RLock()
        self._store: ChunkStore | None = None
        self._job: Job | None = None
        self.watch = RootWatch(path, settings.index, lambda: self.open().files(), self._at_work)
        self._indexed_branch = ""  # what was checked out when the index last held everything
        self._asked_at = 0.0  # monotonic seconds of the last call for a refresh
        self._stats: tuple[float, JobView, StoreStats] | None = None

    def open(self) -> ChunkStore:
        """The store, for reading."""
        with self._lock:
            if self._store is None:
                self._store = measured_store(open_store(self.settings.storage, self.directory), self.meter)
            return self._store

    def state(self) -> IndexState:
        """Whether the stored index can serve the settings of this server."""
        return self.open().state(wanted_fingerprint(self.settings, self.meaning()))

    def covered(self) -> float:
        """The share of chunks that can be found by a vector of this server's model now, 0 to 1."""
        if self.state() is not IndexState.CURRENT:
            return 0.0
        stats = self.stats()
        return min(1.0, stats.vectors / max(1, stats.chunks))

    def begin(self) -> None:
        """Before a search: start or refresh what is needed, and wait a little for it where that helps."""
        state = self.state()
        since = monotonic() if self._view().takes_changes else math.inf  # else it looks at what is being done
        seen = self.watch.latest(DRIFT_WAIT_S)
        if state is not IndexState.CURRENT:
            self._wait_for_text(self.refresh(), self.settings.search.first_answer_wait_s)
        elif self._is_behind(seen, since):
            self.watch.settle()
            before = self._view()
            ending = not before.resting and not before.busy
            self._wait_for_text(self.refresh(paths=self.watch.only(seen)), CHANGE_WAIT_S, ending=ending)
        elif self._at_work() and self.stats().chunks == 0:
            self._wait_for_text(self.refresh_or_current(), self.settings.search.first_answer_wait_s)
        elif self._left_unfinished():
            self.refresh()

    def search(self, query: Query) -> Results:
        """Hits of this root; an index that cannot be read has none, and freshness says why."""
        if self.state() is IndexState.CORRUPT and not self._at_work():
            self.begin()  # it was found damaged after this search began
        if self.state() in UNREADABLE:
            return Results((), more=False, complete=True)
        try:
            results = search(self.open(), self._served(query))
        except IndexUnusableError:
            self.begin()  # it is told to the writer by now, which mends it; or it is another model's since
            if self.state() in UNREADABLE:
                return Results((), more=False, complete=True)
            results = search(self.open(), self._served(query))
        if results.damaged:
            self.refresh()
        self._ask_for_vectors(results.near)
        return results

    def _served(self, query: Query) -> Query:
        """The query without what an index of another model or table cannot answer."""
        state = self.state()
        vector = None if state is IndexState.STALE_MODEL else query.vector
        sketch = None if state is IndexState.STALE_SKETCH else query.sketch
        return replace(query, vector=vector, sketch=sketch, covered=self.covered())

    def refresh(self, *, force: bool = False, paths: frozenset[str] | None = None) -> Job:
        """The job that brings this index up to date, started or asked again; ``paths`` where all else is."""
        with self._lock:
            if self._job is not None and not force and not self._job.view().takes_changes:
                return self._job
            self._asked_at = monotonic()
            if self._job is None or not self._job.refresh(force=force, paths=paths):
                self._job = self._start_job(self, force)
            return self._job

    def refresh_or_current(self) -> Job:
        """The job at work, or a new one."""
        with self._lock:
            return self._job if self._job is not None else self.refresh()

    def stats(self) -> StoreStats:
        """Figures of the store: of now while a job works, else at most two seconds old; none where it is damaged."""
        view = self._view()  # whole: two jobs may have the same number
        with self._lock:
            if self._stats and self._stats[1] == view and monotonic() - self._stats[0] < STATS_AGE_S:
                return self._stats[2]
        try:
            stats = self.open().stats()
        except IndexUnusableError:  # the state says so from now on
            return StoreStats(0, 0, 0)
        with self._lock:
            self._stats = (monotonic(), view, stats)
        return stats

    def freshness(self, notes: tuple[str, ...] = (), *, model_failed: bool = False) -> Freshness:
        """What an answer made now can say about itself; ``model_failed`` where ``notes`` say so already."""
        seen, branch = self.watch.latest(0.0), self.watch.branch()
        standing = self._standing(seen)
        stalled = standing.view.stalled
        waits = stalled if stalled and not model_failed and self.meaning().embedder else ""
        elsewhere = self._branch_notes(branch, behind=not standing.level)
        said = (*notes, *standing.notes(monotonic(), waits), *elsewhere)
        return replace(standing.freshness(), notes=said, branch=branch)

    def _standing(self, seen: Drift | None) -> Standing:
        """How the index stands now against what was ``seen`` of the directory."""
        stats = self.stats() if self.state() not in UNREADABLE else StoreStats(0, 0, 0)
        state = self.state()  # after the figures, which may find that it is damaged
        watch = self.watch
        return Standing(state, stats, self._view(), seen, watch.pending(), watch.listening, watch.error)

    def status(self) -> RootStatus:
        """For the status tool."""
        view, stats = self._view(), self.stats()
        self.watch.latest(DRIFT_WAIT_S)
        return RootStatus(
            str(self.path),
            self.freshness(),
            "" if view.resting or self._job is None else view.sentence(),
            stats.skipped,
            stats.vector_index,
            stats.text_index,
            stats.disk_bytes,
            view.error or self.watch.error,
            self.watch.status(),
        )

    @property
    def changes(self) -> object:
        """Something else whenever there is much new in ``figures``; waits for no lock that is held for long."""
        job = self._job
        return job.view() if job is not None else None, self.watch.has_looked

    def figures(self) -> RootFigures:
        """What is known without a look at the directory."""
        standing = self._standing(self.watch.known())
        view, fresh = standing.view, standing.freshness()
        unchecked = standing.seen is None and fresh.state == "stale"
        return RootFigures(
            name=self.path.name,
            id=home.index_id(self.directory),
            state="unchecked" if unchecked else fresh.state,
            files=fresh.files,
            chunks=fresh.chunks,
            vectors=fresh.vectors,
            sketches=fresh.sketches,
            text_share=round(fresh.text_share, 4),
            sketch_share=round(fresh.sketch_share, 4),
            vector_share=round(fresh.vector_share, 4),
            disk_bytes=standing.stats.disk_bytes,
            phase="" if view.resting else view.phase,
            done=view.done,
            total=view.total,
        )

    def listen(self) -> None:
        """Take up changes as the system tells of them, until ``close``; where it does not, searches look as before."""
        self.watch.listen(self._freshen, self.directory)

    def close(self, *, wait: bool = True) -> None:
        """Stop the job and let go of the store."""
        self.watch.close()
        with self._lock:
            job, store = self._job, self._store
        if job is not None:  # it may be opening the store just now, so the lock is not held meanwhile
            job.stop(wait=wait)
        if store is not None:
            store.close()

    def _freshen(self) -> bool:
        """Take up what was heard; False while that cannot be: the index is being made, or its text written."""
        since = monotonic()
        try:
            if self.state() is not IndexState.CURRENT or not self._view().takes_changes:
                return False
            seen = self.watch.latest(LOOK_S)
            if self._is_behind(seen, since):
                self.refresh(paths=self.watch.only(seen))
        except EXPECTED as error:
            log.warning("changes in %s were not taken up: %s", self.path, error)
        return not self.watch.pending()

    def _is_behind(self, seen: Drift | None, since: float) -> bool:
        """Whether a refresh is due. One that goes on has done what was seen before its text was written."""
        if seen is None or not seen.changed:
            return False
        view = self._view()
        return view.resting or bool(view.busy) or (view.takes_changes and seen.at >= max(since, self._asked_at))

    def _view(self) -> JobView:
        with self._lock:
            return self._job.view() if self._job is not None else JobView(resting=True)

    def _ask_for_vectors(self, ids: Sequence[str]) -> None:
        """Have what a search found, or nearly found, embedded next, where vectors are being made."""
        if self._job is None or not ids or not self._at_work():
            return
        stats = self.stats()
        if stats.vectors < stats.chunks:
            self._job.ask(ids)

    def _left_unfinished(self) -> bool:
        """Whether chunks wait for vectors nobody makes: a run of an earlier server ended early, or one of ours died.

        A run that was cancelled goes on with the next search as well: who cancels has most often waited long enough for
        an answer, and does not mean that there shall never be one.
        """
        view = self._view()
        if self._job is not None and not (view.resting and (view.error or view.interrupted)):
            return False
        stats = self.stats()
        return stats.vectors < stats.chunks and self.meaning().embedder is not None

    def _at_work(self) -> bool:
        return not self._view().resting

    def _wait_for_text(self, job: Job, longest_s: float, *, ending: bool = False) -> None:
        """Until the job has published the text, or ``longest_s`` seconds have gone; ``ending`` a run before that."""
        end = monotonic() + longest_s
        view = job.view()
        runs = view.runs + ending
        while not view.has_text(runs) and monotonic() < end:
            if view.busy and self.is_up_to_date():
                break
            view = job.wait_for_change(view, min(OTHER_LOOK_S, end - monotonic()) if view.busy else end - monotonic())
        self.watch.latest(DRIFT_WAIT_S)

    def is_up_to_date(self) -> bool:
        """Whether the process that writes has published all there is."""
        seen = self.watch.latest(DRIFT_WAIT_S)
        return seen is not None and not seen.changed

    def _branch_notes(self, branch: str, *, behind: bool) -> tuple[str, ...]:
        """Which branch an answer is still of, where another has been checked out since."""
        if not behind:
            self._indexed_branch = branch
        if branch == self._indexed_branch or not self._indexed_branch:
            return ()
        return (f"these are answers of {self._indexed_branch}; {branch} is checked out now",)
