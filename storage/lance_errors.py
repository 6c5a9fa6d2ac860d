"""What LanceDB and the file system say when something fails, as this package's errors."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator

from storage.errors import IndexBusyError, IndexUnusableError, StorageError, StorageFullError

# What the library says (all of it RuntimeError, ValueError or OSError) and what that means to us. First match counts.
_NO_ROOM = re.compile(r"no space left|disk quota|file too large|storage ?full", re.IGNORECASE)
_FORBIDDEN = re.compile(
    r"permission denied|read-only file system|operation not permitted|access is denied|not a directory", re.IGNORECASE
)
_CONFLICT = re.compile(
    r"commit conflict|concurrent (commit|transaction)|too many concurrent|incompatible transaction", re.IGNORECASE
)
_UNREADABLE = re.compile(
    r"not found|LanceError|lance error|does not exist|no field named|invalid range|external error|arrow error|"
    r"failed to|corrupt|invalid (argument|user input|data)|panic|unexpected|out of bounds|magic",
    re.IGNORECASE,
)


def translate(error: BaseException, thing: str, writing: bool) -> StorageError | None:
    """The storage error that ``error`` is in truth, or None where it is a bug of ours and should look like one."""
    said = f"{type(error).__name__}: {error}"
    short = " ".join(str(error).split(", /")[0].split())[:200]
    if _NO_ROOM.search(said):
        inside = thing[:1].lower() + thing[1:]  # a sentence's subject, here within it
        return StorageFullError(
            f"No space is left to write {inside}: free some disk; what was stored before is intact."
        )
    if _FORBIDDEN.search(said) and writing:
        return StorageFullError(
            f"{thing} may not be written ({short}): allow that or choose another directory; what was stored is intact."
        )
    if _CONFLICT.search(said):
        return IndexBusyError(f"Another process changed {thing} at the same moment ({short}): try again.")
    if _UNREADABLE.search(said) or isinstance(error, OSError):
        return IndexUnusableError(f"{thing} cannot be {'written' if writing else 'read'} ({short}): index again.")
    return None


@contextlib.contextmanager
def translated(thing: str, *, writing: bool = False) -> Iterator[None]:
    """Raise the library's and the system's errors about ``thing``, a sentence's subject, as storage errors."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, StorageError, asyncio.CancelledError):
        raise
    except BaseException as error:  # a panic of the native library is no Exception
        translated = translate(error, thing, writing)
        if translated is None:
            raise
        raise translated from error
