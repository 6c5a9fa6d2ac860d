"""What a vector cache was given, and how often: a trigger in its file notes every row that any process inserts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from embedding.cache import VectorCache

PATIENCE_S = 30.0  # a batch of another process is written in milliseconds

_NOTE = """
CREATE TABLE IF NOT EXISTS kept (key BLOB);
CREATE TRIGGER IF NOT EXISTS keep AFTER INSERT ON vector BEGIN INSERT INTO kept VALUES (new.key); END;
"""


class Kept:
    """Notes what is inserted into the cache at ``path``, made here where there is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        cache = VectorCache(path, 1 << 30)
        cache.size_bytes()  # opens it
        cache.close()
        with closing(sqlite3.connect(path, timeout=PATIENCE_S)) as database, database:
            database.executescript(_NOTE)

    def times(self) -> tuple[int, int]:
        """How many vectors were kept, and of how many different texts: equal where none was made twice."""
        with closing(sqlite3.connect(self._path, timeout=PATIENCE_S)) as database:
            row = database.execute("SELECT count(*), count(DISTINCT key) FROM kept").fetchone()
        return int(row[0]), int(row[1])
