"""One table put into a TOML file, changed or taken out: text to text, every other byte as it was.

Where a statement begins and ends is found by asking the standard library's parser: a statement is the fewest lines that
it accepts. So there is no second opinion here on strings, dates or arrays.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
# One of these is in the last line of a statement of several: the others need not be parsed up to.
CLOSING = ('"""', "'''", "]", "}")
_BARE = re.compile(r"[A-Za-z0-9_-]+")

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A header or a key with its value: the lines [first, last) and what they say, wrapped in their table's names."""

    first: int
    last: int
    header: Path
    says: Mapping[str, Any]

    def is_of(self, path: Path) -> bool:
        """Whether it belongs to the table ``path`` and to nothing else."""
        if self.header[: len(path)] == path:
            return True
        table: Any = self.says
        for name in path:
            if not isinstance(table, dict) or set(table) != {name}:
                return False
            table = table[name]
        return True


def added(text: str, path: Path, values: Mapping[str, Any]) -> str:
    """``text`` with the table ``path`` behind everything else, after an empty line."""
    newline = _newline(text)
    lines = [f"[{'.'.join(map(_key, path))}]", *(f"{_key(key)} = {literal(value)}" for key, value in values.items())]
    block = newline.join(lines)
    if not text:
        return block + newline
    return text + newline + block + newline if text.endswith("\n") else text + newline * 2 + block


def removed(text: str, path: Path) -> str:
    """``text`` without the table ``path``, its tables within and the empty line in front of each."""
    lines = _LINE.findall(text)
    gone: set[int] = set()
    for run in _runs([statement for statement in _statements(lines) if statement.is_of(path)], lines):
        gone.update(run)
        if run.start and not lines[run.start - 1].strip():
            gone.add(run.start - 1)
        elif not run.start and run.stop < len(lines) and not lines[run.stop].strip():
            gone.add(run.stop)
    kept = "".join(line for number, line in enumerate(lines) if number not in gone)
    ends_bare = bool(lines) and not lines[-1].endswith("\n") and len(lines) - 1 in gone
    return kept.removesuffix("\n").removesuffix("\r") if ends_bare else kept


def changed(text: str, path: Path, values: Mapping[str, Any]) -> str:
    """``text`` with these values in the table ``path``, which has a header of its own or is written anew with one."""
    lines = _LINE.findall(text)
    statements = _statements(lines)
    head = next((statement for statement in statements if statement.header == path), None)
    if head is None:
        return added(removed(text, path), path, {**_table(text, path), **values})
    newline = _newline(text)
    new = dict(values)
    for statement in reversed(statements):  # from the end, so that no place moves before it is used
        key = next(iter(_inside(statement.says, path)), None) if statement.header == path else None
        if key in new:
            lines[statement.first : statement.last] = _with_value(
                lines[statement.first : statement.last], key, new.pop(key)
            )
    end = head.last
    missing = [f"{_key(key)} = {literal(value)}{newline}" for key, value in new.items()]
    if missing and not lines[end - 1].endswith("\n"):
        lines[end - 1] += newline
    lines[end:end] = missing
    return "".join(lines)


def literal(value: Any) -> str:
    """A value as TOML: its basic strings are those of JSON, but for one control character."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {literal(item)}" for key, item in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)


def _statements(lines: Sequence[str]) -> list[Statement]:
    """Every statement, in order. Raises ValueError where the text is no TOML."""
    found: list[Statement] = []
    header: Path = ()
    at = 0
    while at < len(lines):
        last = _end(lines, at)
        says = tomllib.loads("".join(lines[at:last]))
        if lines[at].lstrip().startswith("["):
            header = _names(says)
        if says:
            is_key = not lines[at].lstrip().startswith("[")
            found.append(Statement(at, last, header, _wrapped(says, header) if is_key else says))
        at = last
    return found


def _end(lines: Sequence[str], first: int) -> int:
    for last in range(first + 1, len(lines) + 1):
        if last > first + 1 and not any(mark in lines[last - 1] for mark in CLOSING):
            continue
        try:
            tomllib.loads("".join(lines[first:last]))
        except tomllib.TOMLDecodeError:
            continue
        return last
    tomllib.loads("".join(lines))  # the whole text's own error has the right line
    raise ValueError(f"line {first + 1} is no statement")


def _runs(statements: Sequence[Statement], lines: Sequence[str]) -> list[range]:
    """The statements' lines, those of neighbours with nothing but comments between them as one."""
    runs: list[range] = []
    for statement in statements:
        between = lines[runs[-1].stop : statement.first] if runs else []
        if runs and all(line.lstrip().startswith("#") for line in between):
            runs[-1] = range(runs[-1].start, statement.last)
        else:
            runs.append(range(statement.first, statement.last))
    return runs


def _with_value(lines: Sequence[str], key: str, value: Any) -> list[str]:
    """A key's lines with another value; a comment behind it stays."""
    old = "".join(lines)
    if tomllib.loads(old) == {key: value}:
        return list(lines)
    body = old.rstrip("\r\n")
    end = old[len(body) :]
    margin = body[: len(body) - len(body.lstrip())]
    return [f"{margin}{_key(key)} = {literal(value)}{_comment(body)}{end}"]


def _comment(body: str) -> str:
    """The comment that ends a statement, with the white space in front of it."""
    said = tomllib.loads(body)
    for found in re.finditer("#", body):
        try:
            if tomllib.loads(body[: found.start()]) == said:
                return body[len(body[: found.start()].rstrip()) :]
        except tomllib.TOMLDecodeError:
            continue
    return ""


def _table(text: str, path: Path) -> dict[str, Any]:
    return _inside(tomllib.loads(text), path)


def _inside(table: Any, path: Path) -> dict[str, Any]:
    for name in path:
        table = table.get(name, {}) if isinstance(table, dict) else {}
    return dict(table) if isinstance(table, dict) else {}


def _names(says: Any) -> Path:
    """The names of a header, which says nothing but tables within each other."""
    names: list[str] = []
    while isinstance(says, dict) and says:
        name, says = next(iter(says.items()))
        names.append(name)
    return tuple(names)


def _wrapped(says: dict[str, Any], header: Path) -> dict[str, Any]:
    for name in reversed(header):
        says = {name: says}
    return says


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else literal(name)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
