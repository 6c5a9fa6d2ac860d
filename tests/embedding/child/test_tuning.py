from __future__ import annotations

import json
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from benchmarks.shapes import TINY, write_model
from embedding.child import trial, tuning
from embedding.child.trial import measure, tuned
from embedding.child.tuning import Measurements, Tuning, choose, note_path, remember, remembered
from embedding.model import Pooling
from embedding.process import Child
from embedding.wire import Load

DEFAULT = Tuning(repack=False, query_threads=4)
FOUND = Tuning(repack=True, query_threads=2)


@pytest.fixture
def load(model_path: Path, tmp_path: Path) -> Load:
    """The default model under a name of the test's own, so that nothing is remembered of it."""
    mine = tmp_path / model_path.name
    shutil.copyfile(model_path, mine)
    return Load(str(mine), 384, Pooling.MEAN, 256, None, False, 1, 0, "", "")


def chosen(token_s: dict[bool, float], query_s: dict[int, float], *, sound: bool = True) -> Tuning:
    return choose(Measurements(token_s, query_s, sound), DEFAULT)


def test_weights_are_repacked_where_that_is_clearly_cheaper() -> None:
    assert chosen({False: 1.0, True: 0.6}, {1: 1.0}).repack
    assert not chosen({False: 1.0, True: 0.9}, {1: 1.0}).repack
    assert not chosen({False: 1.0, True: 2.0}, {1: 1.0}).repack


def test_what_was_not_tried_is_not_chosen() -> None:
    assert not chosen({False: 1.0}, {1: 1.0}).repack
    assert chosen({}, {}) == DEFAULT
    assert chosen({}, {1: 1.0}).query_threads == 1


def test_a_query_gets_more_threads_only_for_a_clear_gain() -> None:
    assert chosen({}, {1: 1.0, 2: 0.6, 4: 0.4}).query_threads == 4
    assert chosen({}, {1: 1.0, 2: 0.6, 4: 0.55}).query_threads == 2
    assert chosen({}, {1: 1.0, 2: 0.9}).query_threads == 1
    assert chosen({}, {1: 0.004, 2: 0.044}).query_threads == 1


def test_times_of_a_busy_machine_say_nothing_of_threads_and_are_not_remembered() -> None:
    measured = Measurements({False: 1.0, True: 0.5}, {1: 6.0, 2: 0.5}, sound=False)
    assert choose(measured, DEFAULT) == Tuning(repack=True, query_threads=4)
    assert not measured.complete
    assert Measurements({False: 1.0}, {1: 1.0}, sound=True).complete


def test_what_was_chosen_is_remembered_for_the_user_alone(load: Load) -> None:
    path = Path(load.path)
    assert remembered(path, 2) is None
    remember(path, 2, FOUND)
    assert remembered(path, 2) == FOUND
    if sys.platform != "win32":
        assert note_path(path).stat().st_mode & 0o777 == 0o600


