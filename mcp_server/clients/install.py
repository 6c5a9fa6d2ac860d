"""Putting codeloupe into a client's file and taking it out: first what would change, then the change."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mcp_server.clients import files
from mcp_server.clients.editing import MANAGED, Entry, NotEditableError, entries_in, is_ours, with_entry, without_entry
from mcp_server.clients.files import ChangedMeanwhileError, ClientFile
from mcp_server.clients.known import Client, Machine, Scope
from mcp_server.errors import ClientFileError, RequestError

TRIES = 3  # a running client may write its file at the same moment
# Lines around a change that are shown. Other servers' entries end with their environment, where people keep keys.
CONTEXT = 1
LINE_SHOWN = 200  # characters; a file in one line would show everything


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

        ``named``: the user named the project. Raises RequestError where the only directory to name is none.
        """
        word = self.client.projects.get(self.scope)
        if word is not None and not (named and self.scope == "user"):
            return word
        if self.project in (machine.home.resolve(), Path(self.project.anchor)):
            raise RequestError(
                f"{self.client.title} does not say which project it works on, and {self.project} is none; "
                "name one with --root DIR."
            )
        return str(self.project)


@dataclass(frozen=True, slots=True)
class Change:
    """What would become of a file; ``after`` is None where it would go, as it came with us."""

    wish: Wish
    file: ClientFile
    after: str | None
    backup: Path | None = None  # what it was before we came, where nothing else has changed since
    others: tuple[str, ...] = ()  # entries of other names that start codeloupe

    @property
    def is_any(self) -> bool:
        """Whether something would change."""
        return self.after != (None if self.file.data is None else self.file.text)

    def diff(self) -> str:
        """The change as a unified diff, without what stands around it."""
        before, after = self.file.text, self.after or ""
        lines = difflib.unified_diff(
            before.splitlines(), after.splitlines(), str(self.file.path), str(self.file.path), n=CONTEXT, lineterm=""
        )
        return "\n".join(line if len(line) <= LINE_SHOWN else f"{line[:LINE_SHOWN]}..." for line in lines)


def planned_install(wish: Wish, entry: Entry, machine: Machine) -> Change:
    """The entry added or brought up to date. Raises ClientFileError."""
    file = files.read(wish.path(machine))
    with _naming(file):
        before = file.text
        after = with_entry(before, wish.client.place(wish.name), entry, force=wish.force)
        return Change(wish, file, after, others=_others(before, wish))


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
        others = _others(before, wish)
        if after == before:
            return Change(wish, file, after, others=others)
        backup = next((kept for kept in file.backups() if _led_to(kept, file, wish)), None)
        if backup:
            return Change(wish, file, files.read(backup).text, backup, others)
        return Change(wish, file, None if _is_all(file, wish) else after, others=others)


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
    if change.backup:
        files.restore(change.file, change.backup)
        return None
    if change.after is not None:
        return files.write(change.file, change.after, private=change.wish.scope == "user")
    files.delete(change.file)
    if change.wish.scope == "project":
        with contextlib.suppress(OSError):  # there is something else in it, or it is gone
            change.file.target.parent.rmdir()
    return None


def _led_to(backup: Path, file: ClientFile, wish: Wish) -> bool:
    """Whether our entry is all that was added to a backup."""
    place = wish.client.place(wish.name)
    with contextlib.suppress(ClientFileError, NotEditableError):
        kept = files.read(backup)
        entry = entries_in(file.text, place)[place.name]
        if place.name in entries_in(kept.text, place) or not all(key in entry for key in MANAGED):
            return False
        return kept.encoded(with_entry(kept.text, place, entry)) == file.data
    return False


def _is_all(file: ClientFile, wish: Wish) -> bool:
    """Whether the file holds our entry as install writes it into no file, and nothing else."""
    place = wish.client.place(wish.name)
    with contextlib.suppress(NotEditableError):
        return file.data == with_entry("", place, entries_in(file.text, place)[place.name], force=True).encode()
    return False


def _others(text: str, wish: Wish) -> tuple[str, ...]:
    found = entries_in(text, wish.client.place())
    return tuple(name for name, entry in found.items() if name != wish.name and is_ours(entry))


@contextlib.contextmanager
def _naming(file: ClientFile) -> Iterator[None]:
    """Says of which file an edit is impossible."""
    try:
        yield
    except NotEditableError as error:
        raise ClientFileError(f"{file.path} {error}") from error
