"""The index that is in force in a directory: opened, opened again when another is, and brought back when it is damaged.

No policy on who may write: what mends is for the writer to call.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeVar

from storage.digests import Digests
from storage.errors import ForeignVectorsError, IndexUnusableError
from storage.held import let_go_with
from storage.lance import Database
from storage.lance_errors import translated
from storage.lance_index import OpenIndex, inconsistent_paths
from storage.lance_mend import mend_tables, reindex
from storage.lance_tables import open_index
from storage.lance_upkeep import check_index
from storage.layout import IndexFile, Layout, Stamp
from storage.sql import any_of
from storage.store import Damage

T = TypeVar("T")

# The library keeps what it read of old commits (80 KB a saved file) and holds the files of old text indexes open, also
# once they are deleted (two for some twenty saves), until the last who use a connection let go of it. So after so many
# commits everything is opened anew, which takes 20 ms. Before, a server grew by 100 KB a save, and by a file in twenty.
WORN_AFTER = 50
LOOK_S = 5.0  # between two looks how many there were, a listing of a directory


class IndexInForce:
    """One directory's index, for the threads of one process."""

    def __init__(self, directory: Path) -> None:
        self.layout = Layout(directory)
        self.digests = Digests(directory)
        self._opening = threading.Lock()
        self._database: Database | None = None
        self._stamp: Stamp | None = None
        self._open: OpenIndex | None = None
        self._opened_at, self._look_at = 0, 0.0  # how many commits there were; monotonic seconds
        let_go_with(self)

    def forget(self) -> None:
        """Let go of what nobody uses just now; it is opened again when it is asked for."""
        with self._opening:  # not closed: others may be reading, and keep it until they have
            self._database, self._open, self._stamp = None, None, None

    def close(self) -> None:
        """Let go of files and memory."""
        with self._opening:
            if self._database is not None:
                self._database.close()
            self._database, self._open, self._stamp = None, None, None

    def read(self, ask: Callable[[OpenIndex], T], nothing: T) -> T:
        """Ask the index in force; once more where that fails, since a writer may have replaced what it stood on."""
        index = self.current()
        if index is None:
            return nothing
        try:
            return ask(index)
        except ForeignVectorsError:
            raise
        except IndexUnusableError:
            newer = self.current()
        with self.suspecting():
            return ask(newer) if newer else nothing

    def begun(self) -> OpenIndex:
        """The index in force. Raises IndexUnusableError where there is none, or it is damaged."""
        index = self.current()
        if index is None:
            raise IndexUnusableError(f"There is no index in {self.layout.directory} yet; begin one with reset.")
        return index

    def current(self) -> OpenIndex | None:
        """The same, opened again whenever index.json has changed; None while there is none."""
        with self._opening, translated(f"The index in {self.layout.directory}"):
            stamp = self.layout.stamp()
            if stamp is None:
                self._open, self._stamp = None, None
            elif stamp != self._stamp:
                self._open, self._stamp = self._opened(), stamp
            elif self._is_worn():
                self._database = None  # not closed: others may be reading, and keep it until they have
                self._open = self._opened()
            return self._open

    def _is_worn(self) -> bool:
        """Whether there were so many commits since all was opened that it is worth opening anew."""
        if self._open is None or time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + LOOK_S
        return self._open.commits() - self._opened_at >= WORN_AFTER

    def _opened(self) -> OpenIndex | None:
        directory = self.layout.directory
        try:
            file = self.layout.read_index()
            self.layout.pending()
        except ValueError as error:
            raise IndexUnusableError(
                f"The index in {directory} has lost its description ({error}): index again."
            ) from error
        if file is None:
            return None
        if bad := self.digests.damaged(file.tables):
            raise IndexUnusableError(
                f"{len(bad)} files of the index in {directory} are damaged, the first is {bad[0]}: index again."
            )
        if self._database is None:
            self._database = Database(directory)
        index = open_index(self._database, file)
        self._opened_at = index.commits()
        return index

    # What is half done or damaged

    def pending(self) -> frozenset[str]:
        """Paths that are half done; where that is damaged, the index was opened and mended before this is asked."""
        try:
            return self.layout.pending()
        except ValueError:
            return frozenset()

    @contextlib.contextmanager
    def suspecting(self) -> Iterator[None]:
        """What cannot be read is looked at by the writer's next run: it may be damaged."""
        try:
            yield
        except ForeignVectorsError:
            raise
        except IndexUnusableError:
            self.layout.suspect([""])
            raise

    def check(self, stop: Callable[[], bool]) -> list[Damage]:
        """Hold every file and every row against their checksums; ``stop`` ends it early."""

        def ask(index: OpenIndex) -> list[Damage]:
            bad = self.digests.damaged(index.file.tables, most_bytes=None)
            return [Damage("", f"{path} is not what was written") for path in bad] + check_index(index, stop)

        try:
            return self.read(ask, [])
        except IndexUnusableError as error:
            return [Damage("", str(error))]

    def mended(self) -> OpenIndex | None:
        """The index without the files that are damaged, as far as opening tells; None where it is lost or missing."""
        try:
            file = self.layout.read_index()
            if file is None:
                return None
            self._do_without(file, self.digests.damaged(file.tables))
            return self.begun()
        except (IndexUnusableError, ValueError):
            return None

    def mend_files(self, *, unreadable: bool) -> frozenset[str]:
        """Do without every file that is damaged; paths that are to be done again for it.

        ``unreadable`` by a search, though every file is as it was written: indexes are then made anew. Raises
        IndexUnusableError where rows are lost.
        """
        index = self.begun()
        if bad := self.digests.damaged(index.file.tables, most_bytes=None):
            self._do_without(index.file, bad)
        elif unreadable:
            reindex(self.layout, index.file.tables)
        return frozenset(inconsistent_paths(self.begun()))

    def _do_without(self, file: IndexFile, damaged: Collection[str]) -> None:
        """Announce as half done, and take out, what tells different stories without the ``damaged`` files.

        Suspected from the first step to the last, so that one that is killed in between is done again.
        """
        pending, suspects = self.pending(), self.layout.suspects()
        self.layout.suspect([""])
        mend_tables(self.layout, file, damaged)
        self.layout.write_pending(pending)  # legible now
        self.digests.note()
        self.digests.prune(without=damaged)
        self._stamp = None  # opened again
        again = inconsistent_paths(self.begun()).keys()
        self.layout.write_pending(pending | again)
        if again:  # the chunks they have may be of a version that is gone
            self.begun().chunks.delete(any_of("file_path", again))
        self.layout.trust()
        self.layout.suspect(suspects)
