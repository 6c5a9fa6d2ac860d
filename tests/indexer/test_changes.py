"""What must be read again, and what must not."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from indexer.changes import UNTRUSTED_MTIME, Changes, is_racy, plan_changes
from indexer.reading import read_source
from indexer.source import Skip, SkipReason, SourceFile, SourceText
from indexer.walker import walk
from storage.chunk import FileRecord
from tests.indexer.trees import SETTINGS, plant


def _file(path: str, size: int = 1, mtime_ns: int = 1) -> SourceFile:
    return SourceFile(path, f"/root/{path}", size, mtime_ns)


def _record(path: str, size: int = 1, mtime_ns: int = 1, skipped: str = "") -> FileRecord:
    return FileRecord(path, size, mtime_ns, "hash", "python", 1, skipped)


def _known(*records: FileRecord) -> dict[str, FileRecord]:
    return {record.path: record for record in records}


def test_new_and_changed_files_are_read_and_unchanged_ones_are_not() -> None:
    known = _known(_record("same"), _record("longer"), _record("touched"))
    seen = [_file("same"), _file("longer", size=2), _file("touched", mtime_ns=2), _file("new")]
    assert plan_changes(known, seen) == Changes(to_read=tuple(seen[1:]), skipped=(), gone=(), unchanged=1)


def test_what_is_no_longer_seen_is_gone() -> None:
    known = _known(_record("z"), _record("a"), _record("was/", skipped="vendored"), _record("here"))
    assert plan_changes(known, [_file("here")]).gone == ("a", "was/", "z")


def test_a_skip_is_recorded_once_and_again_for_another_reason() -> None:
    large, vendored = Skip("a", SkipReason.TOO_LARGE), Skip("v/", SkipReason.VENDORED)
    assert plan_changes({}, [large, vendored]).skipped == (large, vendored)
    known = _known(_record("a", skipped="too_large"), _record("v/", skipped="vendored"))
    assert plan_changes(known, [large, vendored]) == Changes((), (), (), unchanged=2)
    assert plan_changes(_known(_record("a")), [large]).skipped == (large,)
    assert plan_changes(_known(_record("a", skipped="minified")), [large]).skipped == (large,)


def test_a_file_found_binary_is_not_read_again_until_it_changes() -> None:
    known = _known(_record("a", skipped="binary"))
    assert plan_changes(known, [_file("a")]).to_read == ()
    assert plan_changes(known, [_file("a", size=2)]).to_read == (_file("a", size=2),)


def test_a_file_that_could_not_be_read_or_was_too_large_is_tried_again() -> None:
    for reason in ("unreadable", "vanished", "too_large", "symlink"):
        assert plan_changes(_known(_record("a", skipped=reason)), [_file("a")]).to_read == (_file("a"),)


def test_files_below_a_directory_that_cannot_be_listed_are_kept() -> None:
    known = _known(_record("closed/a"), _record("closed/deep/b"), _record("closed2/c"))
    changes = plan_changes(known, [Skip("closed/", SkipReason.UNREADABLE)])
    assert changes.gone == ("closed2/c",)


def test_files_below_a_directory_now_vendored_are_gone() -> None:
    assert plan_changes(_known(_record("v/a")), [Skip("v/", SkipReason.VENDORED)]).gone == ("v/a",)


_paths = st.sampled_from([f"{directory}{name}" for directory in ("", "a/", "b/") for name in "xyz"])
_sizes = st.integers(0, 2)


@given(st.dictionaries(_paths, _sizes), st.dictionaries(_paths, _sizes))
def test_carrying_out_a_plan_leaves_nothing_to_do(before: dict[str, int], after: dict[str, int]) -> None:
    known = {path: _record(path, size) for path, size in before.items()}
    seen = [_file(path, size) for path, size in after.items()]
    changes = plan_changes(known, seen)
    assert changes.unchanged + len(changes.to_read) == len(seen)
    for path in changes.gone:
        del known[path]
    known |= {file.path: _record(file.path, file.size) for file in changes.to_read}
    assert plan_changes(known, seen) == Changes((), (), (), len(seen))


SECOND = 1_000_000_000


def test_a_time_is_racy_while_a_further_write_could_show_the_same() -> None:
    fine = 100 * SECOND + 5
    assert is_racy(fine, now_ns=fine)
    assert is_racy(fine, now_ns=fine + 20_000_000)
    assert not is_racy(fine, now_ns=fine + SECOND)
    assert is_racy(fine, now_ns=fine - SECOND)  # in the future: the clocks disagree


def test_a_file_system_that_counts_seconds_is_given_two() -> None:
    assert is_racy(100 * SECOND, now_ns=101 * SECOND)
    assert not is_racy(100 * SECOND, now_ns=102 * SECOND)


def _index(root: Path) -> tuple[dict[str, FileRecord], Changes]:
    changes = plan_changes({}, walk(root, SETTINGS))
    sources = [read_source(file, SETTINGS) for file in changes.to_read]
    texts = [source for source in sources if isinstance(source, SourceText)]
    records = [FileRecord(text.path, text.size, text.mtime_ns, text.file_hash, "python", 1) for text in texts]
    return _known(*records), changes


def test_a_file_written_just_now_is_read_again_next_time(tmp_path: Path) -> None:
    path = plant(tmp_path, {"a.py": "one"}) / "a.py"
    future = path.stat().st_mtime_ns + 3600 * SECOND
    os.utime(path, ns=(future, future))
    known, _ = _index(tmp_path)
    assert known["a.py"].mtime_ns == UNTRUSTED_MTIME
    path.write_text("two", encoding="utf-8")
    os.utime(path, ns=(future, future))
    assert [file.path for file in plan_changes(known, walk(tmp_path, SETTINGS)).to_read] == ["a.py"]


def test_a_tree_that_rests_is_not_read_again(tmp_path: Path) -> None:
    plant(tmp_path, {"a.py": "one", "b/c.py": "two"})
    for path in (tmp_path / "a.py", tmp_path / "b" / "c.py"):
        os.utime(path, ns=(SECOND + 1, SECOND + 1))
    known, first = _index(tmp_path)
    assert len(first.to_read) == 2
    assert plan_changes(known, walk(tmp_path, SETTINGS)) == Changes((), (), (), unchanged=2)