def test_another_machine_or_file_or_library_is_measured_again(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(load.path)
    remember(path, 2, FOUND)
    assert remembered(path, 4) is None
    with monkeypatch.context() as patch:
        patch.setattr(tuning, "_processor", lambda: "another")
        assert remembered(path, 2) is None
    with monkeypatch.context() as patch:
        patch.setattr("importlib.metadata.version", lambda name: "9.9")
        assert remembered(path, 2) is None
    with monkeypatch.context() as patch:
        patch.setattr(tuning, "remembered_sha256", lambda path: "another")
        assert remembered(path, 2) is None
    assert remembered(path, 2) == FOUND


@pytest.mark.parametrize(
    "note", [b"", b"\xff\xfe", b"[]", b"{}", b'{"repack": 1}', b'{"repack": true, "query_threads": "x", "for": {}}']
)
def test_an_unreadable_note_is_no_note(note: bytes, load: Load) -> None:
    note_path(Path(load.path)).write_bytes(note)
    assert remembered(Path(load.path), 2) is None


def test_what_a_busy_machine_let_be_measured_is_remembered_for_a_while(load: Load) -> None:
    path = Path(load.path)
    remember(path, 2, FOUND, until=time.time() + 3600)
    assert remembered(path, 2) == FOUND
    remember(path, 2, FOUND, until=time.time() - 1)
    assert remembered(path, 2) is None


@pytest.mark.parametrize("threads", [0, -1, 3])
def test_a_note_of_impossible_threads_is_no_note(threads: int, load: Load) -> None:
    path = Path(load.path)
    remember(path, 2, FOUND)
    note = json.loads(note_path(path).read_text())
    note_path(path).write_text(json.dumps(note | {"query_threads": threads}))
    assert remembered(path, 2) is None


def test_where_nothing_can_be_written_nothing_is_remembered(load: Load) -> None:
    note_path(Path(load.path)).mkdir()
    remember(Path(load.path), 2, FOUND)
    assert remembered(Path(load.path), 2) is None


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with nothing else to do, whatever the real one does."""
    monkeypatch.setattr(trial, "_QUIET", 0.0)


def test_the_default_model_is_measured_and_remembered(load: Load, quiet: None) -> None:
    started: list[Load] = []

    def start(asked: Load) -> Child:
        started.append(asked)
        return Child(asked)

    found = tuned(load, 2, DEFAULT, lambda private: True, start)
    assert found.query_threads in (1, 2)
    assert not found.repack  # 16-bit floats: there is nothing to repack
    assert [(asked.threads, asked.repack) for asked in started] == [(1, False), (2, False)]
    assert tuned(load, 2, DEFAULT, lambda private: False, start) == found
    assert len(started) == 2  # it was remembered


def test_what_was_measured_is_about_what_the_model_takes(load: Load, quiet: None) -> None:
    measured = measure(load, 1, lambda private: True)
    assert set(measured.query_s) == {1}
    assert 1e-5 < measured.token_s[False] < 5e-3  # 5,000 tokens a second on the machine of docs/models.md


def test_a_busy_machine_is_noticed_at_once(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "_QUIET", 1e9)
    assert tuned(load, 2, DEFAULT, lambda private: True) == DEFAULT
    assert json.loads(note_path(Path(load.path)).read_text())["until"] > time.time()  # for a while only


def test_no_child_outlives_the_measuring(load: Load, quiet: None) -> None:
    before = {child.pid for child in psutil.Process().children()}
    measure(load, 2, lambda private: True)
    assert {child.pid for child in psutil.Process().children()} <= before


def test_time_that_is_over_leaves_the_defaults(load: Load, quiet: None) -> None:
    measured = measure(load, 2, lambda private: True, limit_s=0.0)
    assert not measured.complete
    assert choose(measured, DEFAULT) == DEFAULT


@pytest.fixture(scope="module")
def packable(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """The tiny decoder's shape in a type that is repacked."""
    path = tmp_path_factory.mktemp("packable") / "mixed.gguf"
    write_model(replace(TINY, mix=True, width=256, feed_forward=512), path)
    return Load(str(path), 256, Pooling.LAST, 512, None, False, 1, 0, "", "")


@pytest.mark.parametrize("allowed", [True, False])
def test_repacking_is_tried_only_where_its_memory_is_allowed(allowed: bool, packable: Load, quiet: None) -> None:
    asked: list[int] = []

    def may(private_bytes: int) -> bool:
        asked.append(private_bytes)
        return allowed

    measured = measure(packable, 1, may)
    assert len(asked) == 1
    assert asked[0] > 30_000_000
    assert set(measured.token_s) == ({False, True} if allowed else {False})


def test_repacked_weights_that_end_the_child_are_not_chosen(packable: Load, quiet: None) -> None:
    def start(asked: Load) -> Child:
        child = Child(asked)
        if asked.repack:
            psutil.Process(child.pid).kill()
        return child

    measured = measure(packable, 1, lambda private: True, start)
    assert set(measured.token_s) == {False}
    assert measured.complete
