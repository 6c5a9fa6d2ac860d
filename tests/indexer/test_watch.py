"""What is heard of a tree: changes where a walk has been, nothing from where it has not."""

from __future__ import annotations

import os
import shutil
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import pytest

from indexer import watch, watchable
from indexer.errors import WatchError
from indexer.inotify import Inotify, Raw, events
from indexer.settings import IndexSettings
from indexer.walker import Look, walk
from indexer.watch import MOST_PATHS, NOTHING, Heard, TreeWatch, worth_a_look
from indexer.watchable import is_remote
from tests.indexer.trees import plant

PATIENCE_S = 30
ADDED, MODIFIED, DELETED = 1, 2, 3


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {".gitignore": "out/\n", "a.py": "a = 1\n", "pkg/b.py": "b = 1\n", "out/c.py": "c = 1\n"}
    return plant(tmp_path.resolve() / "tree", files | {"node_modules/x/index.js": "x\n"})


@pytest.fixture
def ears(root: Path) -> Iterator[TreeWatch]:
    ears = TreeWatch(root)
    cover(ears, root)
    yield ears
    ears.close()


def cover(ears: TreeWatch, root: Path) -> None:
    entered: list[str] = []
    list(walk(root, IndexSettings(), Look(entered=entered.append)))
    ears.cover(entered)
    ears.take()


def heard_until(ears: TreeWatch, holds: Callable[[Heard], bool]) -> Heard:
    """All that was heard until ``holds`` is true of it."""
    heard, end = ears.take(), monotonic() + PATIENCE_S
    while not holds(heard):
        left = end - monotonic()
        assert left > 0, f"heard only {heard}"
        before = ears.last_heard
        later = ears.take()
        if not later:
            ears.wait(before, left)
        heard = heard.then(later)
    return heard


def test_a_tree_nobody_has_listened_to_may_have_changed_anywhere(root: Path) -> None:
    ears = TreeWatch(root)
    assert ears.take().anywhere
    ears.close()


def test_changed_new_and_deleted_files_are_heard_of(root: Path, ears: TreeWatch) -> None:
    (root / "a.py").write_text("a = 2\n", encoding="utf-8")
    (root / "pkg" / "new.py").write_text("n = 1\n", encoding="utf-8")
    (root / "pkg" / "b.py").unlink()
    heard = heard_until(ears, lambda heard: heard.paths >= {"a.py", "pkg/new.py", "pkg/b.py"})
    assert heard.paths == {"a.py", "pkg/new.py", "pkg/b.py"}
    assert not heard.anywhere


def test_a_renamed_file_is_heard_of_under_both_names(root: Path, ears: TreeWatch) -> None:
    (root / "a.py").rename(root / "pkg" / "z.py")
    heard_until(ears, lambda heard: heard.paths >= {"a.py", "pkg/z.py"})


def test_what_is_ignored_or_vendored_is_not_heard_of(root: Path, ears: TreeWatch) -> None:
    (root / "out" / "c.py").write_text("c = 2\n", encoding="utf-8")
    (root / "node_modules" / "x" / "index.js").write_text("y\n", encoding="utf-8")
    (root / "a.py").write_text("last\n", encoding="utf-8")
    assert heard_until(ears, lambda heard: "a.py" in heard.paths).paths == {"a.py"}


def test_only_directories_that_are_walked_cost_a_watch(root: Path, ears: TreeWatch) -> None:
    assert ears.directories == 2  # the root and pkg


@pytest.mark.skipif(not watchable.BY_DIRECTORY, reason="this system tells in its own time")
def test_asking_takes_in_at_once_what_was_written_before(root: Path, ears: TreeWatch) -> None:
    for number in range(200):
        (root / "a.py").write_text(f"a = {number}\n", encoding="utf-8")
        ears.listen()
        assert ears.take().paths == {"a.py"}


def test_a_new_directory_is_heard_of_and_once_walked_what_is_in_it(root: Path, ears: TreeWatch) -> None:
    plant(root, {"fresh/deep/d.py": "d = 1\n"})
    heard_until(ears, lambda heard: "fresh" in heard.paths)
    cover(ears, root)
    assert ears.directories == 4
    (root / "fresh" / "deep" / "d.py").write_text("d = 2\n", encoding="utf-8")
    heard_until(ears, lambda heard: "fresh/deep/d.py" in heard.paths)


def test_a_directory_that_is_new_to_the_listener_is_to_be_looked_at(root: Path, ears: TreeWatch) -> None:
    plant(root, {"fresh/d.py": "d = 1\n"})
    heard_until(ears, lambda heard: "fresh" in heard.paths)
    ears.cover(["fresh/"])
    assert "fresh" in ears.take().paths


def test_a_directory_that_went_and_came_again_is_listened_to_again(root: Path, ears: TreeWatch) -> None:
    shutil.rmtree(root / "pkg")
    heard_until(ears, lambda heard: "pkg" in heard.paths)
    assert ears.directories == 1
    plant(root, {"pkg/b.py": "b = 2\n"})
    heard_until(ears, lambda heard: "pkg" in heard.paths)
    cover(ears, root)
    (root / "pkg" / "b.py").write_text("b = 3\n", encoding="utf-8")
    heard_until(ears, lambda heard: "pkg/b.py" in heard.paths)


