"""Putting codeloupe into a client's file and taking it out: first what would change, then the change."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcp_server.clients import files
from mcp_server.clients.difference import shown
from mcp_server.clients.editing import (
    MANAGED,
    Entry,
    NotEditableError,
    document,
    entries_in,
    is_ours,
    with_entry,
    without_entry,
)
from mcp_server.clients.files import ChangedMeanwhileError, ClientFile
from mcp_server.clients.known import Client, Machine, Scope
from mcp_server.errors import ClientFileError, RequestError

TRIES = 3  # a running client may write its file at the same moment
SECRET = ("env", "headers", "http_headers")  # tables of an entry where people keep keys
_NAME_IT = "go to one, or name it with --root DIR"
_REMOVE = "claude mcp remove {} -s local takes it out"


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose file, which of them, and the name of the entry."""

    client: Client
    scope: Scope
    project: Path  # resolved
    name: str
    force: bool = False

    def path(self, machine: Machine) -> Path:
        """The file."""
        return self.client.file(self.scope, self.project, machine)

    def root(self, named: bool, machine: Machine) -> str:
        """What follows --root in the entry; "" where the client says by itself which project it is in.

        ``named``: the user named the project. Raises RequestError where one is needed and this directory is none.
        """
        word = self.client.projects.get(self.scope)
        if word is not None and self.scope == "user" and not named:
            return word
        if not named and self.project in (machine.home.resolve(), Path(self.project.anchor)):
            raise RequestError(f"{self.client.title} needs a project here, and {self.project} is none; {_NAME_IT}.")
        return str(self.project) if word is None or self.scope == "user" else word


@dataclass(frozen=True, slots=True)
class Change:
    """What would become of a file; ``after`` is None where it would go, as it came with us."""

    wish: Wish
    file: ClientFile
    after: str | None
    backup: Path | None = None  # what it was before we came, where nothing else has changed since
    spent: tuple[Path, ...] = ()  # backups that say nothing which is not in the file afterwards, but us
    notes: tuple[str, ...] = ()  # sentences on other entries there that start codeloupe

    @property
    def is_any(self) -> bool:
        """Whether something would change."""
        return self.after != (None if self.file.data is None else self.file.text)

    def diff(self) -> str:
        """What comes and goes; nothing of what stands around it, nor of what the entry says in its environment."""
        return shown(self.file.text, self.after or "", self._secrets())

    def _secrets(self) -> list[str]:
        """The values of the entry's environment, and of the headers that one of somebody else's may have."""
        entry = entries_in(self.file.text, self.wish.client.place()).get(self.wish.name)
        tables = [entry.get(key) for key in SECRET] if isinstance(entry, dict) else []
        return [str(value) for table in tables if isinstance(table, dict) for value in table.values()]


def planned_install(wish: Wish, entry: Entry, machine: Machine) -> Change:
    """The entry added or brought up to date. Raises ClientFileError."""
    file = files.read(wish.path(machine))
    with _naming(file):
        before = file.text
        after = with_entry(before, wish.client.place(wish.name), entry, force=wish.force)
        file.encoded(after)  # refused before anything is shown
        return Change(wish, file, after, notes=_notes(before, wish))


def planned_uninstall(wish: Wish, machine: Machine) -> Change:
    """The entry taken out; the file as it was before we came, byte for byte, where nothing else changed since.

    Raises ClientFileError.
    """
    file = files.read(wish.path(machine))
    if file.data is None:
        return Change(wish, file, None)
    with _naming(file):
        before = file.text
        after = without_entry(before, wish.client.place(wish.name), force=wish.force)
        notes = _notes(before, wish)
        if after == before:
            return Change(wish, file, after, notes=notes)
        backups = _backups(file)
        no_file = ClientFile(file.path, file.target, None)
        first = next((each for each in (*backups, no_file) if _led_to(each, file, wish)), None)
        if first is None:
            return Change(wish, file, after, notes=notes)
        spent = tuple(each.path for each in backups if each.data == first.data or _led_to(first, each, wish))
        if first.data is None:
            return Change(wish, file, None, None, spent, notes)
        return Change(wish, file, first.text, first.path, spent, notes)


def carry_out(plan: Callable[[], Change]) -> tuple[Change, Path | None]:
    """Make the change that ``plan`` says; what was changed and where the old file is kept, if it is.

    Raises ClientFileError.
    """
    for _ in range(TRIES):
        change = plan()
        with contextlib.suppress(ChangedMeanwhileError):
            return change, _carry_out(change)
    raise ClientFileError(f"{change.file.path} is being written by {change.wish.client.title}; close it and try again.")


def _carry_out(change: Change) -> Path | None:
    if not change.is_any:
        return None
    if change.backup is None and change.after is not None:
        return files.write(change.file, change.after, private=change.wish.scope == "user")
    if change.backup:
        files.restore(change.file, change.backup)
    else:
        files.delete(change.file)
    _tidy(change)
    return None


def _tidy(change: Change) -> None:
    """Leave no backup that is of no use, and no directory of a project that is empty now."""
    with contextlib.suppress(OSError):
        for kept in change.spent:
            kept.unlink(missing_ok=True)
        directory = change.file.target.parent
        if change.after is None and change.wish.scope == "project" and change.wish.project in directory.parents:
            directory.rmdir()  # refused where there is anything else in it


def _backups(file: ClientFile) -> list[ClientFile]:
    """What was kept of a file and can be read, the latest first."""
    kept = []
    for path in file.backups():
        with contextlib.suppress(ClientFileError):
            kept.append(files.read(path))
    return kept


def _led_to(first: ClientFile, then: ClientFile, wish: Wish) -> bool:
    """Whether our entry, as it stands in the later file, is all that was added to the first, which may be no file."""
    place = wish.client.place(wish.name)
    with contextlib.suppress(ClientFileError, NotEditableError):
        entry = entries_in(then.text, place).get(place.name)
        if entry is None or place.name in entries_in(first.text, place) or not set(MANAGED) <= set(entry):
            return False
        return first.encoded(with_entry(first.text, place, entry, force=True)) == then.data
    return False


def _notes(text: str, wish: Wish) -> tuple[str, ...]:
    """What else in the file starts codeloupe: under other names, and for this project alone (`claude mcp add`)."""
    says = document(text, wish.client.place())
    others = [name for name in _ours(says.get(wish.client.key)) if name != wish.name]
    projects = says.get(wish.client.local_key)
    local = projects.get(str(wish.project)) if isinstance(projects, dict) else None
    alone = _ours(local.get(wish.client.key)) if isinstance(local, dict) and wish.scope == "user" else []
    return (
        *(
            f"There is {name!r} as well, which starts codeloupe: uninstall --name {name} takes it out."
            for name in others
        ),
        *(f"{wish.project} has its own {name!r}, which comes first there: {_REMOVE.format(name)}." for name in alone),
    )


def _ours(servers: Any) -> list[str]:
    return [name for name, entry in servers.items() if is_ours(entry)] if isinstance(servers, dict) else []


@contextlib.contextmanager
def _naming(file: ClientFile) -> Iterator[None]:
    """Says of which file an edit is impossible."""
    try:
        yield
    except NotEditableError as error:
        raise ClientFileError(f"{file.path} {error}") from error
