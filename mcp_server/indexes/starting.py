"""How a root's index is brought up to date: by a child of the server, or in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from time import monotonic, sleep

from indexer.pipeline import Progress, Stop
from indexer.refine import Refiner
from mcp_server.indexes.indexing import Scope, Summary, Work, run, write_while_asked
from mcp_server.indexes.jobs import Job, Post, ProcessJob, ThreadJob
from mcp_server.indexes.root_index import RootIndex, StartJob
from mcp_server.patience import rested, retry_after_s
from mcp_server.settings import Settings
from storage.errors import IndexBusyError

BUSY_LOOK_S = 0.05  # between two looks whether another process still writes


def usual(settings: Settings) -> StartJob:
    """In a child; in this process where the index is in its memory."""
    return in_thread if settings.storage.backend == "memory" else in_child


def in_child(index: RootIndex, force: bool) -> Job:
    """Index in a child process: the server for an index on disk."""
    return ProcessJob(index.path, index.settings, index.meter, force=force)


def in_turn(index: RootIndex, attempt: Callable[[], Summary], stop: Stop) -> Summary:
    """``attempt``, once it may write: another process gets some seconds to publish what it found changed.

    Raises IndexBusyError where it needs longer, or has published all and goes on.
    """
    end = monotonic() + index.settings.search.first_answer_wait_s
    while True:
        try:
            return attempt()
        except IndexBusyError:
            if stop() or index.is_up_to_date() or monotonic() > end:
                raise
        sleep(BUSY_LOOK_S)


def in_thread(index: RootIndex, force: bool, most_vectors: int | None = None) -> Job:
    """Index in this process: an index in memory, and the command line."""
    refiner = Refiner()

    def serve(post: Post, stop: Stop, forced: bool) -> None:
        def report(progress: Progress) -> None:
            post(asdict(progress))

        def once(scope: Scope) -> Summary:
            if index.settings.storage.backend == "memory":  # the store that is searched is the only one
                return run(work, index.open(), report, stop, scope)
            return in_turn(index, lambda: write_while_asked(work, report, stop, scope), stop)

        work = Work(index.path, index.settings, index.meaning(), refiner, meter=index.meter)
        wait_s = 0.0
        while True:
            summary = once(Scope(forced and not wait_s, most_vectors))
            passing = summary.passing and most_vectors is None
            wait_s = retry_after_s(passing=passing, embedded=summary.embedded, waited_s=wait_s)
            post({"summary": asdict(summary) | {"retry_after_s": wait_s}})
            if not wait_s or not rested(wait_s, stop):
                return

    return ThreadJob(serve, refiner.ask, force=force)
