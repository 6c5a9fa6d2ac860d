"""The parser that VS Code reads its files with reads what we wrote into them, and agrees with ours."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from hypothesis import given, settings

from mcp_server.clients.editing import Place, with_entry, without_entry
from tests.clients import cli_clients
from tests.clients.desk import RUN_S
from tests.clients.test_commands import BEFORE
from tests.clients.written import json_texts

PLACE = Place("jsonc", "servers", "codeloupe")
ENTRY = {"type": "stdio", "command": "codeloupe", "args": ["serve", "--root", "${workspaceFolder}"]}
TEXTS = 200


def _read(texts: list[str]) -> list[dict[str, Any]]:
    node = cli_clients.installed()
    line = [str(node.executable), str(cli_clients.SOURCES / "read.mjs")]
    ran = subprocess.run(
        line,
        input=json.dumps(texts),
        env={"HARNESS_MODULES": str(node.directory)},
        capture_output=True,
        encoding="utf-8",
        timeout=RUN_S,
        check=True,
    )
    return list(json.loads(ran.stdout))


def _texts() -> list[tuple[str, dict[str, Any]]]:
    """Files of users, and any others."""
    found = [(BEFORE["vscode"].decode(), {"inputs": [], "servers": {}})]

    @settings(max_examples=TEXTS, deadline=None, database=None)
    @given(json_texts(key="servers", lenient=True))
    def collect(case: tuple[str, dict[str, Any]]) -> None:
        found.append(case)

    collect()
    return found


def test_vscodes_parser_reads_what_we_read_before_with_and_without_us() -> None:
    texts, values = zip(*_texts(), strict=True)
    made = [with_entry(text, PLACE, ENTRY) for text in texts]
    left = [without_entry(text, PLACE) for text in made]
    read = [_read(list(each)) for each in (texts, made, left)]
    assert [found for each in read for found in each if found["errors"]] == []
    for value, before, with_us, after in zip(values, *read, strict=True):
        assert before["value"] == value
        assert with_us["value"] == {**value, "servers": {**value.get("servers", {}), "codeloupe": ENTRY}}
        assert after["value"] == {**value, "servers": value.get("servers", {})}
