"""What was read of a whole table, kept in memory for as long as no commit changes the table."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from storage.heap import give_back

if TYPE_CHECKING:
    from storage.lance import Table

T = TypeVar("T")


class Held(Generic[T]):
    """``read`` of ``table``, kept; nothing where the table has more than ``most_rows``.

    Reading everything takes 5 to 20 ms at 10,000 rows, so it is done when the same commit is met for the ``asked``-th
    time, not while an indexer commits.
    """

    def __init__(self, table: Table, read: Callable[[Table], T | None], most_rows: int, asked: int) -> None:
        self._table, self._read, self._most_rows, self._asked = table, read, most_rows, asked
        self._lock = threading.Lock()
        self._commits, self._met = frozenset[str](), 0
        self._value: T | None = None
        let_go_with(self)

    def current(self) -> T | None:
        """What the newest commit says; None where the table is to be asked."""
        commits = self._table.commits()
        with self._lock:
            if commits != self._commits:
                self._commits, self._met, self._value = commits, 0, None
            self._met += 1
            if self._met == self._asked and self._table.count() <= self._most_rows:
                self._value = self._read(self._table)
                give_back()
            return self._value

    def forget(self) -> None:
        """Let go of what is kept; it is read again once the table is asked for often enough."""
        with self._lock:
            self._met, self._value = 0, None


class Forgetful(Protocol):
    """Keeps what it can do without."""

    def forget(self) -> None:
        """Let go of what is kept."""
        ...


_ALL: weakref.WeakSet[Forgetful] = weakref.WeakSet()


def let_go_with(one: Forgetful) -> None:
    """Have ``one`` forget when this process lets go."""
    _ALL.add(one)


def let_go() -> None:
    """Forget all that this process keeps of tables, and give the memory back: for when nobody has asked for a while."""
    for one in list(_ALL):
        one.forget()
    give_back()
