"""A client that writes its own file while we do."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from mcp_server.clients import files
from mcp_server.clients.install import Change, Wish, carry_out, planned_install, planned_uninstall
from mcp_server.clients.known import CLIENTS
from mcp_server.errors import ClientFileError
from tests.clients.desk import Desk

ENTRY = {"command": "codeloupe", "args": ["serve"]}


class Busy:
    """A plan, between which and its carrying out the client writes: so many times."""

    def __init__(self, desk: Desk, path: Path, times: int) -> None:
        self.wish = Wish(CLIENTS["claude-code"], "user", desk.project, "codeloupe")
        self.desk, self.path, self.times = desk, path, times

    def __call__(self) -> Change:
        change = planned_install(self.wish, ENTRY, self.desk.machine)
        if self.times:
            self.times -= 1
            self.path.write_text(json.dumps({"numStartups": self.times}), encoding="utf-8")
        return change


def test_what_the_client_wrote_in_between_is_not_lost(desk: Desk) -> None:
    path = desk.put("claude-code", b"{}")
    _, kept = carry_out(Busy(desk, path, times=2))
    assert json.loads(path.read_bytes()) == {"numStartups": 0, "mcpServers": {"codeloupe": ENTRY}}
    assert kept is not None
    assert [each.name for each in sorted(path.parent.iterdir())] == [path.name, kept.name]


def test_a_client_that_never_stops_writing_is_told_to_its_user(desk: Desk) -> None:
    path = desk.put("claude-code", b"{}")
    with pytest.raises(ClientFileError, match="is being written by Claude Code; close it and try again"):
        carry_out(Busy(desk, path, times=99))
    assert [each.name for each in path.parent.iterdir()] == [path.name]


class KilledError(BaseException):
    """As if the process ended there: nothing is tidied."""


def test_what_a_killed_process_left_is_gone_after_the_next_life(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between its copy and its change; both copies hold all that the file does."""
    path = desk.put("claude-code", b'{"token": "s3cret"}')
    wish = Wish(CLIENTS["claude-code"], "user", desk.project, "codeloupe")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda path, missing_ok=False: None)
        patch.setattr(files, "_refuse_changed", killed)
        with pytest.raises(KilledError):
            carry_out(lambda: planned_install(wish, ENTRY, desk.machine))
    assert path.read_bytes() == b'{"token": "s3cret"}'
    (aside,) = [each for each in path.parent.iterdir() if each.name.startswith("..claude.json.codeloupe-")]
    old = time.time() - 2 * files.LEFT_S
    os.utime(aside, (old, old))

    carry_out(lambda: planned_install(wish, ENTRY, desk.machine))
    assert not aside.exists()
    carry_out(lambda: planned_uninstall(wish, desk.machine))
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def killed(file: files.ClientFile) -> None:
    raise KilledError


def test_what_another_process_writes_just_now_is_left_to_it(desk: Desk) -> None:
    path = desk.put("claude-code", b"{}")
    theirs = path.with_name("..claude.json.codeloupe-0123abcd")
    theirs.touch()
    wish = Wish(CLIENTS["claude-code"], "user", desk.project, "codeloupe")
    carry_out(lambda: planned_install(wish, ENTRY, desk.machine))
    assert theirs.exists()
