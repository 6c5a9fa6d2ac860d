"""How a download or a long read looks: bars on a terminal, a line now and then in a pipe, events for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from embedding.files.hub import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

STEPS = 20  # lines or events for one file, whatever its size


@contextmanager
def shown(*, as_json: bool) -> Iterator[Progress]:
    """What hears of bytes that came, and shows them on stderr; with ``as_json`` as events on stdout, a line each."""
    if as_json:
        yield Steps(as_json=True)
    elif sys.stderr.isatty():
        with _bars() as bars:
            yield Moving(bars)
    else:
        yield Steps()


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Say on a terminal that a file is being read, for as long as that takes: gigabytes take a while."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"reading {what}"):
        yield


class Steps:
    """Says each file's beginning, every twentieth of it, and its end."""

    def __init__(self, *, as_json: bool = False) -> None:
        self._as_json = as_json
        self._said: dict[str, int] = {}  # the step of each file that was said last

    def __call__(self, what: str, done: int, total: int) -> None:
        """``done`` of ``total`` bytes of ``what`` are here; 0 of 0 where it is no file but something that happens."""
        step = done * STEPS // total if total else 0
        if self._said.get(what) == step:
            return
        self._said[what] = step
        if self._as_json:
            click.echo(json.dumps({"event": "progress", "what": what, "bytes": done, "total": total}))
        else:
            share = f": {done / 2**20:,.0f} of {total / 2**20:,.0f} MiB" if total else ""
            click.echo(f"{what}{share}", err=True)


class Moving:
    """A bar for each file."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        """See Steps."""
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total or None)
        self._bars.update(self._tasks[what], completed=done, total=total or None)


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)
