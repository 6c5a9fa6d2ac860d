"""Connections to PostgreSQL."""

from __future__ import annotations

import contextlib
import queue
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tidework.config import DatabaseConfig


class PoolExhaustedError(RuntimeError):
    """All connections are in use."""


class ConnectionPool:
    """A fixed number of connections that threads take turns with."""

    def __init__(self, config: DatabaseConfig) -> None:
        self._config = config
        self._idle: queue.LifoQueue[Any] = queue.LifoQueue()
        for _ in range(config.pool_size):
            self._idle.put(None)  # opened when first taken

    def acquire(self) -> Any:
        """A connection nobody else has; waits for one for the connect timeout."""
        try:
            connection = self._idle.get(timeout=self._config.connect_timeout)
        except queue.Empty:
            raise PoolExhaustedError(
                f"no database connection became free within {self._config.connect_timeout:g} s"
            ) from None
        if connection is None or connection.closed:
            connection = psycopg.connect(self._config.url, row_factory=dict_row)
        return connection

    def release(self, connection: Any) -> None:
        """Give a connection back."""
        self._idle.put(connection)


@contextlib.contextmanager
def transaction(pool: ConnectionPool) -> Iterator[Any]:
    """A cursor whose work is committed at the end of the block, or rolled back where it raises."""
    connection = pool.acquire()
    try:
        with connection.cursor() as cursor:
            yield cursor
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        pool.release(connection)
