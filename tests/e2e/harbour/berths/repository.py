"""Berths in a database."""

import sqlite3


def open_ledger(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("create table if not exists berth (ship text primary key, bow_m real, until text)")
    return connection


def overdue(connection: sqlite3.Connection, today: str) -> list[str]:
    """Ships that should have sailed before today."""
    rows = connection.execute("select ship from berth where until < ? order by ship", (today,))
    return [ship for (ship,) in rows]
