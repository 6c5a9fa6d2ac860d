"""A client's file on disk: read as it is, kept beside itself before it changes, replaced at once."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mcp_server.errors import ClientFileError

BACKUP = ".codeloupe-backup-"
ASIDE = ".codeloupe-"  # and a random number: what is written before it takes the file's place
LEFT_S = 600.0  # no process writes one for as long
MOST_BYTES = 64 << 20  # a client keeps its history in one, and some grew to several megabytes
_BOM = b"\xef\xbb\xbf"


class ChangedMeanwhileError(Exception):
    """Somebody else wrote the file between our reading and our writing."""


@dataclass(frozen=True, slots=True)
class ClientFile:
    """A file as it was read; ``data`` is None where there is none."""

    path: Path  # as the client names it
    target: Path  # what that leads to: links that a dotfiles program made stay
    data: bytes | None

    @property
    def text(self) -> str:
        """Its text, without a byte order mark; "" where there is no file. Raises ClientFileError."""
        try:
            return (self.data or b"").removeprefix(_BOM).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ClientFileError(f"{self.path} is not UTF-8 ({error.reason}); save it as UTF-8 first.") from error

    def encoded(self, text: str) -> bytes:
        """Another text as this file would hold it. Raises ClientFileError."""
        mark = _BOM if self.data is not None and self.data.startswith(_BOM) else b""
        try:
            return mark + text.encode("utf-8")
        except UnicodeEncodeError as error:  # a directory whose name is no UTF-8, half a letter in an entry
            words = f"{text[error.start : error.end]!r} cannot be written as UTF-8"
            raise ClientFileError(f"{self.path} stays as it is: {words}; rename what has that in its name.") from error

    def backups(self) -> list[Path]:
        """What was kept of it, the latest first."""
        return sorted(self.target.parent.glob(f"{_escaped(self.target.name)}{BACKUP}*"), reverse=True)


def read(path: Path) -> ClientFile:
    """The file at ``path`` now. Raises ClientFileError where it is there and cannot be read."""
    try:
        target = path.resolve()
        return ClientFile(path, target, _content(target))
    except (OSError, RuntimeError) as error:
        raise _cannot("read", path, error) from error


def _content(target: Path) -> bytes | None:
    """What a file holds; None where there is none.

    A pipe would be waited for, and a device has no end; a project's links lead anywhere.
    """
    try:
        seen = target.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(seen.st_mode) and not stat.S_ISDIR(seen.st_mode):
        raise OSError(errno.EINVAL, "it is no file but a pipe or a device")
    if seen.st_size > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {MOST_BYTES >> 20} MiB")
    return target.read_bytes()


def write(file: ClientFile, text: str, *, private: bool) -> Path | None:
    """Replace the file by ``text``; where its old content is kept, None for a new file.

    A new file is its owner's alone where it is ``private``. Raises ClientFileError, with the file as it was, and
    ChangedMeanwhileError where it is not what was read.
    """
    try:
        _refuse_read_only(file)
        file.target.parent.mkdir(parents=True, exist_ok=True)
        kept = _keep(file)
        try:
            _replace(file, file.encoded(text), private=private)
        except BaseException:
            if kept:
                kept.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _cannot("written", file.path, error) from error
    return kept


def restore(file: ClientFile, backup: Path) -> None:
    """Put a backup back in the place of the file. Raises as ``write``."""
    try:
        _refuse_read_only(file)
        _replace(file, backup.read_bytes(), private=False)
        backup.unlink()
    except OSError as error:
        raise _cannot("written", file.path, error) from error


def delete(file: ClientFile) -> None:
    """Remove the file. Raises as ``write``."""
    try:
        _refuse_read_only(file)
        _refuse_changed(file)
        file.target.unlink()
    except OSError as error:
        raise _cannot("removed", file.path, error) from error


def _replace(file: ClientFile, data: bytes, *, private: bool) -> None:
    _clear(file)
    aside = file.target.with_name(f".{file.target.name}{ASIDE}{secrets.token_hex(4)}")
    try:
        like = file.target if file.data is not None else None
        _fill(aside, data, like=like, private=private and like is None)
        _refuse_changed(file)
        aside.replace(file.target)
    finally:
        aside.unlink(missing_ok=True)


def _clear(file: ClientFile) -> None:
    """Remove what a process that was killed while it wrote has left: it holds what the file does, keys and all."""
    for left in file.target.parent.glob(f"{_escaped(f'.{file.target.name}{ASIDE}')}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.lstat().st_mtime > LEFT_S:
                left.unlink()


def _fill(path: Path, data: bytes, *, like: Path | None, private: bool) -> None:
    """A new file with that content, flushed to the disk; its owner is that of ``like``.

    Its permissions are those of ``like`` as well, unless it is ``private``: then its owner's alone.
    """
    path.touch(mode=0o600 if private or like else 0o666, exist_ok=False)
    if like:
        _give_to_owner_of(path, like)
    if like and not private:
        _take_permissions(path, like)
    with path.open("r+b") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _take_permissions(path: Path, like: Path) -> None:
    """Those of the mode; before them the access control lists, without which the same mode allows more."""
    if sys.platform == "linux":
        for name in os.listxattr(like):
            with contextlib.suppress(OSError):
                os.setxattr(path, name, os.getxattr(like, name))
    shutil.copymode(like, path)


def _give_to_owner_of(path: Path, like: Path) -> None:
    if hasattr(os, "chown"):
        theirs, ours = like.stat(), path.stat()
        if (theirs.st_uid, theirs.st_gid) != (ours.st_uid, ours.st_gid):
            os.chown(path, theirs.st_uid, theirs.st_gid)


def _keep(file: ClientFile) -> Path | None:
    """A copy beside the file, named after the time; its owner's alone, for it outlives keys that are changed."""
    if file.data is None:
        return None
    stamp = f"{file.target.name}{BACKUP}{datetime.now():%Y%m%d-%H%M%S}"  # noqa: DTZ005  # the user's own clock, for a name
    for name in (stamp, *(f"{stamp}.{number}" for number in range(1, 100))):
        path = file.target.with_name(name)
        try:
            _fill(path, file.data, like=file.target, private=True)
        except FileExistsError:
            continue
        except OSError:
            path.unlink(missing_ok=True)
            raise
        return path
    raise FileExistsError(17, "there are a hundred backups of this second", stamp)


def _refuse_read_only(file: ClientFile) -> None:
    """A file without a bit to write by is somebody's decision, which replacing it would go around."""
    if file.data is not None and not stat.S_IMODE(file.target.stat().st_mode) & 0o222:
        raise ClientFileError(f"{file.path} is read-only; allow writing to it first.")


def _refuse_changed(file: ClientFile) -> None:
    now = None
    with contextlib.suppress(FileNotFoundError):
        now = file.target.read_bytes()
    if now != file.data:
        raise ChangedMeanwhileError


def _cannot(done: str, path: Path, error: OSError | RuntimeError) -> ClientFileError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ClientFileError(f"{path} cannot be {done} ({reason}); it is as it was. Mend that and try again.")


def _escaped(name: str) -> str:
    """A file's name as a pattern for itself."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
