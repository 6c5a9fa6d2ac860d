"""A found file into its text, or the reason why it has none. The only place that opens source files."""

from __future__ import annotations

import errno
import os
import stat
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xxhash

from indexer.changes import UNTRUSTED_MTIME, is_racy
from indexer.confidential import is_private_key, is_secret_name
from indexer.decoding import decode
from indexer.generated import reason_by_name, reason_by_text
from indexer.source import Skip, SkipReason, SourceFile, SourceText

if TYPE_CHECKING:
    from indexer.settings import IndexSettings

# Not through a link that took the file's place since the walk, and not waiting for a pipe's writer.
_FILE = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY", "O_NOCTTY"):
    _FILE |= getattr(os, _name, 0)

_DIRECTORY = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_CLOEXEC", "O_DIRECTORY"):
    _DIRECTORY |= getattr(os, _name, 0)


@dataclass(frozen=True, slots=True)
class _Content:
    """A file's bytes and the size and time that belong to them; ``stable`` unless it changed while it was read."""

    data: bytes
    mtime_ns: int
    stable: bool


def read_source(file: SourceFile, settings: IndexSettings) -> SourceText | Skip:
    """The text of ``file`` as it is now, or why it is not indexed. Never raises for anything a file can be.

    A file that changes while it is read is read once more; if it changes again, the second reading counts and its
    time is marked as untrusted, so that the next walk comes back to it.
    """
    reason = SkipReason.SECRET if is_secret_name(file.path) else reason_by_name(file.path, file.size)
    if reason is not None:
        return Skip(file.path, reason, file.size, file.mtime_ns)
    content = _read(file, settings.max_file_kb * 1024)
    if isinstance(content, _Content) and not content.stable:
        content = _read(file, settings.max_file_kb * 1024)
    if isinstance(content, SkipReason):
        return Skip(file.path, content, file.size, file.mtime_ns)
    return _text(file.path, content)


def _text(path: str, content: _Content) -> SourceText | Skip:
    size = len(content.data)
    decoded = decode(content.data)
    if isinstance(decoded, SkipReason):
        return Skip(path, decoded, size, content.mtime_ns)
    text = decoded.text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    reason = SkipReason.SECRET if is_private_key(text) else reason_by_text(path, text)
    if reason is not None:
        return Skip(path, reason, size, content.mtime_ns)
    file_hash = xxhash.xxh3_128_hexdigest(content.data)
    return SourceText(path, text, decoded.encoding, size, content.mtime_ns, file_hash)


def _read(file: SourceFile, limit: int) -> _Content | SkipReason:
    try:
        descriptor = _opened(file)
    except OSError as error:
        return _open_failure(error)
    try:
        return _read_open(descriptor, limit)
    except OSError:
        return SkipReason.UNREADABLE
    finally:
        os.close(descriptor)


def _opened(file: SourceFile) -> int:
    """A descriptor to read from, got directory by directory: whoever writes in the tree may put a link in its place.

    Windows opens nothing relative to a directory; there the path is opened as the walk found it. Raises OSError.
    """
    if os.open not in os.supports_dir_fd:
        return os.open(file.absolute, _FILE)
    *above, name = file.path.split("/")
    here = os.open(file.absolute.removesuffix(file.path), _DIRECTORY)
    try:
        for directory in above:
            inner = os.open(directory, _DIRECTORY, dir_fd=here)
            os.close(here)
            here = inner
        return os.open(name, _FILE, dir_fd=here)
    finally:
        os.close(here)


def _read_open(descriptor: int, limit: int) -> _Content | SkipReason:
    now_ns = time.time_ns()
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        return SkipReason.NOT_A_FILE
    if before.st_size > limit:
        return SkipReason.TOO_LARGE
    with open(descriptor, "rb", closefd=False) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        return SkipReason.TOO_LARGE
    after = os.fstat(descriptor)
    stable = (before.st_mtime_ns, len(data)) == (after.st_mtime_ns, after.st_size)
    trusted = stable and not is_racy(after.st_mtime_ns, now_ns)
    return _Content(data, after.st_mtime_ns if trusted else UNTRUSTED_MTIME, stable)


def _open_failure(error: OSError) -> SkipReason:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return SkipReason.VANISHED
    if error.errno == errno.ELOOP:  # what O_NOFOLLOW says to a link
        return SkipReason.SYMLINK
    return SkipReason.NOT_A_FILE if error.errno == errno.ENXIO else SkipReason.UNREADABLE
