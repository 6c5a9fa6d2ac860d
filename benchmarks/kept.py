"""What a vector cache was given, and how often: triggers in its file note what any process begins to make and keeps."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from embedding.cache import VectorCache

PATIENCE_S = 30.0  # a batch of another process is written in milliseconds

_NOTE = """
CREATE TABLE IF NOT EXISTS kept (key BLOB);
CREATE INDEX IF NOT EXISTS kept_key ON kept (key);
CREATE TABLE IF NOT EXISTS begun (key BLOB, owner INTEGER);
CREATE INDEX IF NOT EXISTS begun_key ON begun (key);
CREATE TRIGGER IF NOT EXISTS keep AFTER INSERT ON vector BEGIN INSERT INTO kept VALUES (new.key); END;
CREATE TRIGGER IF NOT EXISTS begin AFTER INSERT ON claim BEGIN INSERT INTO begun VALUES (new.key, new.owner); END;
"""
_DIED_WITH = """
SELECT owner, count(*) FROM begun AS one
WHERE EXISTS (SELECT 1 FROM begun AS later WHERE later.key = one.key AND later.rowid > one.rowid) GROUP BY owner
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

    def begun(self) -> int:
        """How many texts were given to a model, by any process."""
        with closing(sqlite3.connect(self._path, timeout=PATIENCE_S)) as database:
            return int(database.execute("SELECT count(*) FROM begun").fetchone()[0])

    def begun_again(self) -> tuple[int, int]:
        """How many texts were given to a model again because a process died with them; the most that one died with."""
        with closing(sqlite3.connect(self._path, timeout=PATIENCE_S)) as database:
            rows = database.execute(_DIED_WITH).fetchall()
        return sum(count for _, count in rows), max((count for _, count in rows), default=0)
