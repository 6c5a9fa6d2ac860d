"""However it ends: the exit code is 0, nobody is left of the family, and the next start finds the index whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.homes import Home, Launch, plant_forest
from tests.e2e.processes import INDEXER, WORKER, assert_gone, eventually, family, running
from tests.e2e.wire import ERAS, PATIENCE_S, Wire

if TYPE_CHECKING:
    import psutil

VESSELS = 300
ENDINGS = ("EOF",) if sys.platform == "win32" else ("EOF", "TERM", "INT", "KILL")
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def make_busy(wire: Wire) -> list[psutil.Process]:
    """Have the server index, embed and search; its family once the model's children are there."""
    wire.call("index", {"wait": True}, token="t")
    for number in range(12):
        wire.call("search", {"query": f"unload_spices {number}"})
        wire.call("embed", {"texts": [f"text {number} of {step}" for step in range(200)], "cache": False})
    eventually(lambda: running(wire.process.pid, INDEXER) and running(wire.process.pid, WORKER), "it is busy")
    return family(wire.process.pid)


def make_idle(wire: Wire) -> list[psutil.Process]:
    """Have the server load its model and come to rest; its family."""
    assert "vector" in wire.text("search", {"query": "tide", "mode": "semantic"})
    assert running(wire.process.pid, WORKER)
    return family(wire.process.pid)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("ending", [ending for ending in ENDINGS if ending != "KILL"])
def test_an_idle_server_ends_at_once_with_its_children(indexed: Launch, log: Path, ending: str, era: str) -> None:
    with Wire(indexed, log, era) as wire:
        everybody = make_idle(wire)
        assert len(everybody) > 1
        end(wire, ending)
        assert wire.end() == 0
        assert_gone(everybody)
    assert_whole_lines(wire)


def test_a_busy_server_ends_at_once_with_its_children_and_keeps_what_was_committed(
    blank_home: Home, tmp_path: Path, log: Path
) -> None:
    launch = Launch(blank_home, (plant_forest(tmp_path / "forest", VESSELS),))
    for ending in ENDINGS:
        with Wire(launch, log) as wire:
            everybody = make_busy(wire)
            end(wire, ending)
            assert wire.end() == (-signal.SIGKILL if ending == "KILL" else 0), ending
            assert_gone(everybody)
        if ending != "KILL":
            assert_whole_lines(wire)
    with Wire(launch, tmp_path / "again.log") as again:
        assert f"Indexed {VESSELS} files" in again.text("index", {"wait": True})
        assert "vectors 100 %" in again.text("search", {"query": "unload_spices_2"})


def test_a_server_that_was_told_nothing_ends_with_its_input(indexed: Launch, log: Path) -> None:
    wire = Wire(indexed, log)
    wire.close_input()
    assert wire.end() == 0
    assert wire.output == b""


# A client of its own process: it starts the server on the descriptors it is given, says hello and then only waits.
CLIENT = """
import json, subprocess, sys, time
read_end, log = int(sys.argv[1]), open(sys.argv[2], "wb")
server = subprocess.Popen(sys.argv[3:], stdin=read_end, stdout=log, stderr=log)
print(server.pid, flush=True)
time.sleep(600)
"""


@posix_only
@pytest.mark.parametrize("held", [False, True], ids=["the pipe closes", "somebody else holds the pipe open"])
def test_a_client_killed_outright_takes_the_server_and_its_children_along(
    indexed: Launch, tmp_path: Path, held: bool
) -> None:
    read_end, write_end = os.pipe()
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, str(read_end), str(tmp_path / "log"), *indexed.line],
        stdout=subprocess.PIPE,
        cwd=indexed.directory,
        env=indexed.environment,
        pass_fds=[read_end] if held else [read_end, write_end],
    )
    os.close(read_end)
    try:
        assert client.stdout is not None
        server = int(client.stdout.readline())
        os.write(write_end, HELLO)
        eventually(lambda: running(server, WORKER), "the model is loaded")
        everybody = family(server)
        if not held:
            os.close(write_end)
            client.kill()
        else:
            client.kill()
        client.wait(PATIENCE_S)
        assert_gone(everybody)
    finally:
        client.kill()
        client.stdout.close()  # type: ignore[union-attr]
        if held:
            os.close(write_end)


HELLO = b"""\
{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},\
"clientInfo":{"name":"doomed","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"search","arguments":{"query":"tide"}}}
"""


def end(wire: Wire, how: str) -> None:
    """One of the three regular endings."""
    if how == "EOF":
        wire.close_input()
    else:
        wire.process.send_signal(signal.Signals[f"SIG{how}"])


def assert_whole_lines(wire: Wire) -> None:
    """Nothing but whole JSON-RPC messages was written, up to the last byte."""
    assert wire.garbage == []
    assert wire.output == b"" or wire.output.endswith(b"\n")
