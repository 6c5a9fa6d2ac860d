"""What differs between the index and the tree: decides, by size and time, what must be read. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from indexer.source import Skip, SkipReason, SourceFile
from storage.chunk import FileRecord

# The time of a record whose file may still change without looking changed: no file has it, so the file is read again.
UNTRUSTED_MTIME = -1

# Two writes within one tick of the file system's clock leave the same time. Ticks are 10 ms and less (ext4, xfs, btrfs,
# APFS), 15.6 ms on Windows; file systems without fractions of a second (ext3, HFS+, FAT) tick in 1 or 2 s. A watcher
# has a file read some 60 ms after it was saved, so that it need not be read a second time.
_FINE_TICK_NS = 50_000_000
_COARSE_TICK_NS = 2_000_000_000

# What a file's content decides stays decided until the file changes. Every other reason depends on permissions,
# settings or luck, and is looked into again.
_LASTING = frozenset(
    {
        SkipReason.BINARY,
        SkipReason.DATA,
        SkipReason.GENERATED,
        SkipReason.LFS_POINTER,
        SkipReason.MINIFIED,
        SkipReason.SECRET,
        SkipReason.UNDECODABLE,
    }
)


@dataclass(frozen=True, slots=True)
class Changes:
    """What has to be done so that the index tells the truth about the tree."""

    to_read: tuple[SourceFile, ...]  # new, or of another size or time than recorded
    skipped: tuple[Skip, ...]  # to be recorded: not known yet, or for another reason
    gone: tuple[str, ...]  # paths to forget, sorted
    unchanged: int  # files and skips about which there is nothing to do


def plan_changes(known: Mapping[str, FileRecord], seen: Iterable[SourceFile | Skip]) -> Changes:
    """Hold what the walk saw against what the index knows, by path.

    Files below a directory that could not be listed are neither changed nor gone: nobody has looked.
    """
    to_read: list[SourceFile] = []
    skipped: list[Skip] = []
    unseen = dict.fromkeys(known)
    closed: list[str] = []
    total = 0
    for found in seen:
        total += 1
        unseen.pop(found.path, None)
        record = known.get(found.path)
        if isinstance(found, SourceFile):
            if not is_current(record, found):
                to_read.append(found)
            continue
        if found.reason is SkipReason.UNREADABLE and found.path.endswith("/"):
            closed.append(found.path)
        if record is None or record.skipped != found.reason:
            skipped.append(found)
    gone = sorted(path for path in unseen if not path.startswith(tuple(closed)))
    return Changes(tuple(to_read), tuple(skipped), tuple(gone), total - len(to_read) - len(skipped))


def known_within(known: Mapping[str, FileRecord], paths: Collection[str]) -> dict[str, FileRecord]:
    """The records of these paths, and of all below those of them that are, or were, directories."""
    within = {path: known[path] for path in paths if path in known}
    below = tuple(path + "/" for path in paths if path not in known)
    if below:
        within |= {path: record for path, record in known.items() if path.startswith(below)}
    return within


def is_current(record: FileRecord | None, file: SourceFile) -> bool:
    """Whether what is recorded still holds for ``file``, as far as size and time can tell."""
    return (
        record is not None
        and (record.size, record.mtime_ns) == (file.size, file.mtime_ns)
        and (not record.skipped or record.skipped in _LASTING)
    )


def is_racy(mtime_ns: int, now_ns: int) -> bool:
    """Whether a file with this time, read at ``now_ns``, could change again and keep its time (git's "racy clean").

    A fraction of a second in the time shows that the file system keeps them.
    """
    tick = _FINE_TICK_NS if mtime_ns % 1_000_000_000 else _COARSE_TICK_NS
    return mtime_ns > now_ns - tick
