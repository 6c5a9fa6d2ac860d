"""The writer's lock: one process, any number of its threads."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from storage import lock
from storage.errors import IndexBusyError
from storage.holder import SILENT_S
from storage.lock import WriterLock

HOLD = """
import sys
from pathlib import Path
from storage.lock import WriterLock
with WriterLock(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_threads_of_one_process_never_refuse_each_other(tmp_path):
    start, refused = threading.Barrier(8), []

    def take_often():
        start.wait(10)
        for _ in range(300):
            try:
                with WriterLock(tmp_path).held():
                    pass
            except IndexBusyError as error:
                refused.append(error)

    threads = [threading.Thread(target=take_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert refused == []


def test_another_process_is_refused_and_told_who_writes_until_that_one_is_gone(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(IndexBusyError, match=f"process {holder.pid} on"), WriterLock(tmp_path).held():
            pass
    finally:
        holder.kill()
        holder.communicate(timeout=10)
    with WriterLock(tmp_path).held():
        pass


@contextmanager
def another_holder(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that holds the lock until the end of the block."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        yield holder
    finally:
        holder.kill()
        holder.communicate(timeout=10)


def grow_silent(directory: Path) -> None:
    """Let the holder's last beat be long ago."""
    long_ago = time.time() - SILENT_S - 60
    os.utime(directory / "writer.json", (long_ago, long_ago))


def sign(directory: Path, **holder: object) -> None:
    """A signature that somebody left."""
    signed = {"pid": os.getpid(), "host": socket.gethostname(), "since": "2026-01-01T00:00:00+00:00"} | holder
    (directory / "writer.json").write_text(json.dumps(signed), "utf-8")


def signature(directory: Path) -> int:
    return int(json.loads((directory / "writer.json").read_text("utf-8"))["pid"])


def test_the_lock_of_a_killed_holder_is_taken_over_at_once_and_signed_anew(tmp_path):
    with another_holder(tmp_path) as holder:
        holder.kill()
        holder.wait(10)
        assert signature(tmp_path) == holder.pid
        with WriterLock(tmp_path).held():
            assert signature(tmp_path) == os.getpid()
    assert not (tmp_path / "writer.json").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process")
def test_a_stopped_holder_keeps_its_lock_and_is_named_with_how_long_it_is_silent(tmp_path):
    with another_holder(tmp_path) as holder:
        holder.send_signal(signal.SIGSTOP)
        grow_silent(tmp_path)
        said = rf"process {holder.pid} on .* no sign of life for \d+ s; if it hangs, end it"
        with pytest.raises(IndexBusyError, match=said), WriterLock(tmp_path).held():
            pass


def test_where_locks_are_not_shared_a_living_signer_is_still_respected(tmp_path):
    sign(tmp_path, pid=os.getppid())  # it lives, and the lock is free: a disk that gives everybody the lock
    grow_silent(tmp_path)
    with pytest.raises(IndexBusyError, match=f"process {os.getppid()} on"), WriterLock(tmp_path).held():
        pass


def test_another_process_under_the_number_of_a_dead_one_is_not_taken_for_it(tmp_path):
    sign(tmp_path, pid=os.getppid(), started=1.0)
    with WriterLock(tmp_path).held():
        assert signature(tmp_path) == os.getpid()


def test_a_holder_on_another_host_is_waited_for_while_it_beats_and_followed_when_it_does_not(tmp_path):
    sign(tmp_path, pid=1, host="a host elsewhere")
    with pytest.raises(IndexBusyError, match="process 1 on a host elsewhere"), WriterLock(tmp_path).held():
        pass
    grow_silent(tmp_path)
    with WriterLock(tmp_path).held():
        assert signature(tmp_path) == os.getpid()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a lock file that is open")
def test_a_lock_that_a_vanished_host_never_gave_back_is_broken_and_its_holder_writes_no_more(tmp_path):
    with WriterLock(tmp_path).held():
        sign(tmp_path, pid=1, host="a host elsewhere")  # as if this process had signed there
        grow_silent(tmp_path)
        with another_holder(tmp_path) as successor:
            assert signature(tmp_path) == successor.pid
            with pytest.raises(IndexBusyError, match=f"process {successor.pid} on"), WriterLock(tmp_path).held():
                pass
        assert signature(tmp_path) == successor.pid  # whose signature is not removed by the one it robbed


def test_a_holder_beats_while_it_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "BEAT_S", 0.01)
    with WriterLock(tmp_path).held():
        grow_silent(tmp_path)
        before = (tmp_path / "writer.json").stat().st_mtime
        end = time.monotonic() + 30
        while (tmp_path / "writer.json").stat().st_mtime <= before:
            assert time.monotonic() < end, "no beat in half a minute"


@pytest.mark.parametrize("signed", ["", "{", "[]", '{"pid": 1}', '{"pid": 1, "host": "h", "since": "s", "more": 1}'])
def test_an_illegible_signature_is_no_obstacle(tmp_path, signed):
    (tmp_path / "writer.json").write_text(signed, "utf-8")
    with WriterLock(tmp_path).held():
        assert signature(tmp_path) == os.getpid()


def test_what_is_asked_is_known_until_it_is_answered(tmp_path):
    lock = WriterLock(tmp_path)
    assert not lock.asked()
    WriterLock(tmp_path).ask()
    assert lock.asked()
    lock.answer()
    assert not lock.asked()


def test_what_others_search_for_is_handed_over_once(tmp_path):
    holder, other = WriterLock(tmp_path), WriterLock(tmp_path)
    assert holder.wanted() == []
    other.want(["a", "b"])
    other.want(["c", "d"])
    assert holder.wanted() == ["c", "d"]
    assert holder.wanted() == []
    (tmp_path / "writer.wanted").write_text("{half", encoding="utf-8")
    assert holder.wanted() == []
    if os.name == "posix":
        other.want(["e"])
        assert (tmp_path / "writer.wanted").stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part"))
