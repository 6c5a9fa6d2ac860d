"""The server's side of indexing: a job a root, watched through frozen views.

ProcessJob runs it in a child (mcp_server/indexes/job.py); ThreadJob in this process, for an index that lives in memory.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from embedding.process import PACKAGE_ROOT, child_environment
from mcp_server.errors import EXPECTED
from mcp_server.indexes.job_view import JobView, after
from mcp_server.metrics.counts import counts_of
from mcp_server.metrics.meter import Meter
from mcp_server.settings import Settings

STOP_S = 3.0  # a child asked to stop gets so long for its last commit, then it is killed; nothing committed is lost

CRASHED = "The indexing process ended with code {code}; what it committed is kept, and the next search starts it again."

Post = Callable[[dict[str, Any]], None]

log = logging.getLogger(__name__)


class Board:
    """The latest view of a job, and a place to wait for the next."""

    def __init__(self) -> None:
        self._view = JobView()
        self._changed = threading.Condition()

    def view(self) -> JobView:
        """The latest view."""
        with self._changed:
            return self._view

    def wait_for_change(self, seen: JobView, timeout_s: float) -> JobView:
        """The first view newer than ``seen``, or the same one after ``timeout_s`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._view.number != seen.number, timeout_s)
            return self._view

    def post(self, event: dict[str, Any]) -> None:
        """Fold one event into the view."""
        with self._changed:
            self._view = after(self._view, event)
            self._changed.notify_all()


class Job(Protocol):
    """Indexing of one root, as the engine sees it."""

    def view(self) -> JobView:
        """Where it is."""
        ...

    def wait_for_change(self, seen: JobView, timeout_s: float) -> JobView:
        """The next view, or the same one after ``timeout_s`` seconds."""
        ...

    def refresh(self, *, force: bool = False, paths: Collection[str] | None = None) -> bool:
        """Look at the directory again, or only at ``paths`` where nothing else has changed.

        False if this job has ended and another must be started.
        """
        ...

    def ask(self, ids: Sequence[str]) -> None:
        """Have these chunks get their vectors next, best first; without effect on a job that has ended."""
        ...

    def stop(self, *, wait: bool = True) -> None:
        """End it; what was committed stays. Without ``wait`` it ends by itself soon after."""
        ...


class ProcessJob(Board):
    """A child process that indexes one root and stays for the next change."""

    def __init__(self, root: Path, settings: Settings, meter: Meter | None = None, *, force: bool = False) -> None:
        """``meter`` also counts what the child does."""
        super().__init__()
        self._meter = meter or Meter()
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "mcp_server.indexes.job"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=PACKAGE_ROOT,
            env=child_environment(dict(os.environ), threads=1),
            text=True,
            encoding="utf-8",
        )
        self._sending = threading.Lock()
        self._stopped = False
        self._send({"root": str(root), "settings": settings.model_dump(mode="json"), "force": force})
        threading.Thread(target=self._listen, daemon=True, name=f"job {root.name}").start()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._child.pid

    def refresh(self, *, force: bool = False, paths: Collection[str] | None = None) -> bool:
        """See Job."""
        self.post({"asked": True})
        return self._child.poll() is None and self._send({"force": force, "paths": sorted(paths) if paths else None})

    def ask(self, ids: Sequence[str]) -> None:
        """See Job."""
        self._send({"asked": list(ids)})

    def stop(self, *, wait: bool = True) -> None:
        """See Job."""
        with self._sending:
            self._stopped = True
            if self._child.stdin and not self._child.stdin.closed:
                self._child.stdin.close()
        self.post({"ended": ""})  # whoever asks from now on gets another job
        if not wait:
            return
        try:
            self._child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _send(self, command: dict[str, Any]) -> bool:
        with self._sending:
            try:
                assert self._child.stdin is not None
                self._child.stdin.write(json.dumps(command) + "\n")
                self._child.stdin.flush()
            except (OSError, ValueError):  # it has ended, or is being stopped
                return False
            return True

    def _listen(self) -> None:
        assert self._child.stdout is not None
        with self._child.stdout as lines:
            for event in events(lines):
                self._hear(event)
        code = self._child.wait()
        self.post({"ended": CRASHED.format(code=code) if code and not self._stopped else ""})

    def _hear(self, event: dict[str, Any]) -> None:
        if "counts" in event:
            self._meter.add(counts_of(event["counts"]))
        else:
            self.post(event)


def events(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """What a child says, a line each, up to one that its end has cut."""
    with suppress(json.JSONDecodeError):
        for line in lines:
            yield json.loads(line)


class ThreadJob(Board):
    """The same in a thread: ``work`` is called once for each refresh and posts events by the function it is given."""

    def __init__(
        self,
        work: Callable[[Post, Callable[[], bool], bool], None],
        ask: Callable[[Sequence[str]], None] = lambda _: None,
        *,
        force: bool = False,
    ) -> None:
        super().__init__()
        self._work = work
        self.ask = ask
        self._stopping = threading.Event()
        self._asked: list[bool] = [force]
        self._thread = threading.Thread(target=self._serve, daemon=True, name="index")
        self._thread.start()

    def refresh(self, *, force: bool = False, paths: Collection[str] | None = None) -> bool:  # noqa: ARG002
        """See Job; looks at everything: in this process that is no longer than it takes to say otherwise."""
        with self._changed:
            if self._stopping.is_set() or not self._thread.is_alive():
                return False
            self._asked.append(force)
        self.post({"asked": True})
        return True

    def stop(self, *, wait: bool = True) -> None:
        """See Job."""
        self._stopping.set()
        self.post({"ended": ""})
        if wait:
            self._thread.join(STOP_S)

    def _serve(self) -> None:
        while True:
            with self._changed:
                if not self._asked or self._stopping.is_set():
                    self._stopping.set()
                    break
                force, self._asked = any(self._asked), []
            try:
                self._work(self.post, lambda: self._stopping.is_set() or bool(self._asked), force)
            except EXPECTED as error:
                self.post({"error": str(error)})
        self.post({"ended": ""})
