"""A client that writes its own file while we do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mcp_server.clients.install import Change, Wish, carry_out, planned_install
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
