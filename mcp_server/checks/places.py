"""Directories that codeloupe writes to: can it, how much room is there, who can read them, on which kind of disk."""

from __future__ import annotations

import errno
import os
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from embedding.open import NO_MODEL
from embedding.sources import models_directory
from indexer.watchable import network_file_system
from mcp_server.checks.findings import Finding, error, warning, well
from mcp_server.home import cache_directory, data_directory, indexes_directory
from mcp_server.settings import Settings, user_file

TRIAL_BYTES = 1 << 20
MIB = 1 << 20
LEAST_INODES = 1_000  # an index has some 60 files, a few hundred while its tables are joined
OTHERS = stat.S_IRWXG | stat.S_IRWXO
CAUSES = {
    errno.EROFS: "it is on a file system that is mounted read-only",
    errno.ENOSPC: "its disk is full",
    errno.EACCES: "its permissions do not allow it",
    errno.EPERM: "its permissions do not allow it",
    errno.ENOTDIR: "a file stands where a directory should",
    getattr(errno, "EDQUOT", -1): "your quota of its disk is used up",
}
NOT_FOR_ALL = (errno.ENOSPC, getattr(errno, "EDQUOT", -1))


@dataclass(frozen=True, slots=True)
class Place:
    """A directory, what it is for, how much room is wanted there, and what names another one."""

    what: str
    directory: Path
    least_bytes: int
    otherwise: str
    private: bool = False  # others must not read it
    mapped: bool = False  # files there are locked and mapped into memory


def places(settings: Settings) -> list[Place]:
    """Every directory that is written to with these settings."""
    model_dir = models_directory(settings.model, data_directory())
    cache = f"{'memory.vector_cache_mb = 0 does without, XDG_CACHE_HOME is another' if _unix() else 'make room there'}"
    wanted = [
        Place("indexes", indexes_directory(settings), 500 * MIB, "set storage.directory", private=True, mapped=True),
        Place("services", data_directory() / "services", 10 * MIB, "set model.shared to false", private=True),
        Place("models", model_dir, 100 * MIB, "set model.directory", mapped=True),
        Place("cache", cache_directory(), 100 * MIB, cache),
        Place("own settings", user_file().parent, MIB, "use CODELOUPE_* variables"),
        Place("temporary files", Path(tempfile.gettempdir()), 50 * MIB, "set TMPDIR"),
    ]
    return [place for place in wanted if place.what != "models" or settings.model.name.lower() != NO_MODEL]


def _unix() -> bool:
    return sys.platform not in ("win32", "darwin")


def is_there(path: Path) -> bool:
    """Whether there is something that can be looked at; Path.exists raises where a directory above is shut."""
    return os.path.exists(path)  # noqa: PTH110 - see there


def examine(place: Place) -> Finding:
    """One place: the worst that is true of it."""
    here = next((path for path in [place.directory, *place.directory.parents] if is_there(path)), Path("/"))
    if failure := _unwritable(place, here):
        return failure
    return _scarce(place, here) or _exposed(place) or _remote(place, here) or well(place.what, _said(place, here))


def _said(place: Place, here: Path) -> str:
    free = psutil.disk_usage(str(here)).free / 2**30
    return f"{place.directory}{'' if here == place.directory else ' (made when needed)'}, {free:.1f} GiB free"


def _unwritable(place: Place, here: Path) -> Finding | None:
    """Write to it, where it is there: permissions do not tell of quotas, nor of a disk mounted read-only."""
    try:
        if not here.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "not a directory")
        with tempfile.TemporaryFile(dir=here) as file:
            file.write(b"\0" * TRIAL_BYTES)
            file.flush()
            os.fsync(file.fileno())
    except OSError as failed:
        cause = CAUSES.get(failed.errno or 0, failed.strerror or str(failed))
        step = "make room there" if failed.errno in NOT_FOR_ALL else f"make {here} writable"
        return error(place.what, f"{here} cannot be written: {cause}", f"{step}, or {place.otherwise}")
    return None


def _scarce(place: Place, here: Path) -> Finding | None:
    free = psutil.disk_usage(str(here)).free
    if free < place.least_bytes:
        said = f"{free / MIB:,.0f} MiB are free at {here}, and {place.least_bytes / MIB:,.0f} are soon used"
        return warning(place.what, said, f"make room there, or {place.otherwise}")
    if hasattr(os, "statvfs"):
        disk = os.statvfs(here)
        if disk.f_files > 0 and disk.f_favail < LEAST_INODES:
            said = f"the disk of {here} has room for {disk.f_favail:,} more files, whatever their size"
            return warning(place.what, said, f"delete small files there, or {place.otherwise}")
    return None


def _exposed(place: Place) -> Finding | None:
    directory = place.directory
    if place.private and sys.platform != "win32" and is_there(directory) and directory.stat().st_mode & OTHERS:
        return error(place.what, f"{directory} can be read by others, and holds your code", f"chmod 700 {directory}")
    return None


def _remote(place: Place, here: Path) -> Finding | None:
    kind = network_file_system(here) if place.mapped else ""
    if not kind:
        return None
    said = (
        f"{here} is on a network file system ({kind}): slow, its locks are not always kept, and a break stops searches"
    )
    return warning(place.what, said, f"{place.otherwise} to a local disk")
