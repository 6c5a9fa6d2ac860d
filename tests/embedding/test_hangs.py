"""What ends or hangs while nobody looks: idle children, and a service that was stopped."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest

from embedding.client import SharedEmbedder
from embedding.errors import EmbeddingTimeoutError, LinkLostError, ServiceError
from embedding.lanes import lane
from embedding.local import LocalEmbedder
from embedding.model import spec_for
from embedding.process import Child
from embedding.settings import MemorySettings, ModelSettings
from embedding.shared import link
from embedding.shared.finding import stop
from embedding.wire import Frame, Load
from tests.embedding.waiting import LIMIT_S, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def own(tiny_decoder: Path) -> Iterator[LocalEmbedder]:
    """An embedder whose children are this test's alone."""
    opened = LocalEmbedder(spec_for(str(tiny_decoder)), tiny_decoder, ModelSettings(processes=1))
    yield opened
    opened.close()


@pytest.fixture
def shared(tiny_decoder: Path) -> Iterator[SharedEmbedder]:
    """An embedder before a service of this test's own; its socket has no room for pytest's long names."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        opened = SharedEmbedder(
            spec_for(str(tiny_decoder)), tiny_decoder, ModelSettings(processes=1), MemorySettings(), Path(directory)
        )
        yield opened
        stop(opened.place)
        opened.close()


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Within, no file can be opened."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def end(child: int) -> None:
    """Kill it, and see it dead, with all its threads, though not reaped."""
    os.kill(child, signal.SIGKILL)
    with suppress(ChildProcessError):  # it was reaped meanwhile
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)


def test_children_killed_while_idle_cost_no_request_and_are_no_failures_of_the_model(own: LocalEmbedder) -> None:
    for _ in range(4):
        wanted = own.embed_query("where is it", timeout_s=60), own.embed_documents(["here it is"], timeout_s=60)
        for child in own.pids():
            end(child)
    again = own.embed_query("where is it", timeout_s=60), own.embed_documents(["here it is"], timeout_s=60)
    assert all(np.allclose(one, other, atol=1e-5) for one, other in zip(wanted, again, strict=True))
    state = own.state()
    assert state is not None
    assert (state.restarts, state.left_alone) == (0, "")


def test_an_idle_child_that_dies_is_reaped_before_anything_is_asked(own: LocalEmbedder) -> None:
    own.embed_query("warm", timeout_s=60)
    (child,) = own.pids()
    os.kill(child, signal.SIGKILL)
    until(lambda: not psutil.pid_exists(child))
    assert own.pids() == []


def test_a_child_that_loads_for_longer_than_a_request_may_wait_is_there_for_the_next(
    own: LocalEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = threading.Event()

    def slow(load: Load) -> Child:
        child = Child(load)
        late.wait(LIMIT_S)
        return child

    monkeypatch.setattr(lane, "Child", slow)
    with pytest.raises(EmbeddingTimeoutError):
        own.embed_query("where is it", timeout_s=1.0)
    late.set()
    until(lambda: not own.service.working)
    (child,) = own.pids()
    assert own.embed_query("where is it", timeout_s=60).shape == (64,)
    assert own.pids() == [child]


def test_what_waits_for_a_service_that_hangs_is_answered_by_its_successor(
    shared: SharedEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("ASKED_AFTER_S", 0.1), ("HUNG_AFTER_S", 1.0), ("LOOK_S", 0.1), ("HANDSHAKE_S", 1.0)):
        monkeypatch.setattr(link, name, seconds)
    wanted = shared.embed_query("where is it", timeout_s=60)
    state = shared.state()
    assert state is not None
    os.kill(state.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(8) as threads:
        answers = [
            threads.submit(shared.embed_documents, ["words " * 7000]) for _ in range(7)
        ]  # more than a pipe holds
        assert np.allclose(threads.submit(shared.embed_query, "where is it").result(120), wanted, atol=1e-5)
        assert all(len(answer.result(120)) == 1 for answer in answers)
    successor = shared.state()
    assert successor is not None
    assert successor.pid != state.pid
    until(lambda: not psutil.pid_exists(state.pid))


def test_a_service_that_hangs_can_be_ended_whoever_stands_in_line(
    shared: SharedEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "HANDSHAKE_S", 0.5)
    shared.embed_query("warm", timeout_s=60)
    note = shared.place.note()
    assert note is not None
    os.kill(note.pid, signal.SIGSTOP)
    with ExitStack() as line:
        for _ in range(300):
            caller = line.enter_context(socket.socket(socket.AF_UNIX))
            caller.settimeout(0)
            caller.connect_ex(note.address)
        with ThreadPoolExecutor(1) as threads:
            try:
                assert threads.submit(stop, shared.place).result(30)
            finally:
                note.kill()  # which lets in, or sends away, whoever stands there still
    assert not note.is_alive()


def test_who_has_no_file_descriptor_left_does_not_take_the_service_for_gone(shared: SharedEmbedder) -> None:
    shared.embed_query("warm", timeout_s=60)
    note = shared.place.note()
    assert note is not None
    with no_descriptors(), pytest.raises(ServiceError, match="Too many open files") as raised:
        link.dial(note.address, bytes.fromhex(note.key))
    assert not isinstance(raised.value, LinkLostError)


def test_who_has_no_file_descriptor_left_can_hang_up(shared: SharedEmbedder) -> None:
    shared.embed_query("warm", timeout_s=60)
    note = shared.place.note()
    assert note is not None
    line = link.dial(note.address, bytes.fromhex(note.key))
    os.kill(note.pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(line.ask, Frame({"state": True}))
        until(lambda: line._waiting)
        with no_descriptors():
            line.close()
        with pytest.raises(LinkLostError):
            asked.result(30)
    os.kill(note.pid, signal.SIGCONT)


def test_a_service_that_works_for_long_is_not_taken_for_hung(
    shared: SharedEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("ASKED_AFTER_S", 0.2), ("HUNG_AFTER_S", 2.0), ("LOOK_S", 0.05)):
        monkeypatch.setattr(link, name, seconds)
    shared.embed_documents(["warm"], timeout_s=60)
    state = shared.state()
    assert state is not None
    children = psutil.Process(state.pid).children()
    for child in children:
        child.suspend()
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(shared.embed_documents, ["a text"])
        with pytest.raises(TimeoutError):
            answer.result(3.0)
        for child in children:
            child.resume()
        assert len(answer.result(60)) == 1
    assert shared.state().pid == state.pid  # type: ignore[union-attr]
