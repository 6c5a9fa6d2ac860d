"""What `codeloupe map` does: bring the index up to date, look at it, lay it out, write the page."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from embedding.files.publish import publish
from mcp_server.command_line import terminal
from mcp_server.command_line.commands import FOUND, NOTHING, engine_for
from mcp_server.errors import ProductError
from mcp_server.freshness import counted
from mcp_server.home import cache_directory, index_directory
from mcp_server.map.neighbours import Report
from mcp_server.map.page import page
from mcp_server.map.payload import payload
from mcp_server.map.survey import Survey, place, take
from mcp_server.settings import Settings, load

MAPS = "maps"  # in the cache directory: not in the project, where a page would be indexed in its turn


def draw(root: Path, overrides: Sequence[str], output: str, version: str, *, show: bool) -> int:
    """Write the page of ``root`` to ``output``, or to a file of its own where that is "", and print its path.

    Raises ProductError where it cannot be written, RequestError where nothing says which chunks are alike.
    """
    settings = load(root, overrides).settings
    target = Path(output).expanduser() if output else _usual_place(root, settings)
    _refuse_what_is_no_file(target)
    survey = _surveyed(root, settings)
    if not survey.sample.chunks:
        click.echo(f"codeloupe: {root} has no code that is indexed, so there is nothing to draw.", err=True)
        return NOTHING
    with _progress() as report:
        placed = place(survey.sample, report)
    size = _write(target, page(payload(survey, placed, version)))
    click.echo(target)
    _say(survey, placed.by, size)
    if root.resolve() in target.resolve().parents:
        click.echo(
            "codeloupe: the page is in the project, so it is indexed in its turn unless it is ignored.", err=True
        )
    if show and not webbrowser.open(target.resolve().as_uri()):
        click.echo(f"codeloupe: no browser could be opened; open {target} in one.", err=True)
    return FOUND


def _surveyed(root: Path, settings: Settings) -> Survey:
    """The root's index, made or brought up to date first; vectors are drawn as far as they are there."""
    with engine_for([root], settings, most_vectors=0) as engine:
        view = terminal.follow(engine.roots[root].refresh())
        if note := view.busy or view.error:
            click.echo(f"codeloupe: {note}", err=True)
        return take(engine, root)


def _usual_place(root: Path, settings: Settings) -> Path:
    return cache_directory() / MAPS / f"{index_directory(settings, root).name}.html"


def _refuse_what_is_no_file(target: Path) -> None:
    """A page takes the place of what is there; a directory, a device or a pipe is not for it to replace."""
    if target.exists() and not target.is_file():
        raise ProductError(f"The map cannot be written to {target} (it is no file); name another file with -o.")


def _write(target: Path, content: bytes) -> int:
    """Put the page at ``target``, for this user's eyes; its size in bytes."""
    try:
        publish(target, content)
    except OSError as error:
        raise ProductError(
            f"The map cannot be written to {target} ({error.strerror or error}); name another file with -o."
        ) from error
    return len(content)


def _say(survey: Survey, by: str, size: int) -> None:
    shown, total = len(survey.sample.chunks), survey.status.roots[0].freshness.chunks
    drawn = f"{shown:,} of {total:,} chunks, drawn evenly" if shown < total else counted(shown, "chunk")
    click.echo(f"codeloupe: {drawn}; {size / 1e6:.1f} MB. {by}", err=True)


@contextmanager
def _progress() -> Iterator[Report]:
    """A bar on a terminal; silence in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("laying out", total=None)
        yield lambda done, total: progress.update(bar, completed=done, total=total)
