"""A root that a server listens to: changes are taken up by themselves, together, and said of every answer."""

from __future__ import annotations

import hashlib
import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import pytest

from embedding.cache import VectorCache
from embedding.cached import CachedEmbedder
from indexer import watch
from indexer.errors import WatchError
from indexer.watch import Heard, TreeWatch
from mcp_server.engine import Engine
from mcp_server.freshness import Freshness
from mcp_server.indexes import root_watch
from mcp_server.indexes.jobs import Job
from mcp_server.indexes.root_index import RootIndex
from mcp_server.indexes.root_watch import MANY, QUIET_S, rest_s
from mcp_server.indexes.starting import in_thread, usual
from mcp_server.meaning import Meaning
from mcp_server.settings import Settings, load
from storage.search import Query
from tests.indexer.trees import git, git_repository, keep_git_private, plant

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATIENCE_S = 60
DIM = 8


class Counting:
    """An embedder that remembers what it was asked; a text's vector is made of its hash."""

    fingerprint, dim, min_similarity, parallel = "counting", DIM, -1.0, 1

    def __init__(self) -> None:
        self.asked: list[str] = []

    def remembered(self, texts: Sequence[str]) -> dict[int, NDArray[np.float32]]:
        return {}

    def embed_documents(self, texts: Sequence[str], timeout_s: float | None = None) -> NDArray[np.float32]:
        self.asked += texts
        return np.stack([self.embed_query(text) for text in texts])

    def embed_query(self, text: str, timeout_s: float | None = None) -> NDArray[np.float32]:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        vector = np.random.default_rng(seed).normal(size=DIM).astype(np.float32)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)

    def close(self) -> None:
        pass


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    keep_git_private(monkeypatch, tmp_path)
    root = git_repository(tmp_path / "tree", {".gitignore": "out/\n", "out/o.py": "def out_of_it(): pass\n"})
    plant(root, {f"pkg{number % 3}/m{number}.py": f"def tide_{number}(): pass\n" for number in range(12)})
    git(root, "checkout", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")
    return root


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    quick = ["storage.backend=memory", f"storage.directory={tmp_path / 'indexes'}", "model.name=none"]
    return load(None, [*quick, "model.table=none"], {}).settings


@pytest.fixture
def embedder() -> Counting:
    return Counting()


@pytest.fixture
def meaning(tmp_path: Path, embedder: Counting) -> Meaning:
    return Meaning(CachedEmbedder(embedder, VectorCache(tmp_path / "vectors.sqlite3", 1 << 20)))


class Watched(RootIndex):
    """A root that remembers the jobs it started: in this process, one a refresh."""

    def __init__(self, root: Path, settings: Settings, meaning: Meaning) -> None:
        self.started: list[Job] = []
        super().__init__(root, settings, lambda: meaning, self._started)

    def _started(self, index: RootIndex, force: bool) -> Job:
        self.started.append(in_thread(index, force))
        return self.started[-1]


@pytest.fixture
def index(root: Path, settings: Settings, meaning: Meaning) -> Iterator[Watched]:
    index = Watched(root, settings, meaning)
    index.directory.mkdir(parents=True)  # as where the index is on disk
    whole(index)
    index.listen()
    eventually(lambda: index.watch.listening and not index.watch.pending(), "it listens")
    yield index
    index.close()


def whole(index: RootIndex) -> None:
    """Indexed for the first time, vectors included."""
    job = index.refresh()
    end = monotonic() + PATIENCE_S
    while not (view := job.view()).resting:
        assert monotonic() < end
        job.wait_for_change(view, end - monotonic())


def eventually(holds: Callable[[], object], what: str) -> None:
    end = monotonic() + PATIENCE_S
    while not holds():
        assert monotonic() < end, f"waited in vain until {what}"
        threading.Event().wait(0.01)  # what changes is in other threads


def finds(index: RootIndex, text: str) -> list[str]:
    """Without the search's own look at the directory: only what listening brought."""
    return [hit.chunk.file_path for hit in index.search(Query(text, mode="exact", limit=50)).hits]


def found_by_search(index: RootIndex, text: str) -> tuple[list[str], Freshness]:
    index.begin()
    return finds(index, text), index.freshness()


def test_a_save_is_searchable_without_anybody_asking(root: Path, index: RootIndex) -> None:
    (root / "pkg0" / "m0.py").write_text("def spring_tide(): pass\n", encoding="utf-8")
    eventually(lambda: finds(index, "spring_tide") == ["pkg0/m0.py"], "the save is searchable")
    assert finds(index, "tide_0(") == []


def test_who_may_listen_no_more_says_why_and_turns_no_more(
    root: Path, index: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: TreeWatch, __: list[str]) -> None:
        raise WatchError("too many directories")

    monkeypatch.setattr(TreeWatch, "cover", refused)
    plant(root, {"pkg9/new.py": "def heard_last(): pass\n"})
    eventually(lambda: found_by_search(index, "heard_last(")[0] == ["pkg9/new.py"], "it is found without listening")
    eventually(lambda: index.watch.status() == "too many directories", "it says so")
    eventually(lambda: not any(thread.name == "freshness" for thread in threading.enumerate()), "the thread has ended")


def test_what_nobody_has_compared_is_not_called_current(index: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    eventually(lambda: index.freshness().state == "current", "everything has been looked at")
    monkeypatch.setattr(index.watch, "latest", lambda _: None)
    freshness = index.freshness()
    assert freshness.state == "stale"
    assert "the directory is still being compared with the index" in freshness.notes


def test_a_search_right_after_a_save_finds_it_and_says_so(root: Path, index: RootIndex) -> None:
    for number in range(5):
        (root / "pkg1" / "m1.py").write_text(f"def neap_{number}(): pass\n", encoding="utf-8")
        found, freshness = found_by_search(index, f"neap_{number}(")
        # A machine under load may take longer than a search waits: then the answer says what it lacks.
        assert found == ["pkg1/m1.py"] or freshness.changed_files >= 1


def test_new_renamed_deleted_and_newly_ignored_files_are_taken_up(root: Path, index: RootIndex) -> None:
    plant(root, {"fresh/deep/n.py": "def new_moon(): pass\n"})
    (root / "pkg0" / "m3.py").rename(root / "pkg1" / "moved.py")
    (root / "pkg2" / "m2.py").unlink()
    eventually(lambda: finds(index, "new_moon") == ["fresh/deep/n.py"], "the new directory's file is there")
    eventually(lambda: finds(index, "tide_3(") == ["pkg1/moved.py"], "the renamed file is there alone")
    eventually(lambda: finds(index, "tide_2(") == [], "the deleted file has gone")
    (root / "fresh" / "deep" / "n.py").write_text("def full_moon(): pass\n", encoding="utf-8")
    eventually(lambda: finds(index, "full_moon") == ["fresh/deep/n.py"], "new directories are listened to")
    (root / ".gitignore").write_text("out/\ndeep/\n", encoding="utf-8")
    eventually(lambda: finds(index, "full_moon") == [], "what is newly ignored has gone")
    (root / ".gitignore").write_text("out/\n", encoding="utf-8")
    eventually(lambda: finds(index, "full_moon"), "what is no longer ignored is back")
    shutil.rmtree(root / "fresh")
    eventually(lambda: finds(index, "full_moon") == [], "what was in a deleted directory has gone")


def test_what_is_ignored_starts_nothing(root: Path, index: Watched) -> None:
    before = len(index.started)
    (root / "out" / "o.py").write_text("def other(): pass\n", encoding="utf-8")
    (root / "server.log").write_bytes(b"\0" * 10)
    (root / ".git" / "COMMIT_EDITMSG").write_text("x", encoding="utf-8")
    (root / "pkg0" / "last.py").write_text("def the_last(): pass\n", encoding="utf-8")
    eventually(lambda: finds(index, "the_last"), "the file after them is searchable")
    eventually(lambda: index._view().resting, "it rests")
    assert len(index.started) <= before + 2  # one, or two where the files were heard of apart


def test_switching_to_a_branch_and_back_embeds_each_text_once_and_says_which_it_is(
    root: Path, index: RootIndex, embedder: Counting
) -> None:
    git(root, "checkout", "-q", "-b", "storm")
    plant(root, {f"pkg{number % 3}/m{number}.py": f"def storm_{number}(): pass\n" for number in range(12)})
    git(root, "commit", "-q", "-a", "-m", "storm")
    assert_current(index, "storm", "storm_7(")
    git(root, "checkout", "-q", "main")
    assert_current(index, "main", "tide_7(")
    embedded = list(embedder.asked)
    git(root, "checkout", "-q", "storm")
    assert_current(index, "storm", "storm_7(")
    assert embedder.asked == embedded
    assert len(embedded) == len(set(embedded))
    assert finds(index, "tide_7(") == []


def assert_current(index: RootIndex, branch: str, text: str) -> None:
    def current() -> bool:
        found, freshness = found_by_search(index, text)
        whole = freshness.state == "current" and freshness.vector_share == 1.0
        return bool(found) and whole and freshness.branch == branch

    eventually(current, f"the answers are those of {branch}")


def test_an_answer_between_two_branches_names_both(root: Path, index: RootIndex) -> None:
    eventually(lambda: index.freshness().state == "current", "everything has been looked at")
    assert index.freshness().branch == "main"
    notes = index._branch_notes("storm", behind=True)
    assert notes == ("these are answers of main; storm is checked out now",)
    assert index._branch_notes("storm", behind=False) == ()


def test_a_worktree_and_a_clone_embed_nothing_that_the_first_one_has(
    root: Path, index: RootIndex, settings: Settings, meaning: Meaning, embedder: Counting
) -> None:
    embedded = list(embedder.asked)
    git(root, "worktree", "add", "-q", "-b", "side", str(root.parent / "side"))
    git(root.parent, "clone", "-q", str(root), "clone")
    for directory, branch in ((root.parent / "side", "side"), (root.parent / "clone", "main")):
        other = RootIndex(directory, settings, lambda: meaning, usual(settings))
        whole(other)
        freshness = other.freshness()
        assert (freshness.vectors, freshness.branch) == (freshness.chunks, branch)
        assert freshness.chunks == index.freshness().chunks
        other.close()
    assert embedder.asked == embedded


def test_many_changes_at_once_are_one_refresh(root: Path, index: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(root_watch, "MANY_QUIET_S", 2.0)  # a machine under load may pause for longer than .4 s
    plant(root, {f"pkg{number % 3}/n{number}.py": "def before(): pass\n" for number in range(MANY)})
    eventually(lambda: len(finds(index, "before(")) == 50, "they are there")
    eventually(lambda: index._view().resting and not index.watch.pending(), "it rests")
    refreshes = len(index.started)
    lock = root / ".git" / "index.lock"
    lock.touch()  # as git has while it switches branches
    plant(root, {f"pkg{number % 3}/n{number}.py": f"def after_{number}(): pass\n" for number in range(MANY)})
    lock.unlink()
    eventually(lambda: len(finds(index, "after_")) == 50, "they are changed")
    eventually(lambda: index._view().resting, "it rests")
    assert len(index.started) == refreshes + 1


def test_where_the_system_does_not_tell_each_search_looks_and_status_says_why(
    root: Path, settings: Settings, meaning: Meaning, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watch, "remote_disk", lambda path: f"{path} is on a nfs4 disk")
    index = RootIndex(root, settings, lambda: meaning, usual(settings))
    whole(index)
    with caplog.at_level(logging.WARNING):
        index.listen()
        index.listen()
        eventually(lambda: "nfs4" in index.status().watched, "status says why")
    assert sum("nfs4" in record.message for record in caplog.records) == 1
    (root / "pkg0" / "m0.py").write_text("def spring_tide(): pass\n", encoding="utf-8")
    eventually(lambda: found_by_search(index, "spring_tide")[0] == ["pkg0/m0.py"], "a search finds the save")
    index.close()


def test_the_status_of_a_root_that_is_listened_to_says_how_much_of_it(index: RootIndex) -> None:
    assert index.status().watched == "4 directories"
    assert "branch main; watching for changes: 4 directories" in index.status().sentence()


def test_a_command_line_listens_to_nothing(root: Path, settings: Settings) -> None:
    engine = Engine([root], settings)
    engine.start_index("")
    assert not engine.roots[root].watch.listening
    engine.close()


def test_a_closed_root_leaves_no_thread(root: Path, settings: Settings, meaning: Meaning) -> None:
    before = set(threading.enumerate())
    index = RootIndex(root, settings, lambda: meaning, usual(settings))
    whole(index)
    index.listen()
    eventually(lambda: index.watch.listening and not index.watch.pending(), "it listens")
    index.close()
    ours = {"watch", "freshness", "drift", "index"}
    eventually(
        lambda: not [one for one in threading.enumerate() if one.name in ours and one not in before],
        "its threads have ended",
    )


@pytest.mark.parametrize(
    ("heard", "writing", "expected"),
    [
        pytest.param(Heard(frozenset({"a"}), first=10.0, last=10.0), False, QUIET_S, id="a save"),
        pytest.param(Heard(frozenset({"a"}), first=9.0, last=10.0), False, -0.5, id="saved again and again"),
        pytest.param(Heard(anywhere=True, first=9.0, last=9.5), False, -0.1, id="many, and quiet since"),
        pytest.param(Heard(frozenset({"a"}), first=9.0, last=9.5), True, QUIET_S, id="git goes on"),
        pytest.param(Heard(frozenset({"a"}), first=0.0, last=10.0), True, 0.0, id="git's lock was left behind"),
    ],
)
def test_changes_that_belong_together_are_waited_for_and_not_for_ever(
    heard: Heard, writing: bool, expected: float
) -> None:
    assert rest_s(heard, 10.0, writing=writing) == pytest.approx(expected)
