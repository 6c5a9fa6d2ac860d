"""Writing one setting into the user's own file: that line changes, and every other byte stays."""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

from mcp_server.errors import ConfigError

_HEADER = re.compile(r"\s*\[")
_STRING = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*')"""


def write_setting(path: Path, section: str, key: str, value: str) -> None:
    """Make ``section.key`` the string ``value`` in the TOML file at ``path``, which is made if it is not there.

    Comments, order and line ends stay. The file is replaced at once, and only where what was written reads back as
    what was there with this one setting changed. Raises ConfigError where that cannot be.
    """
    target = path.resolve()  # a link to where somebody keeps such files stays one
    try:
        before = target.read_bytes().decode("utf-8") if target.exists() else ""
        after = edited(before, section, key, value)
        if after is None:
            raise ConfigError(
                f"{path} is written in a way that is not changed by a program; write "
                f"{key} = {_quoted(value)} under [{section}] yourself."
            )
        if after != before:
            _replace(target, after)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror or error}); mend that.") from error
    except ValueError as error:
        raise ConfigError(f"{path} cannot be read as TOML ({error}); mend or remove it.") from error


def edited(text: str, section: str, key: str, value: str) -> str | None:
    """``text`` with the one setting changed; None where no change of one line does that.

    Raises ValueError (tomllib.TOMLDecodeError) where ``text`` is no TOML.
    """
    wanted: dict[str, Any] = deepcopy(tomllib.loads(text))
    table = wanted.setdefault(section, {})
    if not isinstance(table, dict):
        return None
    table[key] = value
    lines = text.splitlines(keepends=True)
    candidates = (_replaced(lines, section, key, value), _inserted(lines, section, key, value))
    return next((made for made in candidates if made is not None and _reads_as(made, wanted)), None)


def _replaced(lines: list[str], section: str, key: str, value: str) -> str | None:
    """The line that holds the setting, with another value; what stands before and behind it stays."""
    start = _heading(lines, section)
    own = re.compile(rf"(\s*{_name(key)}\s*=\s*){_STRING}(.*)", re.DOTALL)
    dotted = re.compile(rf"(\s*{_name(section)}\s*\.\s*{_name(key)}\s*=\s*){_STRING}(.*)", re.DOTALL)
    for number, line in enumerate(lines):
        found = own.fullmatch(line) if start is not None and number in _body(lines, start) else dotted.fullmatch(line)
        if found:
            changed = f"{found[1]}{_quoted(value)}{found[2]}"
            return "".join([*lines[:number], changed, *lines[number + 1 :]])
    return None


def _inserted(lines: list[str], section: str, key: str, value: str) -> str:
    """A line of its own below the section's heading, or a section of its own at the end."""
    end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
    new = f"{key} = {_quoted(value)}{end}"
    start = _heading(lines, section)
    if start is not None:
        heading = lines[start] if lines[start].endswith("\n") else lines[start] + end
        return "".join([*lines[:start], heading, new, *lines[start + 1 :]])
    before = "".join(lines)
    gap = "" if not before else end if before.endswith("\n") else end * 2
    return f"{before}{gap}[{section}]{end}{new}"


def _heading(lines: list[str], section: str) -> int | None:
    heading = re.compile(rf"\s*\[\s*{_name(section)}\s*\]\s*(#.*)?", re.DOTALL)
    return next((number for number, line in enumerate(lines) if heading.fullmatch(line)), None)


def _body(lines: list[str], heading: int) -> range:
    """The numbers of the lines that belong to a heading."""
    end = next((number for number in range(heading + 1, len(lines)) if _HEADER.match(lines[number])), len(lines))
    return range(heading + 1, end)


def _name(key: str) -> str:
    """A pattern for a key, bare or quoted."""
    return rf"""(?:{re.escape(key)}|"{re.escape(key)}"|'{re.escape(key)}')"""


def _quoted(value: str) -> str:
    """TOML's basic strings are those of JSON, but for one control character."""
    return json.dumps(value, ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )  # TOML's basic strings are JSON's, but for one


def _reads_as(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _replace(target: Path, text: str) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        aside.touch(mode=0o600)
        if target.exists():
            shutil.copymode(target, aside)
        with aside.open("wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
