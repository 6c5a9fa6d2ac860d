"""The one service of a user and model: found, started, shared, killed, replaced, and gone with its last user."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import psutil
import pytest

import embedding.shared.link
from embedding.client import SharedEmbedder
from embedding.errors import EmbeddingError, EmbeddingTimeoutError, LinkLostError, MemoryShortError, ServiceError
from embedding.lanes.lanes import END_S
from embedding.model import ModelSpec
from embedding.process import PACKAGE_ROOT
from embedding.settings import MemorySettings, ModelSettings
from embedding.shared.finding import connected, stop
from embedding.shared.link import dial
from embedding.shared.serving import LOCK_S, House
from embedding.wire import Frame
from tests.embedding.waiting import LIMIT_S, until

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals and modes of POSIX")
LONG_WORK = ["several words that take the model a while " * 400] * 10

Open = Callable[..., SharedEmbedder]


@pytest.fixture
def share(spec: ModelSpec, model_path: Path, tmp_path: Path) -> Iterator[Open]:
    """Opens embedders that share a service; all is ended after the test."""
    opened: list[SharedEmbedder] = []

    def one(data_dir: Path = tmp_path, memory: MemorySettings | None = None, **settings: float) -> SharedEmbedder:
        chosen = ModelSettings.model_validate({"processes": 1, "linger_s": 0.2} | settings)
        opened.append(SharedEmbedder(spec, model_path, chosen, memory or MemorySettings(considerate=False), data_dir))
        return opened[-1]

    yield one
    for embedder in opened:
        embedder.close()
        stop(embedder.place)


def service(embedder: SharedEmbedder) -> psutil.Process:
    note = embedder.place.note()
    assert note is not None
    return psutil.Process(note.pid)


def gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_two_users_share_one_service_and_its_vectors_are_those_of_the_model(share: Open, embedder: object) -> None:
    first, second = share(), share()
    one = first.embed_query("where is it", timeout_s=60)
    other = second.embed_query("where is it", timeout_s=60)
    assert np.array_equal(one, other)
    assert np.isclose(np.linalg.norm(one), 1, atol=1e-5)
    state = second.state()
    assert state is not None
    assert (state.clients, state.children, state.queries) == (2, 1, 2)
    assert len(service(first).children()) == 1
    vectors = second.embed_documents([f"text number {number} " * 300 for number in range(9)], timeout_s=60)
    assert vectors.shape == (9, first.dim)


def test_a_state_is_asked_of_nobody_where_nobody_serves(share: Open, tmp_path: Path) -> None:
    assert share().state() is None
    assert not list(tmp_path.iterdir())


def test_many_that_come_at_once_start_one(share: Open) -> None:
    embedders = [share() for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        asked = [threads.submit(one.embed_query, f"question {place}", 60.0) for place, one in enumerate(embedders)]
        assert all(one.result(60).shape == (384,) for one in asked)
    states = [one.state() for one in embedders]
    assert len({state.pid for state in states if state is not None}) == 1


@posix_only
def test_a_killed_service_is_replaced_and_the_request_answered(share: Open) -> None:
    embedder = share()
    embedder.embed_query("warm", timeout_s=60)
    old = service(embedder)
    children = old.children()
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(embedder.embed_documents, LONG_WORK, 120.0)
        until(lambda: (state := embedder.state()) is not None and state.children == 2)
        children = old.children()
        old.kill()
        assert answer.result(120).shape == (10, 384)
    _, alive = psutil.wait_procs(children, timeout=LIMIT_S)
    assert not alive
    assert service(embedder).pid != old.pid


@posix_only
def test_a_service_that_hangs_is_replaced(share: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding.shared.link, "HANDSHAKE_S", 0.3)
    embedder = share()
    embedder.embed_query("warm", timeout_s=60)
    old = service(embedder)
    old.suspend()
    newcomer = share()
    assert newcomer.embed_query("anyone there?", timeout_s=60).shape == (384,)
    assert service(newcomer).pid != old.pid
    until(lambda: gone(old))


@posix_only
def test_a_request_to_a_service_that_hangs_ends_at_its_deadline(share: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding.shared.link, "GRACE_S", 0.1)
    embedder = share()
    embedder.embed_query("warm", timeout_s=60)
    service(embedder).suspend()
    with pytest.raises(EmbeddingTimeoutError, match="gave no answer within"):
        embedder.embed_query("anyone there?", timeout_s=0.2)
    service(embedder).resume()
    assert embedder.embed_query("and now?", timeout_s=60).shape == (384,)


def test_what_a_service_has_not_done_when_it_ends_is_done_by_the_next(share: Open) -> None:
    embedder, other = share(), share()
    embedder.embed_documents(["warm"], timeout_s=60)
    first = service(embedder)
    with ThreadPoolExecutor(1) as threads:
        work = threads.submit(embedder.embed_documents, LONG_WORK)
        until(lambda: (state := other.state()) and state.waiting)
        assert stop(embedder.place)
        assert work.result(120).shape == (len(LONG_WORK), embedder.dim)
    assert service(embedder).pid != first.pid


def test_it_ends_with_its_last_user_and_leaves_nothing_running(share: Open) -> None:
    first, second = share(), share()
    first.embed_query("x", timeout_s=60)
    second.embed_query("y", timeout_s=60)
    process, place = service(first), first.place
    family = [process, *process.children(recursive=True)]
    first.close()
    assert second.embed_query("z", timeout_s=60).shape == (384,)
    second.close()
    _, alive = psutil.wait_procs(family, timeout=LIMIT_S)
    assert not alive
    assert place.note() is None
    assert not (place.directory / "socket").exists()


def test_a_signal_that_comes_while_the_service_looks_whether_to_end_ends_it(share: Open) -> None:
    embedder = share()
    embedder.place.make()
    house = House(embedder._run, embedder.place)
    house.open()
    with vars(house._stopping)["_cond"]:  # as the main thread has it whenever it looks
        handler = threading.Thread(target=house.end, daemon=True)
        handler.start()
        handler.join(LIMIT_S)
        assert not handler.is_alive()
    house.stay()
    house.close()


def test_the_next_service_waits_for_as_long_as_one_may_take_to_end() -> None:
    assert LOCK_S > 2 * END_S


def test_it_ends_when_nobody_asks_it_for_long_and_is_started_again(share: Open) -> None:
    embedder = share(idle_exit_s=0.5)
    embedder.embed_query("x", timeout_s=60)
    note = embedder.place.note()  # None where it has ended by now
    until(lambda: note is None or not note.is_alive())
    assert embedder.embed_query("y", timeout_s=60).shape == (384,)


CLIENT = """
import sys
from pathlib import Path
from embedding.client import SharedEmbedder
from embedding.model import spec_for
from embedding.settings import MemorySettings, ModelSettings

