"""Lines of one file below the allowed roots, from the working tree: what the index may hold, and nothing else.

What a client sends is never given to the file system. It is compared with the names that the index's own walk lists
on the way, so links, ``..``, other spellings, devices and streams lead nowhere, and what a rule hides is not found.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from indexer.languages import detect_language
from indexer.reading import read_source
from indexer.rules import Rules, root_rules
from indexer.settings import IndexSettings
from indexer.source import Skip, SkipReason, SourceFile, SourceText
from indexer.walker import Look, Part, walk
from mcp_server.errors import OutsideRootError, WithheldError
from mcp_server.offers.code_uri import CodeUri, code_uri

MOST_CHARS = 40_000  # some 10,000 tokens, of which Claude Code warns; what clients keep of an answer is less yet

_WINDOWS = sys.platform == "win32"
_WHY = {
    SkipReason.BINARY: "is binary",
    SkipReason.DATA: "is a large file of data",
    SkipReason.GENERATED: "was written by a program",
    SkipReason.LFS_POINTER: "is kept by git-lfs and not here",
    SkipReason.MINIFIED: "is minified",
    SkipReason.NOT_A_FILE: "is no regular file",
    SkipReason.PATH_NOT_UTF8: "has a name that is not UTF-8",
    SkipReason.SECRET: "is made to hold secrets",
    SkipReason.TOO_LARGE: "is larger than index.max_file_kb",
    SkipReason.UNDECODABLE: "is in no encoding that is known",
    SkipReason.UNREADABLE: "may not be read by this user",
    SkipReason.VANISHED: "has just gone",
    SkipReason.VENDORED: "is somebody else's code (vendored)",
}
_LINK = "is a symbolic link, which is never followed"
_MIME_TYPES = {  # what IANA has registered; the rest is text/x-LANGUAGE
    "text": "text/plain",
    "css": "text/css",
    "html": "text/html",
    "javascript": "text/javascript",
    "json": "application/json",
    "markdown": "text/markdown",
    "sql": "application/sql",
    "toml": "application/toml",
    "xml": "text/xml",
    "yaml": "application/yaml",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file may be; ``path`` has ``/`` between its names and goes no way up."""

    root: Path
    path: str


@dataclass(frozen=True, slots=True)
class SourceLines:
    """Lines of a file, and the language it is written in."""

    text: str
    language: str

    @property
    def mime_type(self) -> str:
        """Of the text."""
        return _MIME_TYPES.get(self.language) or f"text/x-{self.language.replace('_', '-')}"


def read_lines(asked: CodeUri, roots: Sequence[Path], settings: IndexSettings) -> SourceLines | None:
    """What ``asked`` names below one of ``roots``, resolved directories; None where no rule lets such a file be found.

    The rules are found anew, so what was ignored a moment ago is. Raises WithheldError where the file is left out of
    the index or the lines are not there, OutsideRootError, IndexerError.
    """
    spelled = [one for place in places(asked.path, roots) for one in (place, *_other_spellings(place, asked))]
    for tracked in (False, True):  # what is tracked although ignored is rare, and slow to ask for
        rules = cache(partial(root_rules, settings=settings, tracked=tracked))
        for place in spelled:
            found = _look(place, settings, rules)
            if found is not None:
                source = _read(found, place, settings)
                return SourceLines(cut_out(source.text, asked), detect_language(source.path, source.text))
    return None


def places(path: str, roots: Sequence[Path], *, windows: bool = _WINDOWS) -> list[Place]:
    """Where ``path`` may be: below a root that it names, by its whole path or, as answers do, by its name; else in all.

    Raises OutsideRootError where it goes up. Pure.
    """
    wanted = path.replace("\\", "/") if windows else path
    whole = [Place(root, below) for root in roots if (below := _below(root, wanted, windows=windows))]
    if whole:
        return [replace(place, path=_straight(place.path)) for place in whole]
    relative = _straight(wanted)
    first, _, rest = relative.partition("/")
    named = [Place(root, rest) for root in roots if rest and root.name.lower() == first.lower()]
    return [*(named if len(roots) > 1 else []), *(Place(root, relative) for root in roots)]


