"""stdout is the wire: whatever happens, it carries JSON-RPC messages, one a line, and nothing else."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.e2e.homes import Home, Launch, plant_forest, script
from tests.e2e.wire import ERAS, MODERN, Wire


def assert_pure(wire: Wire) -> None:
    """Every byte is part of a JSON-RPC message on a line of its own."""
    assert wire.output.endswith(b"\n")
    assert b"\r" not in wire.output
    for line in wire.output.decode("utf-8").removesuffix("\n").split("\n"):
        message = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        assert ("method" in message) != ("id" in message), "an answer or a notification; this server asks nothing"
        assert not ("result" in message and "error" in message)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("how", ["module", "script"])
def test_a_whole_session_writes_nothing_but_messages(
    blank_home: Home, tmp_path: Path, log: Path, era: str, how: str
) -> None:
    root = plant_forest(tmp_path / "forest", 12)
    (root / "strange.py").write_bytes(b"\xff\xfe\x00broken \x80 bytes\n")
    (root / "deep.json").write_text("[" * 3_000 + "]" * 3_000, encoding="utf-8")
    launch = Launch(blank_home, (root,))
    if how == "script":
        launch = Launch(blank_home, (root,), script())
    with Wire(launch, log, era) as wire:
        wire.result("search", {"query": "unload_timber_1"})
        wire.result("index", {"wait": True}, token="t")
        wire.result("embed", {"texts": ["tide", "ünïcödé 🌊  "], "cache": False})
        wire.result("search", {"query": "🌊 water", "format": "json"})
        wire.result("search", {"query": "(", "mode": "regex"})
        wire.result("index", {"path": "/nowhere"})
        wire.answer(wire.request("tools/list", {}))
        wire.answer(wire.request("no/such/method", {}))
        wire.cancel(wire.call("index", {"wait": True, "force": True}))
        wire.result("status", {"format": "json"})
        wire.close_input()
        assert wire.end() == 0
    assert_pure(wire)
    assert len(wire.messages) >= 9


def test_lines_that_are_no_messages_disturb_nothing(indexed: Launch, log: Path) -> None:
    with Wire(indexed, log) as wire:
        for junk in (b"\n", b"hello\n", b"{}\n", b'{"jsonrpc":"2.0"\n', b"[1,2]\n", b"\xff\xfe\n", b"\r\n"):
            wire.send_bytes(junk)
        assert "crane" in wire.text("search", {"query": "crane"})
        wire.close_input()
        assert wire.end() == 0
    assert_pure(wire)
    assert b"Traceback" not in log.read_bytes()


def test_a_request_cut_in_the_middle_of_a_letter_is_answered(indexed: Launch, log: Path) -> None:
    with Wire(indexed, log) as wire:
        asked = wire.call("search", {"query": "tide \ud83d"})  # as JSON.stringify writes "tide 😀".slice(0, 6)
        assert "tides/gauge.py" in wire.answer(asked)["result"]["content"][0]["text"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is Unicode")
def test_a_root_whose_name_is_no_utf_8_does_not_end_the_server(home: Home, tmp_path: Path, log: Path) -> None:
    odd = plant_forest(tmp_path / os.fsdecode(b"ha\xffrbour"), 1)
    with Wire(Launch(home, (odd,)), log) as wire:
        assert r"ha\udcffrbour" in wire.text("status")
        assert wire.text("index", {"wait": True}).startswith("Indexed 1 file")


def test_a_byte_order_mark_before_the_first_message_disturbs_nothing(indexed: Launch, log: Path) -> None:
    with Wire(indexed, log, MODERN) as wire:
        wire.send_bytes(b"\xef\xbb\xbf")
        assert "result" in wire.initialize()


def test_lines_may_end_as_windows_ends_them(indexed: Launch, log: Path) -> None:
    with Wire(indexed, log) as wire:
        call = {"name": "search", "arguments": {"query": "crane"}}
        wire.send_bytes(
            json.dumps({"jsonrpc": "2.0", "id": 77, "method": "tools/call", "params": call}).encode() + b"\r\n"
        )
        assert "crane" in str(wire.answer(77)["result"])
    assert_pure(wire)


def test_nothing_that_a_session_does_is_an_error_in_the_log(indexed: Launch, log: Path) -> None:
    with Wire(indexed, log) as wire:
        wire.text("search", {"query": "tide", "mode": "semantic"})
        wire.text("index", {"wait": True})
        wire.text("status")
    assert log.read_text(encoding="utf-8") == ""
