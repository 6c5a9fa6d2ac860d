"""A vector cache on disk, shared by all roots and processes of a user.

A vector is kept under what made it and what it was made of, so switching branches, making a worktree or indexing
again costs no second embedding. The cache is a convenience: where it is locked, damaged or full, work goes on without
it, and that is logged once.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import xxhash

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_log = logging.getLogger(__name__)

SCHEMA = 1
_RETRY_S = 0.02  # until a file that others are making is tried again
BUSY_TIMEOUT_S = 2.0  # what another process may take to write a batch; longer and this one does without
_EVICT_TO = 0.9  # evicting goes this far below the bound, so that it is seldom
_ROW_OVERHEAD = 64  # key, time, checksum and the B-tree's share, measured at 384 dimensions
_LOOKUP = 500  # keys in one statement; SQLite takes at least 999 parameters
_TOUCH_AFTER_S = 3600.0  # a hit renews the time of use this seldom, or reading would write

_TABLE = """
CREATE TABLE IF NOT EXISTS vector (
    key BLOB PRIMARY KEY,
    used INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    value BLOB NOT NULL
) WITHOUT ROWID
"""
_INDEX = "CREATE INDEX IF NOT EXISTS vector_used ON vector (used)"

# Texts that some process embeds just now: another one that wants them waits, and finds them made.
_CLAIMS = """
CREATE TABLE IF NOT EXISTS claim (
    key BLOB PRIMARY KEY,
    owner INTEGER NOT NULL,
    since INTEGER NOT NULL
) WITHOUT ROWID
"""
CLAIM_S = 600  # what a claim is worth: longer than a text takes by far, but for the largest models on slow machines

Answer = TypeVar("Answer")


class VectorCache:
    """Vectors as float16 by key, at most ``max_bytes`` of them. Thread-safe, and safe with many processes."""

    def __init__(self, path: Path, max_bytes: int, clock: Callable[[], float] = time.time) -> None:
        """Nothing is opened before the first use."""
        self._path = path
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        self._given_up = False

    def find(self, keys: Sequence[bytes], dim: int) -> dict[bytes, Vectors]:
        """What is known of ``keys``, each of shape (dim,), norm 1. A damaged row counts as unknown."""
        return self._guarded(lambda database: self._find(database, keys, dim), {})

    def keep(self, keys: Sequence[bytes], vectors: Vectors) -> None:
        """Remember the rows of ``vectors``, shape (len(keys), dim), and forget the longest unused above the bound."""
        self._guarded(lambda database: self._keep(database, keys, vectors), None)

    def claim(self, keys: Sequence[bytes]) -> set[bytes]:
        """Those of ``keys`` that are the caller's to make; the others are being made by somebody who is alive.

        Everything is the caller's where the cache cannot be used.
        """
        return self._guarded(lambda database: self._claim(database, keys), set(keys))

    def release(self, keys: Collection[bytes]) -> None:
        """Give up the claims on ``keys``; ``keep`` does so as well."""
        self._guarded(lambda database: _release(database, keys), None)

    def size_bytes(self) -> int:
        """What the kept vectors take, about."""
        return self._guarded(_total, 0)

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        with self._lock:
            self._disconnect()

    def _guarded(self, work: Callable[[sqlite3.Connection], Answer], otherwise: Answer) -> Answer:
        with self._lock:
            if self._given_up or not self._max_bytes:
                return otherwise
            try:
                database = self._database or self._connect()
                with database:
                    return work(database)
            except (sqlite3.Error, OSError) as error:
                self._handle(error)
                return otherwise

    def _handle(self, error: Exception) -> None:
        """A file another process holds is passed by; a damaged one is deleted; whatever else turns the cache off."""
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            _log.info("The vector cache %s is busy; this batch goes without it.", self._path)
            return
        self._given_up = True
        self._disconnect()
        if type(error) is sqlite3.DatabaseError:  # no database, or a malformed one; its kinds mean other things
            _log.warning(
                "The vector cache %s is damaged (%s) and was deleted; a new one is begun at the next start.",
                self._path,
                error,
            )
            self._delete()
        else:
            _log.warning(
                "The vector cache %s is off until the next start: %s; make room or mend that.", self._path, error
            )

    def _delete(self) -> None:
        """Remove the file; processes that have it open keep what they hold until they close it."""
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                self._path.with_name(self._path.name + suffix).unlink()

    def _connect(self) -> sqlite3.Connection:
        """Open the file; where others are just making it, sqlite says "locked" at once, whatever its time-out."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        end = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                self._database = self._opened()
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() >= end:
                    raise
                time.sleep(_RETRY_S)
            else:
                return self._database

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")  # a power cut may lose the last batch, never the file
            self._adopt(database)
        except sqlite3.Error:
            database.close()  # kept, it would be taken for one that has its table
            raise
        return database

    def _adopt(self, database: sqlite3.Connection) -> None:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in (0, SCHEMA):
            database.execute("DROP TABLE IF EXISTS vector")
        database.execute(_TABLE)
        database.execute(_INDEX)
        database.execute(_CLAIMS)
        if version != SCHEMA:
            database.execute(f"PRAGMA user_version = {SCHEMA}")

    def _disconnect(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _find(self, database: sqlite3.Connection, keys: Sequence[bytes], dim: int) -> dict[bytes, Vectors]:
        found: dict[bytes, Vectors] = {}
        stale: list[bytes] = []
        renewed_before = int(self._clock() - _TOUCH_AFTER_S)
        for start in range(0, len(keys), _LOOKUP):
            for key, used, checksum, value in _rows(database, keys[start : start + _LOOKUP]):
                if len(value) == 2 * dim and _checksum(value) == checksum:
                    found[key] = _decoded(value)
                    if used < renewed_before:
                        stale.append(key)
        self._touch(database, stale)
        return found

    def _touch(self, database: sqlite3.Connection, keys: list[bytes]) -> None:
        now = int(self._clock())
        database.executemany("UPDATE vector SET used = ? WHERE key = ?", [(now, key) for key in keys])

    def _keep(self, database: sqlite3.Connection, keys: Sequence[bytes], vectors: Vectors) -> None:
        now = int(self._clock())
        values = [row.astype("<f2").tobytes() for row in vectors]
        rows = [(key, now, _checksum(value), value) for key, value in zip(keys, values, strict=True)]
        database.executemany("INSERT OR REPLACE INTO vector VALUES (?, ?, ?, ?)", rows)
        _release(database, keys)
        self._evict(database, len(rows))

    def _claim(self, database: sqlite3.Connection, keys: Sequence[bytes]) -> set[bytes]:
        import psutil

        now = int(self._clock())
        # Writing first takes the lock for the whole transaction: nobody claims between the look and the claim.
        database.execute("DELETE FROM claim WHERE since < ? OR since > ?", (now - CLAIM_S, now + CLAIM_S))
        for (owner,) in database.execute("SELECT DISTINCT owner FROM claim").fetchall():
            if not psutil.pid_exists(owner):
                database.execute("DELETE FROM claim WHERE owner = ?", (owner,))
        taken = {key for (key,) in database.execute("SELECT key FROM claim")}
        free = set(keys) - taken
        rows = [(key, os.getpid(), now) for key in free]
        database.executemany("INSERT INTO claim VALUES (?, ?, ?)", rows)
        return free

    def _evict(self, database: sqlite3.Connection, added: int) -> None:
        total = _total(database)
        if total <= self._max_bytes or not added:
            return
        (count,) = database.execute("SELECT count(*) FROM vector").fetchone()
        surplus = count - int(count * self._max_bytes * _EVICT_TO / total)
        database.execute("DELETE FROM vector WHERE key IN (SELECT key FROM vector ORDER BY used LIMIT ?)", (surplus,))


def _total(database: sqlite3.Connection) -> int:
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    (free,) = database.execute("PRAGMA freelist_count").fetchone()
    (page,) = database.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * page)


def _release(database: sqlite3.Connection, keys: Iterable[bytes]) -> None:
    database.executemany("DELETE FROM claim WHERE key = ? AND owner = ?", [(key, os.getpid()) for key in keys])


def _rows(database: sqlite3.Connection, keys: Sequence[bytes]) -> list[tuple[bytes, int, int, bytes]]:
    marks = ",".join("?" * len(keys))
    statement = f"SELECT key, used, checksum, value FROM vector WHERE key IN ({marks})"  # noqa: S608 - marks alone
    return database.execute(statement, list(keys)).fetchall()


def _checksum(value: bytes) -> int:
    return xxhash.xxh32_intdigest(value)


def _decoded(value: bytes) -> Vectors:
    import numpy as np

    vector = np.frombuffer(value, "<f2").astype(np.float32)
    return vector / np.float32(np.linalg.norm(vector))


def document_key(fingerprint: str, text: str) -> bytes:
    """16 bytes that name the vector of ``text`` as a document under a model's fingerprint."""
    return xxhash.xxh3_128_digest(f"document\0{fingerprint}\0{text}".encode("utf-8", "surrogatepass"))
