"""How a run and an answer look: bars, colours and clickable places on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from mcp_server.answers.answer import Answer, Found
from mcp_server.answers.blocks import merged
from mcp_server.answers.text import as_text
from mcp_server.indexes.job_view import PHASES, JobView
from mcp_server.indexes.jobs import Job
from mcp_server.requests import Answering

LOOK_S = 0.2  # how often a bar moves


def follow(job: Job) -> JobView:
    """Show progress on stderr until the job rests; Ctrl-C stops it and is passed on."""
    try:
        return _with_bar(job) if sys.stderr.isatty() else _silently(job)
    except KeyboardInterrupt:
        job.stop()
        raise


def answer(found: Answer, how: Answering, roots: Sequence[Path]) -> str:
    """The answer as text; on a terminal with colours and links."""
    if not sys.stdout.isatty() or not found.found:
        return as_text(found, how)
    return _coloured(found, how, roots)


def _silently(job: Job) -> JobView:
    view = job.view()
    while not over(view):
        view = job.wait_for_change(view, 60.0)
    return view


def over(view: JobView) -> bool:
    """Whether a terminal has nothing more to wait for."""
    return view.resting or bool(view.busy) or view.runs > 0


def _with_bar(job: Job) -> JobView:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar, phase = progress.add_task("starting", total=None, rate=""), ""
        view = job.view()
        while not over(view):
            if view.phase != phase:
                phase = view.phase
                progress.reset(bar, total=view.total or None, description=PHASES.get(phase, phase))
            speed = progress.tasks[0].speed
            progress.update(bar, completed=view.done, total=view.total or None, rate=f"{speed:,.0f}/s" if speed else "")
            view = job.wait_for_change(view, LOOK_S)
    return view


def _coloured(found: Answer, how: Answering, roots: Sequence[Path]) -> str:
    """Heads bold and linked, line numbers dim; the same words as in a pipe."""
    from rich.console import Console
    from rich.text import Text

    text = Text(as_text(found, how))
    text.highlight_regex(r"(?m)^\d+\. \S+:\d+-\d+", style="bold cyan")
    text.highlight_regex(r"(?m)^\d+ ", style="dim")
    text.highlight_regex(r"(?m)^\[.*\]$", style="italic dim")
    for block in merged(found.found):
        text.highlight_words([block.location], style=f"link {_link(block.members[0], roots)}")
    console = Console()
    with console.capture() as capture:
        console.print(text, end="", soft_wrap=True)
    return capture.get()


def _link(found: Found, roots: Sequence[Path]) -> str:
    root = next((root for root in roots if root.name == found.root), roots[0])
    return f"{(root / found.hit.chunk.file_path).as_uri()}#L{found.hit.chunk.start_line}"