def cut_out(text: str, asked: CodeUri, most: int = MOST_CHARS) -> str:
    """The lines of ``text`` that are asked for, at most ``most`` characters of them, and what was left out. Pure.

    Raises WithheldError where the text ends before them.
    """
    lines = text.split("\n")
    closed = lines[-1] == ""
    total = len(lines) - closed
    first, last = asked.start or 1, min(asked.end or total, total)
    if first > max(total, 1):
        raise WithheldError(f"{asked.path} has {total:,} lines; start={first} is behind them.")
    wanted = "".join(f"{line}\n" for line in lines[first - 1 : last])
    if last == total and not closed:
        wanted = wanted.removesuffix("\n")
    return wanted if len(wanted) <= most else _shortened(wanted, (first, last, total), asked, most)


def _shortened(wanted: str, lines: tuple[int, int, int], asked: CodeUri, most: int) -> str:
    """Whole lines of ``wanted``, or the beginning of a single one, and a line that says so; (first, last, total)."""
    first, last, total = lines
    shown = wanted[: wanted.rfind("\n", 0, most) + 1]
    until = first + max(shown.count("\n"), 1) - 1
    said = f"lines {first:,} to {until:,} of {total:,}, {most:,} characters being the most"
    if not shown:
        shown = wanted[:most] + "\n"
        length = len(wanted.partition("\n")[0])
        said = f"the first {most:,} of the {length:,} characters of line {first:,} of {total:,}"
    rest = f"; read on at {code_uri(asked.path, until + 1, asked.end)}" if until < last else ""
    return f"{shown}[{said}{rest}]\n"


def _below(root: Path, wanted: str, *, windows: bool) -> str:
    """What of ``wanted`` is below ``root`` where it begins with the whole path of it, else ""."""
    prefix = root.as_posix().rstrip("/") + "/"
    if windows:  # "/C:/src/a.py" and "c:/src/a.py" are one; so are the letters
        wanted, prefix = wanted.lstrip("/"), prefix.lstrip("/")
        return wanted[len(prefix) :] if wanted.lower().startswith(prefix.lower()) else ""
    return wanted.removeprefix(prefix) if wanted.startswith(prefix) else ""


def _straight(path: str) -> str:
    """The path without empty names and ``.``."""
    names = [name for name in path.split("/") if name not in ("", ".")]
    if ".." in names:
        raise OutsideRootError(f"{path!r} goes up by '..'; give the path below its root, as search answers show it.")
    return "/".join(names)


def _other_spellings(place: Place, asked: CodeUri) -> Iterator[Place]:
    """The place with its first name as the root has it, where that was the host of an address: letters may be lost."""
    if asked.path.startswith("/"):
        return
    first, slash, rest = place.path.partition("/")
    try:
        names = sorted(name for name in os.listdir(place.root) if name.lower() == first.lower())  # noqa: PTH208
    except OSError:  # the walk says why
        return
    for name in names:
        if name != first:
            yield replace(place, path=name + slash + rest)


def _look(place: Place, settings: IndexSettings, rules: Callable[[Path], Rules]) -> SourceFile | Skip | None:
    """What the index's walk says of the place."""
    for found in walk(place.root, settings, Look(Part(frozenset({place.path})), rules=rules(place.root))):
        if found.path == place.path:
            return found
        if isinstance(found, Skip) and place.path.startswith(found.path.rstrip("/") + "/"):
            return found
        if found.path.startswith(place.path + "/"):
            raise WithheldError(f"{place.path} is a directory; read a file in it, such as {found.path}.")
    return None


def _read(found: SourceFile | Skip, place: Place, settings: IndexSettings) -> SourceText:
    source = read_source(found, settings) if isinstance(found, SourceFile) else found
    if isinstance(source, Skip):
        why = _WHY.get(source.reason, _LINK)
        what = "it" if source.path == place.path else source.path
        raise WithheldError(f"{place.path} cannot be read here: {what} {why}; such files are left out of the index.")
    if isinstance(found, SourceFile) and not _is_straight(found.absolute):
        raise OutsideRootError(f"{place.path} was moved behind a symbolic link while it was read; read it again.")
    return source


def _is_straight(absolute: str) -> bool:
    """Whether no directory on the way has become a link since the walk."""
    try:
        return os.path.normcase(os.path.realpath(absolute)) == os.path.normcase(absolute)
    except OSError:  # what was a link when it was looked at was none when it was read
        return False