def test_many_new_directories_are_listened_to_like_the_first(root: Path, ears: TreeWatch) -> None:
    plant(root, {f"many/d{number}/e.py": "e = 1\n" for number in range(220)})
    cover(ears, root)
    for path in ("many/d7/e.py", "a.py"):
        (root / path).write_text("changed\n", encoding="utf-8")
        heard_until(ears, lambda heard, path=path: path in heard.paths)


def test_a_file_that_is_to_be_ignored_is_not_heard_of_until_nothing_is(root: Path, ears: TreeWatch) -> None:
    ears.ignore(["server.log"])
    (root / "server.log").write_text("1\n", encoding="utf-8")
    (root / "a.py").write_text("a = 2\n", encoding="utf-8")
    assert heard_until(ears, lambda heard: "a.py" in heard.paths).paths == {"a.py"}
    ears.ignore_nothing()
    (root / "server.log").write_text("2\n", encoding="utf-8")
    heard_until(ears, lambda heard: "server.log" in heard.paths)


def test_our_own_files_within_the_tree_are_not_listened_to(root: Path) -> None:
    plant(root, {"own/index.json": "{}"})
    ears = TreeWatch(root, root / "own")
    cover(ears, root)
    assert ears.directories == 2
    ears.close()


def test_its_thread_ends_with_the_listener(root: Path) -> None:
    before = set(threading.enumerate())
    ears = TreeWatch(root)
    cover(ears, root)
    (own,) = [thread for thread in threading.enumerate() if thread.name == "watch" and thread not in before]
    ears.close()
    own.join(PATIENCE_S)
    assert not own.is_alive()


@pytest.mark.skipif(not watchable.BY_DIRECTORY, reason="this system has no allowance")
def test_a_tree_beyond_half_of_the_systems_allowance_is_refused_in_words(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowance = tmp_path / "max_user_watches"
    allowance.write_text("2\n", encoding="ascii")
    monkeypatch.setattr(watchable, "ALLOWANCE", allowance)
    ears = TreeWatch(root)
    with pytest.raises(WatchError, match="2 directories, and half of what this system lets a user listen to is 1"):
        ears.cover(["", "pkg/"])
    ears.close()


def test_a_disk_in_the_network_is_refused_in_words(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "remote_disk", lambda path: f"{path} is on a nfs4 disk")
    with pytest.raises(WatchError, match="nfs4"):
        TreeWatch(root)


@pytest.mark.parametrize("kind", [("nfs4", "rw"), ("fuse.sshfs", "rw"), ("NTFS", "rw,remote"), ("9p", "rw")])
def test_file_systems_that_others_write_to_are_told_from_local_ones(kind: tuple[str, str]) -> None:
    assert is_remote(*kind)
    assert not any(is_remote(name, "rw,fixed") for name in ("ext4", "apfs", "NTFS", "btrfs", "overlay"))


def test_rules_that_change_may_change_anything() -> None:
    assert worth_a_look([(MODIFIED, "pkg/.gitignore")], {"", "pkg"}).anywhere
    assert worth_a_look([(DELETED, "")], {""}).anywhere


def test_more_than_can_be_looked_at_one_by_one_is_anywhere() -> None:
    told = [(ADDED, f"{number}.py") for number in range(MOST_PATHS + 1)]
    assert worth_a_look(told, {""}).anywhere


def test_git_itself_and_modified_directories_are_not_worth_a_look() -> None:
    told = [(MODIFIED, ".git/index"), (ADDED, ".git"), (MODIFIED, "pkg"), (ADDED, "elsewhere/x.py")]
    assert not worth_a_look(told, {"", ".git", "pkg"})


def test_what_follows_is_added_and_keeps_the_first_time() -> None:
    both = Heard(frozenset({"a"}), first=1.0, last=2.0).then(Heard(frozenset({"b"}), first=5.0, last=6.0))
    assert both == Heard(frozenset({"a", "b"}), first=1.0, last=6.0)
    assert NOTHING.then(both) == both
    assert both.then(NOTHING) == both


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_a_name_that_is_no_text_is_heard_of_or_makes_everything_suspect(root: Path, ears: TreeWatch) -> None:
    (root / os.fsdecode(b"caf\xe9.py")).write_text("x\n", encoding="utf-8")
    heard_until(ears, lambda heard: heard.anywhere or bool(heard.paths))


def test_listening_to_a_whole_tree_tells_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "BY_DIRECTORY", False)  # as on macOS and Windows, through watchfiles
    ears = TreeWatch(root)
    cover(ears, root)
    (root / "node_modules" / "x" / "index.js").write_text("y\n", encoding="utf-8")
    (root / "pkg" / "b.py").write_text("b = 2\n", encoding="utf-8")
    assert heard_until(ears, lambda heard: "pkg/b.py" in heard.paths).paths == {"pkg/b.py"}
    ears.close()


def test_events_are_read_as_the_kernel_writes_them() -> None:
    first = struct.pack("iIII", 3, 0x100, 0, 16) + b"a.py".ljust(16, b"\0")
    assert list(events(first + struct.pack("iIII", -1, 0x4000, 0, 0))) == [(3, 0x100, "a.py"), (-1, 0x4000, "")]


@pytest.mark.skipif(not watchable.BY_DIRECTORY, reason="inotify is Linux's")
def test_a_queue_that_ran_over_makes_everything_suspect() -> None:
    told: list[Raw | None] = []
    listener = Inotify(told.append)
    assert listener._told(struct.pack("iIII", -1, 0x4000, 0, 0)) is None
    listener.stop()
