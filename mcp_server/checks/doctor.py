"""`codeloupe doctor`: looks at one thing after another, from what lies below to what rests on it, and says the mend.

What is looked at is in mcp_server/checks; here are the order and the words around it. Nothing is fetched, and nothing
is changed but what ``--repair`` asks for. It takes a few seconds, and one more for each 2 GB of the model's file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from mcp_server.checks import client_files, index, leftovers, libraries, llama, machine, model, places, server
from mcp_server.checks.findings import Finding, Level, error, well
from mcp_server.errors import ConfigError
from mcp_server.freshness import counted
from mcp_server.meaning import open_meaning
from mcp_server.settings import Settings, load, user_file


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be looked at, and as which version of codeloupe."""

    roots: Sequence[Path]  # at least one
    overrides: Sequence[str]
    version: str
    repair: bool = False


def examine(wish: Wish, *, as_json: bool) -> int:
    """Look at everything and print it as it is found; 0 where there is no error, 1 where there is one."""
    findings = []
    for finding in look(wish):
        findings.append(finding)
        if not as_json:
            click.echo(finding.line)
    click.echo(json.dumps([asdict(finding) for finding in findings]) if as_json else summary(findings))
    return 1 if any(finding.level is Level.ERROR for finding in findings) else 0


def summary(findings: Sequence[Finding]) -> str:
    """The last line: how many are amiss, and where to begin. Pure."""
    levels = Counter(finding.level for finding in findings)
    amiss = [(levels[Level.ERROR], "error"), (levels[Level.WARNING], "warning")]
    told = " and ".join(counted(number, name) for number, name in amiss if number)
    if not told:
        return f"All is well: {counted(len(findings), 'thing')} looked at."
    worst = Level.ERROR if levels[Level.ERROR] else Level.WARNING
    begin = next(finding.what for finding in findings if finding.level is worst)
    return f"{told}; begin with '{begin}': what stands above often causes what stands below."


def look(wish: Wish) -> Iterator[Finding]:
    """Every finding, causes before effects: what is below, what is inside, then what a client would meet."""
    try:
        settings = load(wish.roots[0], wish.overrides).settings
    except ConfigError as refused:
        yield from machine.examine(wish.roots, [])
        mend = "mend that first: no command works, and what rests on it was not looked at"
        yield error("settings", str(refused).rstrip("."), mend)
        return
    yield from machine.examine(wish.roots, [place.directory for place in places.places(settings)])
    yield well("settings", f"all understood (your own are in {user_file()}; see codeloupe config show)")
    loaded = libraries.examine()
    yield loaded
    if loaded.level is Level.ERROR:
        return  # what comes now imports them
    yield from inside(wish, settings)
    yield from server.examine(wish.roots[0], wish.version)
    yield from client_files.examine(wish.roots, wish.version)


def inside(wish: Wish, settings: Settings) -> Iterator[Finding]:
    """The places that are written to, llama.cpp, the model, and each root's index."""
    yield from map(places.examine, places.places(settings))
    runs = llama.examine(wanted=model.is_wanted(settings))
    yield from runs
    yield from _tried("downloads", lambda: leftovers.downloads(settings))
    yield from _tried("services", leftovers.embedding_services)
    runnable = all(finding.level is not Level.ERROR for finding in runs)
    yield from _tried("model and index", lambda: _meaning(wish, settings, runnable=runnable))


def _meaning(wish: Wish, settings: Settings, *, runnable: bool) -> Iterator[Finding]:
    """The table, the model, and each root's index. ``runnable``: whether llama.cpp loads."""
    meaning = open_meaning(settings)
    yield model.table(settings, meaning)
    yield from model.examine(settings, meaning, runnable=runnable)
    for root in wish.roots:
        yield from index.examine(root, settings, meaning, repair=wish.repair)


def _tried(what: str, examine: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What it finds; where the system refuses to show something, that, so that the rest is looked at all the same."""
    try:
        yield from examine()
    except OSError as refused:
        yield error(what, f"it cannot be looked at ({refused})", "mend what is said above of directories")
