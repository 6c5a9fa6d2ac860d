"""Notes of servers: read by others, put away once their server has ended, and private."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from mcp_server.metrics import families
from mcp_server.metrics.counts import Counts, total
from mcp_server.metrics.figures import ServerProcess
from mcp_server.metrics.notes import Noted, Notes, as_note, of_note
from tests.mcp_server.metrics.samples import SERVICE, counted, server


class Living:
    """Which processes live, by their numbers."""

    def __init__(self, *pids: int) -> None:
        self.pids = set(pids)

    def __call__(self, process: ServerProcess) -> bool:
        return process.pid in self.pids


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name != "notes.lock")


def searches(counts: Counts) -> int:
    return counts.time(families.SEARCH, "auto").count


def test_a_note_reads_back_as_it_was() -> None:
    figures = server(7, port=9464)
    assert of_note(json.loads(json.dumps(as_note(figures)))) == figures


def test_a_note_with_a_service_of_its_own_keeps_it() -> None:
    told = as_note(server(7)) | {"service": SERVICE.as_json()}
    assert of_note(told).service == SERVICE


def test_servers_that_run_are_read_the_oldest_first(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "metrics", Living(2, 1))
    notes.write(server(2))
    notes.write(server(1))
    assert notes.read().servers == (server(1), server(2))
    assert notes.read().ended == Counts()


def test_what_a_server_counted_is_kept_when_it_ends_and_its_note_goes(tmp_path: Path) -> None:
    living = Living(1, 2)
    notes = Notes(tmp_path, living)
    notes.write(server(1, counted(searches=3)))
    notes.write(server(2, counted(searches=4)))
    living.pids = {2}
    for _ in range(3):  # however often it is read
        noted = notes.read()
        assert [one.process.pid for one in noted.servers] == [2]
        assert searches(noted.ended) == 3
    living.pids = set()
    assert searches(notes.read().ended) == 7
    assert files(tmp_path) == ["ended.1.json"]


def test_a_hundred_servers_that_came_and_went_leave_one_small_file(tmp_path: Path) -> None:
    living = Living()
    notes = Notes(tmp_path, living)
    for pid in range(1, 101):
        living.pids = {pid}
        notes.read()
        notes.write(server(pid))
    living.pids = set()
    assert searches(notes.read().ended) == 300
    assert files(tmp_path) == ["ended.1.json"]
    assert (tmp_path / "ended.1.json").stat().st_size < 2_000


def test_a_note_whose_deletion_was_cut_short_is_not_added_twice(tmp_path: Path) -> None:
    notes = Notes(tmp_path, Living())
    notes.write(server(1))
    left = {path.name: path.read_bytes() for path in tmp_path.glob("server-*")}
    assert searches(notes.read().ended) == 3
    for name, content in left.items():  # as if whoever put it away had been killed before the deletion
        (tmp_path / name).write_bytes(content)
    assert searches(notes.read().ended) == 3
    assert files(tmp_path) == ["ended.1.json"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"process": {}}', b"\xff\xfe", b'{"format": 1, "counts": 3}'])
def test_a_note_that_cannot_be_read_is_passed_over(tmp_path: Path, content: bytes) -> None:
    notes = Notes(tmp_path, Living(1))
    notes.write(server(1))
    (tmp_path / "server-5-5.json").write_bytes(content)
    (tmp_path / "ended.1.json").write_bytes(content)
    assert notes.read().servers == (server(1),)
    assert notes.read().ended == Counts()


@pytest.mark.parametrize(
    "change",
    [
        {"process": {"pid": "seven", "started": 1.0, "since_boot": 1.0}},
        {"process": {"pid": 7, "started": "once", "since_boot": 1.0}},
        {"counts": {"format": 1, "numbers": [[families.FILES.name, [], "many"]], "times": []}},
        {"counts": {"format": 1, "numbers": [], "times": [[families.SEARCH.name, ["auto"], "long", []]]}},
        {"counts": {"format": 1, "numbers": [], "times": [[families.SEARCH.name, ["auto"], 1, [[0, "many"]]]]}},
    ],
)
def test_a_note_with_words_for_numbers_is_passed_over(tmp_path: Path, change: dict[str, object]) -> None:
    notes = Notes(tmp_path, Living(1))
    notes.write(server(1))
    (tmp_path / "server-7-5.json").write_text(json.dumps(as_note(server(7)) | change), encoding="utf-8")
    noted = notes.read()
    assert noted == Noted((server(1),))
    assert total([noted.ended, server(1).counts]) == server(1).counts


def test_a_note_of_a_later_version_which_says_more_of_its_process_is_read() -> None:
    told = as_note(server(7))
    assert of_note(told | {"process": told["process"] | {"host": "another word"}}) == server(7)


def test_what_a_killed_server_had_half_written_goes_after_a_day(tmp_path: Path) -> None:
    old, new = (tmp_path / f".server-{pid}-5.json.{pid}.1" for pid in (5, 6))
    for half in (old, new):
        half.write_bytes(b"{")
    os.utime(old, (1_000_000, 1_000_000))
    Notes(tmp_path, Living()).read()
    assert files(tmp_path) == [new.name]


def test_an_unreadable_note_of_days_ago_is_deleted(tmp_path: Path) -> None:
    old = tmp_path / "server-5-5.json"
    old.write_bytes(b"{")
    os.utime(old, (1_000_000, 1_000_000))
    Notes(tmp_path, Living()).read()
    assert not old.exists()


def test_where_nobody_ever_served_nothing_is_made(tmp_path: Path) -> None:
    noted = Notes(tmp_path / "metrics").read()
    assert (noted.servers, noted.ended) == ((), Counts())
    assert not (tmp_path / "metrics").exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_notes_are_the_users_alone_and_tell_no_path(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "metrics", Living(1))
    notes.write(server(1))
    notes.read()
    assert stat.S_IMODE((tmp_path / "metrics").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "metrics").iterdir()} == {0o600}
    (note,) = (tmp_path / "metrics").glob("server-*")
    assert "/" not in note.read_text(encoding="utf-8")


def test_a_directory_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "metrics").write_text("a file is in the way", encoding="utf-8")
    notes = Notes(tmp_path / "metrics")
    notes.write(server(1))
    assert notes.read().servers == ()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="modes are POSIX's, and root's are none")
def test_a_directory_that_cannot_be_looked_into_stops_nobody(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "metrics").mkdir(parents=True)
    closed.chmod(0)
    try:
        notes = Notes(closed / "metrics")
        notes.write(server(1))
        assert notes.read() == Noted()
    finally:
        closed.chmod(0o700)


def test_this_process_lives_one_that_has_ended_does_not_and_a_number_alone_is_not_enough() -> None:
    this = ServerProcess.this()
    assert this.is_alive()
    assert this.started == pytest.approx(psutil.Process().create_time(), abs=2)
    assert replace(this, started=this.started + 86_400).is_alive()  # the clock was set
    assert not ServerProcess(this.pid, this.started - 500, this.since_boot - 500).is_alive()
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait(60)
    assert not ServerProcess(child.pid, this.started, this.since_boot).is_alive()
