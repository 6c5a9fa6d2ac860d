"""What `codeloupe install` and `uninstall` do, and say."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from mcp_server.checks.findings import in_one_line
from mcp_server.clients.install import Change, Wish, carry_out, planned_install, planned_uninstall
from mcp_server.clients.known import CLIENTS, Client, Machine, Scope, client
from mcp_server.clients.launcher import Running, command_line
from mcp_server.clients.present import present_clients
from mcp_server.errors import ProductError, RequestError
from mcp_server.roots import checked_root

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what every client takes
SHARED = "The file names a path of this machine; for one that others share, install with --command codeloupe."
SCOPES = {"project": "for this project", "user": "for you, in every project"}


@dataclass(frozen=True, slots=True)
class ClientArguments:
    """What the commands were given."""

    clients: tuple[str, ...]
    project: bool
    user: bool
    root: str
    name: str
    dry_run: bool
    yes: bool
    force: bool
    command: str = ""

    def scope(self) -> Scope | None:
        """The one that was named. Raises RequestError for both."""
        if self.project and self.user:
            raise RequestError("--project and --user are two files; name one of them.")
        return "project" if self.project else "user" if self.user else None

    def wish(self, wanted: Client, scope: Scope, project: Path) -> Wish:
        """What is wanted of one client's file."""
        return Wish(wanted, scope, project, self.name, self.force)


@dataclass(frozen=True, slots=True)
class Job:
    """One file, how the change to it is found, and what to do or know once it is made."""

    wish: Wish
    plan: Callable[[], Change]
    afterwards: str = ""


def install(arguments: ClientArguments) -> int:
    """Write the entry into the files of the named clients, or of those that are here. Exit code."""
    machine, project, scope = Machine.this(), _project(arguments), arguments.scope()
    start = command_line(Running.this(), arguments.command)
    chosen = [client(name) for name in dict.fromkeys(arguments.clients)] or _present(machine)
    wishes = [arguments.wish(each, scope or each.scope, project) for each in chosen]
    jobs = [
        Job(wish, partial(_installing, wish, start, arguments, machine), _afterwards(wish, start[0])) for wish in wishes
    ]
    return _run(jobs, arguments)


def uninstall(arguments: ClientArguments) -> int:
    """Take the entry out of the files of the named clients, or of all. Exit code."""
    machine, project, scope = Machine.this(), _project(arguments), arguments.scope()
    chosen = [client(name) for name in dict.fromkeys(arguments.clients)] or list(CLIENTS.values())
    wishes = [
        arguments.wish(each, own, project)
        for each in chosen
        for own in ((scope,) if scope else reversed(each.scopes()))
        if arguments.clients or own in each.scopes()
    ]
    jobs = [Job(wish, partial(planned_uninstall, wish, machine)) for wish in _once(wishes, machine)]
    return _run(jobs, arguments)


def _installing(wish: Wish, start: tuple[str, ...], arguments: ClientArguments, machine: Machine) -> Change:
    entry = wish.client.entry(start, wish.root(bool(arguments.root), machine))
    return planned_install(wish, entry, machine)


def _once(wishes: Sequence[Wish], machine: Machine) -> Iterator[Wish]:
    """Every wish whose file was not named before: at home a project's file may be the user's."""
    seen: set[Path] = set()
    for wish in wishes:
        if wish.scope in wish.client.scopes():
            if wish.path(machine) in seen:
                continue
            seen.add(wish.path(machine))
        yield wish  # also one that no file answers, which is said when it is planned


def _afterwards(wish: Wish, command: str) -> str:
    """What a user does next; and where a file may be shared, that it names a path of this machine."""
    step = wish.client.next_steps.get(wish.scope, "")
    is_own_path = wish.scope == "project" and Path(command).is_absolute()
    return f"{step} {SHARED}" if is_own_path else step


def _project(arguments: ClientArguments) -> Path:
    """The directory that was named, or this one; the name of the entry is looked at on the way."""
    if not _NAME.fullmatch(arguments.name):
        raise RequestError(
            f"{arguments.name!r} cannot be a server's name in every client; use up to 64 letters, digits, - and _."
        )
    return checked_root(arguments.root or ".")


def _present(machine: Machine) -> Sequence[Client]:
    found = present_clients(machine)
    if not found:
        raise RequestError(f"No client that is known was found on this machine; name one of {', '.join(CLIENTS)}.")
    click.echo(f"Found on this machine: {', '.join(each.title for each in found)}.\n")
    return found


def _run(jobs: Sequence[Job], arguments: ClientArguments) -> int:
    """Show every change, ask where that is due, make them; a file that cannot be changed does not stop the others."""
    wanted: list[Job] = []
    failed = False
    for job in jobs:
        try:
            change = job.plan()
        except ProductError as error:
            failed = _say_error(error)
            continue
        if _show(change, quiet=not arguments.clients):
            wanted.append(job)
    if arguments.dry_run:
        click.echo("Nothing was written: --dry-run." if wanted else "There is nothing to change.")
    elif not wanted:
        click.echo("" if failed else "There is nothing to change.", nl=not failed)
    elif _agreed(arguments):
        carried_out = [_carry_out(job) for job in wanted]
        failed = failed or not all(carried_out)
    else:
        click.echo("Nothing was written.")
    return 2 if failed else 0


def _show(change: Change, *, quiet: bool) -> bool:
    """Say what would become of a file; whether anything would. ``quiet`` passes over files that stay as they are."""
    wish = change.wish
    leads = f" -> {change.file.target}" if change.file.path.is_symlink() else ""
    heading = f"{wish.client.title}, {SCOPES[wish.scope]}: {change.file.path}{leads}"
    if change.is_any:
        click.echo(f"{heading}\n{change.diff()}")
        if change.after is None:
            click.echo("(the file goes: nothing else is in it)")
    elif not quiet:
        click.echo(f"{heading}\nnothing to change")
    for note in change.notes:
        click.echo(in_one_line(note))
    return change.is_any


def _agreed(arguments: ClientArguments) -> bool:
    if arguments.clients or arguments.yes:
        return True
    if not sys.stdin.isatty():
        raise RequestError("Nothing was written: name the clients, or agree to all of this with --yes.")
    return click.confirm("\nWrite this?", default=True)


def _carry_out(job: Job) -> bool:
    """Make one change and say so; whether it could be made."""
    try:
        change, kept = carry_out(job.plan)
    except ProductError as error:
        return not _say_error(error)
    done = "removed" if change.after is None else "restored" if change.backup else "written"
    before = f"; as it was: {kept}" if kept else ""
    click.echo(f"{job.wish.client.title}: {done}{before}. {job.afterwards}".rstrip())
    return True


def _say_error(error: ProductError) -> bool:
    click.echo(f"codeloupe: {error}", err=True)
    return True
