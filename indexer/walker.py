"""The tree as git sees it, and why parts of it are left out. Looks at names and sizes; never opens a source file."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.errors import RootError
from indexer.ignore import judge
from indexer.repository import parents_of
from indexer.rules import GIT_IGNORE_FILE, OWN_IGNORE_FILE, Rules, root_rules
from indexer.source import Skip, SkipReason, SourceFile
from indexer.vendored import MARKERS, is_vendored_by_content, is_vendored_name

if TYPE_CHECKING:
    from indexer.settings import IndexSettings

_VERSION_CONTROL = frozenset({".git", ".hg", ".svn", ".bzr", ".jj", ".pijul", "_darcs", "CVS"})
_MOUNT_POINT = 0xA0000003  # stat.IO_REPARSE_TAG_MOUNT_POINT, which other systems lack
_WINDOWS = sys.platform == "win32"
_TELLING = MARKERS | {GIT_IGNORE_FILE, OWN_IGNORE_FILE, ".git"}


@dataclass(frozen=True, slots=True)
class _Directory:
    """A directory still to be looked into."""

    absolute: str
    path: str  # relative to the root, "" or ending with "/"
    rules: Rules
    ignored: bool = False  # entered only for the tracked files in it
    wanted: bool = False  # the root, or named by a "!" pattern of our own: never taken for vendored
    whole: bool = True  # everything in it is looked at, not only what leads to a part's paths


@dataclass(frozen=True, slots=True)
class Part:
    """Some paths of a tree: files, directories with all that is below them, or what is no longer there."""

    paths: frozenset[str]  # relative to the root, with "/" between names and none at the end
    parents: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parents", frozenset(parent for path in self.paths for parent in parents_of(path)))


@dataclass(frozen=True, slots=True)
class Look:
    """How to look at a tree: all of it or a part, by rules that are known or found out, and who hears where it went."""

    part: Part | None = None
    anew: bool = False  # the files are to be read again, whatever their size and time say
    rules: Rules | None = None  # of the root, from ``root_rules``; asking git for them takes some 10 ms
    entered: Callable[[str], None] | None = None  # is told each directory that is listed: "", "a/", "a/b/"


def walk(root: Path, settings: IndexSettings, look: Look | None = None) -> Iterator[SourceFile | Skip]:
    """Every file below ``root`` that git would list, tracked or not, or the reason why it is skipped.

    Ignored paths are not mentioned at all. Within a directory files come first, each kind in order of name; links are
    never followed. Raises RootError at once where ``root`` cannot be listed, and later where it went away.
    """
    top = _checked(root)
    look = look or Look()
    rules = look.rules or root_rules(top, settings)
    first = _Directory(str(top), "", rules, wanted=True, whole=look.part is None)
    return _entries(first, str(top), settings, look)


def _checked(root: Path) -> Path:
    """The root's real path."""
    try:
        top = root.resolve(strict=True)
        with os.scandir(top):
            return top
    except FileNotFoundError:
        raise RootError(f"There is no directory {root}; give the path of one that exists.") from None
    except NotADirectoryError:
        raise RootError(f"{root} is a file, not a directory; give the directory that holds it.") from None
    except PermissionError:
        raise RootError(f"{root} may not be read by this user; change its permissions or choose another.") from None
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links; a NUL in the path
        raise RootError(f"{root!s} cannot be listed ({error}); choose another directory.") from error


def _entries(first: _Directory, root: str, settings: IndexSettings, look: Look) -> Iterator[SourceFile | Skip]:
    limit = settings.max_file_kb * 1024
    pending = [first]
    while pending:  # a stack and no recursion: trees are deeper than Python's
        listing = _list(pending.pop(), settings, look)
        if isinstance(listing, Skip):
            if not listing.path:
                raise RootError(f"{root} could not be listed any more; see whether its disk is still there.")
            yield listing
            continue
        here = listing.directory
        below: list[_Directory] = []
        while listing.entries:  # taken away one by one: an entry remembers its 600 bytes of status
            entry = listing.entries.pop()
            path = here.path + entry.name
            if _is_directory(entry):
                inner = _inner(here, entry, path, look.part)
                if inner is not None:
                    below.append(inner)
            elif _is_found(here, entry.name, path):
                yield _file(entry, path, root, limit)
        pending.extend(reversed(below))


@dataclass(frozen=True, slots=True)
class _Listing:
    directory: _Directory
    entries: list[os.DirEntry[str]]  # the last one first; 270 bytes each, also with a million in one directory


