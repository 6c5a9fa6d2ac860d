"""Any file, through any life of ours in it: what was there is there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.clients.install import Wish, carry_out, planned_install, planned_uninstall
from mcp_server.clients.known import CLIENTS, Machine
from tests.clients.written import json_texts, toml_texts

STARTS = st.lists(st.sampled_from([("/a/codeloupe",), ("codeloupe",), ("uvx", "codeloupe")]), min_size=1, max_size=3)
MARKS = st.sampled_from([b"", b"\xef\xbb\xbf"])


def life(name: str, content: bytes | None, starts: list[tuple[str, ...]]) -> dict[str, bytes]:
    """Install, update and uninstall in a home that has that file, or none; every file that is left."""
    with tempfile.TemporaryDirectory() as directory:
        machine = Machine("linux", Path(directory).resolve(), {})
        wish = Wish(CLIENTS[name], "user", machine.home / "project", "codeloupe")
        path = wish.path(machine)
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_bytes(content)
        for start in starts:
            entry = wish.client.entry(start, "/home/me/project")
            carry_out(lambda entry=entry: planned_install(wish, entry, machine))
        assert path.read_bytes() != content
        carry_out(lambda: planned_uninstall(wish, machine))
        return {each.name: each.read_bytes() for each in path.parent.iterdir() if each.is_file()}


@settings(deadline=None, max_examples=25)  # each waits for the disk several times
@given(st.sampled_from(["cursor", "zed", "vscode"]), st.data(), STARTS, MARKS)
def test_a_file_with_comments_is_what_it_was(name: str, data: st.DataObject, starts: Any, mark: bytes) -> None:
    text, _ = data.draw(json_texts(key=CLIENTS[name].key, lenient=True))
    content = mark + text.encode()
    assert list(life(name, content, starts).values()) == [content]


@settings(deadline=None, max_examples=25)  # each waits for the disk several times
@given(st.sampled_from(["claude-code", "claude-desktop"]), st.data(), STARTS)
def test_a_file_of_plain_json_is_what_it_was(name: str, data: st.DataObject, starts: Any) -> None:
    text, _ = data.draw(json_texts(key="mcpServers", lenient=False))
    assert list(life(name, text.encode(), starts).values()) == [text.encode()]


@settings(deadline=None, max_examples=25)  # each waits for the disk several times
@given(toml_texts(), STARTS, MARKS)
def test_codexs_file_is_what_it_was(text: str, starts: Any, mark: bytes) -> None:
    assert life("codex", mark + text.encode(), starts) == {"config.toml": mark + text.encode()}


@settings(deadline=None, max_examples=25)  # each waits for the disk several times
@given(st.sampled_from(list(CLIENTS)), STARTS)
def test_a_file_that_came_with_us_goes_with_us(name: str, starts: Any) -> None:
    assert life(name, None, starts) == {}