settings = ModelSettings(processes=1, linger_s=0.2)
embedder = SharedEmbedder(
    spec_for("all-minilm-l6-v2"), Path(sys.argv[1]), settings, MemorySettings(considerate=False), Path(sys.argv[2])
)
embedder.embed_query("hello")
print(embedder.state().pid, flush=True)
"""


def started(model_path: Path, data_dir: Path, then: str, cwd: Path = PACKAGE_ROOT) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", CLIENT + textwrap.dedent(then), str(model_path), str(data_dir)],
        stdout=subprocess.PIPE,
        cwd=cwd,
        env=dict(os.environ) | {"PYTHONPATH": str(PACKAGE_ROOT)},
        text=True,
    )


def test_the_work_of_a_client_that_is_killed_is_dropped_and_others_go_on(
    share: Open, model_path: Path, tmp_path: Path
) -> None:
    client = started(model_path, tmp_path, "embedder.embed_documents(['word ' * 3000] * 300)")
    assert client.stdout is not None
    pid = int(client.stdout.readline())
    survivor = share()
    survivor.embed_query("hello", timeout_s=60)
    until(lambda: (state := survivor.state()) is not None and state.waiting > 0)
    client.kill()
    client.wait(LIMIT_S)
    client.stdout.close()
    until(lambda: (state := survivor.state()) is not None and (state.waiting, state.clients) == (0, 1))
    assert survivor.embed_documents(["still here"], timeout_s=60).shape == (1, 384)
    assert service(survivor).pid == pid


def test_packages_of_the_users_own_do_not_disturb(model_path: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "project"
    for name in ("embedding", "multiprocessing"):
        (hostile / name).mkdir(parents=True)
        (hostile / name / "__init__.py").write_text(f"raise SystemExit('the wrong {name} was imported')")
    client = started(model_path, tmp_path / "data", "embedder.close()", cwd=hostile)
    out, _ = client.communicate(timeout=60)
    assert client.returncode == 0
    assert out.strip().isdigit()


@posix_only
def test_its_files_are_the_users_alone(share: Open) -> None:
    embedder = share()
    embedder.embed_query("x", timeout_s=60)
    directory = embedder.place.directory
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    open_to_others = [path.name for path in directory.iterdir() if path.is_file() and path.stat().st_mode & 0o077]
    assert open_to_others == []


def test_who_does_not_know_the_key_gets_nothing_and_disturbs_nobody(share: Open) -> None:
    embedder = share()
    embedder.embed_query("x", timeout_s=60)
    note = embedder.place.note()
    assert note is not None
    with pytest.raises(LinkLostError, match="did not shake hands"):
        dial(note.address, b"another key")
    assert embedder.embed_query("y", timeout_s=60).shape == (384,)


@posix_only
@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 64])
def test_noise_at_the_door_disturbs_nobody(said: bytes, share: Open) -> None:
    embedder = share()
    embedder.embed_query("x", timeout_s=60)
    note = embedder.place.note()
    assert note is not None
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.connect(note.address)
        stranger.sendall(said)
    assert embedder.embed_query("y", timeout_s=60).shape == (384,)


@pytest.mark.parametrize(
    "header", [{}, {"id": "seven"}, {"id": 1, "embed": "query"}, {"id": 1, "embed": "x", "timeout_s": None, "sizes": 3}]
)
def test_a_client_that_talks_nonsense_ends_itself_alone(header: dict[str, object], share: Open) -> None:
    embedder = share()
    embedder.embed_query("x", timeout_s=60)
    pid = service(embedder).pid
    link = connected(embedder.place)
    assert link is not None
    link._send(Frame(header, b"abc"))
    assert embedder.embed_query("y", timeout_s=60).shape == (384,)
    assert embedder.embed_documents(["z"], timeout_s=60).shape == (1, 384)
    link.close()
    assert service(embedder).pid == pid


def test_a_note_left_by_a_service_long_dead_is_passed_over(share: Open) -> None:
    embedder = share()
    embedder.embed_query("x", timeout_s=60)
    note = embedder.place.note()
    assert note is not None
    service(embedder).kill()
    until(lambda: not note.is_alive())
    # The number was given to somebody else since: these tests may have begun when the service did.
    other = replace(note, pid=os.getpid(), started=note.started - 3600, since_boot=note.since_boot - 3600)
    embedder.place.write(other)
    assert not other.is_alive()
    assert share().embed_query("y", timeout_s=60).shape == (384,)


def test_a_service_is_known_after_the_clock_was_set(share: Open) -> None:
    embedder = share()
    embedder.embed_query("x", timeout_s=60)
    note = embedder.place.note()
    assert note is not None
    earlier, later = note.started - 3600, note.since_boot + 3600
    assert replace(note, since_boot=later).is_alive()
    assert not replace(note, started=earlier, since_boot=later).is_alive()
    embedder.place._note.write_text(json.dumps(asdict(replace(note, started=earlier))))
    assert stop(embedder.place)
    assert not note.is_alive()


@pytest.mark.parametrize("left", ["", "{", "[]", '{"pid": 1}'])
def test_a_note_that_cannot_be_read_is_passed_over(left: str, share: Open) -> None:
    embedder = share()
    embedder.place.make()
    (embedder.place.directory / "service.json").write_text(left)
    assert embedder.embed_query("y", timeout_s=60).shape == (384,)


def test_a_service_whose_directory_was_deleted_ends_and_another_is_found(share: Open) -> None:
    embedder = share()
    embedder.embed_query("x", timeout_s=60)
    process = service(embedder)
    shutil.rmtree(embedder.place.directory)
    until(lambda: gone(process))
    assert embedder.embed_query("y", timeout_s=60).shape == (384,)


def test_a_directory_with_a_name_too_long_for_a_socket_will_do_and_none_is_left_behind(
    share: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        monkeypatch.setenv("TMPDIR", scratch)
        embedder = share(tmp_path / ("deep" * 30))
        for question in "xyz":
            assert embedder.embed_query(question, timeout_s=60).shape == (384,)
            service(embedder).kill()
        assert embedder.embed_query("and now", timeout_s=60).shape == (384,)
        assert len(list(Path(scratch).iterdir())) == 1
        assert stop(embedder.place)
        assert list(Path(scratch).iterdir()) == []


@posix_only
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_cannot_be_written_is_said(share: Open, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(ServiceError, match=r"cannot be kept in .* set model\.shared to false"):
        share(closed).embed_query("x")


def test_a_file_where_the_directory_should_be_is_said(share: Open, tmp_path: Path) -> None:
    (tmp_path / "services").write_text("in the way")
    with pytest.raises(ServiceError, match=r"cannot be kept in .* set model\.shared to false"):
        share().embed_query("x")


def test_errors_arrive_as_what_they_are(share: Open) -> None:
    embedder = share(memory=MemorySettings(budget="64MB"))
    with pytest.raises(MemoryShortError, match="too little memory") as refused:
        embedder.embed_query("x", timeout_s=60)
    assert not refused.value.ever


def test_a_closed_embedder_says_so(share: Open) -> None:
    embedder = share()
    embedder.embed_query("x", timeout_s=60)
    embedder.close()
    with pytest.raises(EmbeddingError, match="closed"):
        embedder.embed_query("y")
    with pytest.raises(EmbeddingError, match="closed"):
        embedder.embed_documents(["y" * 20_000, "z" * 20_000])


@posix_only
def test_its_log_says_why_children_died(share: Open) -> None:
    embedder = share()
    embedder.embed_query("x", timeout_s=60)
    (child,) = service(embedder).children()
    os.kill(child.pid, signal.SIGKILL)
    assert embedder.embed_query("y", timeout_s=60).shape == (384,)
    said = embedder.place.log.read_text()
    asked_again = "signal 9 (SIGKILL); it is asked once more in a new one"
    assert asked_again in said or f"The idle process {child.pid} of the model has ended" in said


def test_what_a_service_knows_of_failures_outlives_it(share: Open) -> None:
    embedder = share()
    embedder.place.make()
    kept = {"in_a_row": 3, "rest_s": 3000.0, "until": 4_000_000_000.0, "trial": None, "why": "it died"}
    embedder.place.breaker.write_text(json.dumps(kept))
    with pytest.raises(EmbeddingError, match=r"left alone until .* run 'codeloupe service reset'.*it died"):
        embedder.embed_query("x", timeout_s=60)
    state = embedder.state()
    assert state is not None
    assert "left alone" in state.left_alone