def _list(directory: _Directory, settings: IndexSettings, look: Look) -> _Listing | Skip:
    """What is in a directory, with the rules that hold there; or why it is left out."""
    if not _is_utf8(directory.path):
        return Skip(_printable(directory.path), SkipReason.PATH_NOT_UTF8)
    judged = not settings.include_vendored and not directory.wanted
    name = directory.path[:-1].rpartition("/")[2]
    if judged and is_vendored_name(name):
        return Skip(directory.path, SkipReason.VENDORED)
    try:
        with os.scandir(directory.absolute) as listed:
            entries = sorted(listed, key=attrgetter("name"), reverse=True)
    except OSError as error:
        return _failed(directory.path, error)
    telling = {entry.name for entry in entries if entry.name in _TELLING}
    if judged and is_vendored_by_content(name, telling):
        return Skip(directory.path, SkipReason.VENDORED)
    if look.entered is not None:
        look.entered(directory.path)
    return _Listing(_ruled(directory, telling), entries if directory.whole else _on_the_way(directory, entries, look))


def _on_the_way(directory: _Directory, entries: list[os.DirEntry[str]], look: Look) -> list[os.DirEntry[str]]:
    part = look.part
    assert part is not None  # else every directory is whole
    here = directory.path
    return [entry for entry in entries if here + entry.name in part.paths or here + entry.name in part.parents]


def _ruled(here: _Directory, telling: set[str]) -> _Directory:
    """The directory under the rules of what lies in it: ignore files, the top of a repository."""
    if telling.isdisjoint((GIT_IGNORE_FILE, OWN_IGNORE_FILE, ".git")):
        return here
    directory = Path(here.absolute)
    rules, ignored = here.rules, here.ignored
    if ".git" in telling and here.path:  # the root's own is known already
        inner = rules.in_repository(directory, here.path)
        rules, ignored = (inner, False) if inner else (rules, ignored)
    return replace(here, rules=rules.inside(directory, here.path, telling), ignored=ignored)


def _is_directory(entry: os.DirEntry[str]) -> bool:
    """Whether to look inside: no links, and no junctions, which Windows presents as directories."""
    try:
        return entry.is_dir(follow_symlinks=False) and not (_WINDOWS and _is_junction(entry))
    except OSError:
        return False  # the look at it as a file says why


def _is_junction(entry: os.DirEntry[str]) -> bool:
    # Not any reparse point: OneDrive marks every directory it keeps as one.
    return getattr(entry.stat(follow_symlinks=False), "st_reparse_tag", 0) == _MOUNT_POINT


def _inner(here: _Directory, entry: os.DirEntry[str], path: str, part: Part | None) -> _Directory | None:
    """The directory to look into next, or None where nothing in it can be found."""
    if entry.name in _VERSION_CONTROL:
        return None
    rules = here.rules
    own = judge(rules.own, entry.name, path, is_directory=True)
    if own:
        return None
    ignored = own is None and (here.ignored or bool(judge(rules.git, entry.name, path, is_directory=True)))
    if ignored and not rules.tracked.leads_to(path):
        return None
    whole = part is None or here.whole or path in part.paths
    return _Directory(entry.path, path + "/", rules, ignored, wanted=own is False, whole=whole)


def _is_found(here: _Directory, name: str, path: str) -> bool:
    if name == ".git":  # a file in linked work trees and submodules
        return False
    rules = here.rules
    own = judge(rules.own, name, path, is_directory=False)
    if own is not None:
        return not own
    if here.ignored or judge(rules.git, name, path, is_directory=False):
        return path in rules.tracked.files
    return True


def _file(entry: os.DirEntry[str], path: str, root: str, limit: int) -> SourceFile | Skip:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        return _failed(path, error)
    if not _is_utf8(path):
        return Skip(_printable(path), SkipReason.PATH_NOT_UTF8)
    size, mtime_ns = status.st_size, status.st_mtime_ns
    if not stat.S_ISREG(status.st_mode):
        reason = SkipReason.NOT_A_FILE
        if stat.S_ISLNK(status.st_mode) or stat.S_ISDIR(status.st_mode):  # a junction is the latter
            reason = _link_reason(entry.path, root)
        return Skip(path, reason, size, mtime_ns)
    if size > limit:
        return Skip(path, SkipReason.TOO_LARGE, size, mtime_ns)
    return SourceFile(path, entry.path, size, mtime_ns)


def _link_reason(absolute: str, root: str) -> SkipReason:
    """Why a link is not followed. Its target is named by the file system and not touched."""
    try:
        target = os.path.realpath(absolute, strict=True)
    except OSError as error:
        return SkipReason.SYMLINK_LOOP if error.errno == errno.ELOOP else SkipReason.SYMLINK_BROKEN
    if not _holds(root, target):
        return SkipReason.SYMLINK_OUTSIDE
    return SkipReason.SYMLINK_LOOP if _holds(target, absolute) else SkipReason.SYMLINK


def _holds(directory: str, path: str) -> bool:
    return path == directory or path.startswith(directory.rstrip(os.sep) + os.sep)


def _failed(path: str, error: OSError) -> Skip:
    gone = isinstance(error, FileNotFoundError | NotADirectoryError)
    return Skip(_printable(path), SkipReason.VANISHED if gone else SkipReason.UNREADABLE)


def _is_utf8(path: str) -> bool:
    if path.isascii():
        return True
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode()
