"""The nouns of finding and reading: a file that was found, its text, and why one was left out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SkipReason(StrEnum):
    """Why a file (or a whole directory) is not in the index; the value is what status counts and shows."""

    BINARY = "binary"
    DATA = "data"  # a large file of a data format: rows to load, not text to read
    GENERATED = "generated"  # written by a program: lock files, protobuf output, "Code generated ..."
    LFS_POINTER = "lfs_pointer"  # git-lfs left a note here instead of the content
    MINIFIED = "minified"
    NOT_A_FILE = "not_a_file"  # a socket, pipe or device; never opened
    PATH_NOT_UTF8 = "path_not_utf8"
    SECRET = "secret"  # noqa: S105 - no password: a file made to hold them, which is not for a model to read
    SYMLINK = "symlink"  # to something inside the root, which is found under its own name
    SYMLINK_BROKEN = "symlink_broken"
    SYMLINK_LOOP = "symlink_loop"
    SYMLINK_OUTSIDE = "symlink_outside"
    TOO_LARGE = "too_large"
    UNDECODABLE = "undecodable"
    UNREADABLE = "unreadable"  # no permission, or an I/O error
    VANISHED = "vanished"  # between being listed and being read
    VENDORED = "vendored"  # somebody else's code or a tool's cache; one skip for the whole directory


@dataclass(frozen=True, slots=True)
class Skip:
    """A path left out of the index. A directory's ends with "/" and stands for all it holds.

    ``path`` is posix and relative to the root; characters that are not UTF-8 are shown by their code.
    ``size`` in bytes and ``mtime_ns`` are 0 where they were not looked at.
    """

    path: str
    reason: SkipReason
    size: int = 0
    mtime_ns: int = 0


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A regular file worth reading, as the walk saw it."""

    path: str  # posix, relative to the root
    absolute: str  # in the platform's own form, of a root without links: it ends with ``path``
    size: int  # bytes
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class SourceText:
    """A file's text as it is cut and indexed: decoded, each line ended by one newline, without NULs.

    ``size`` and ``mtime_ns`` describe the bytes that were read. ``mtime_ns`` is changes.UNTRUSTED_MTIME where
    the file was written so lately that a further change could carry the same time: the next walk reads it again.
    """

    path: str
    text: str
    encoding: str  # Python's name of the codec
    size: int  # bytes on disk
    mtime_ns: int
    file_hash: str  # xxh3, 128 bits, hexadecimal, of the raw bytes
