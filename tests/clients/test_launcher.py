"""The command line that a client is given: absolute, lasting, and ours."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mcp_server.clients.launcher import Running, command_line
from mcp_server.errors import RequestError


def _running(tmp_path: Path, **changed: str) -> Running:
    values = {
        "script": "/nowhere/pytest",
        "python": str(tmp_path / "bin" / "python"),
        "prefix": str(tmp_path),
        **changed,
    }
    return Running(environ={"UV": str(tmp_path / "uv" / "uv")}, **values)


def test_the_link_that_was_called_is_kept_and_not_what_it_leads_to(tmp_path: Path) -> None:
    real = tmp_path / "tools" / "codeloupe"
    real.parent.mkdir()
    real.touch()
    link = tmp_path / "local" / "codeloupe"
    link.parent.mkdir()
    link.symlink_to(real)
    assert command_line(_running(tmp_path, script=str(link))) == (str(link),)


def test_the_command_beside_python_is_taken_where_another_program_asks(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    beside = tmp_path / "bin" / "codeloupe"
    beside.touch()
    assert command_line(_running(tmp_path)) == (str(beside),)


def test_windows_says_its_script_without_its_ending(tmp_path: Path) -> None:
    program = tmp_path / "codeloupe.exe"
    program.touch()
    assert command_line(_running(tmp_path, script=str(tmp_path / "codeloupe"))) == (str(program),)


def test_without_an_installed_command_python_runs_the_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path / "no" / name))
    here = str(Path(sys.executable).parent / "codeloupe")
    assert command_line(_running(tmp_path, python=sys.executable, script="x")) == (here,)
    python = str(tmp_path / "bin" / "python")
    assert command_line(_running(tmp_path)) == (python, "-P", "-m", "mcp_server.cli")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({}, ("codeloupe",)),
        (
            {"url": "https://example.org/c.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            ("--from", "git+https://example.org/c.git@abc", "codeloupe"),
        ),
        ({"url": "file:///home/me/codeloupe", "dir_info": {}}, ("--from", "file:///home/me/codeloupe", "codeloupe")),
    ],
)
def test_an_environment_that_uvx_made_is_not_named_but_made_again(
    tmp_path: Path, source: dict[str, object], words: tuple[str, ...]
) -> None:
    uvx = tmp_path / "uv" / "uvx"
    uvx.parent.mkdir()
    uvx.touch(mode=0o755)
    prefix = tmp_path / "cache" / "archive-v0" / "x1"
    running = _running(tmp_path, prefix=str(prefix), source=json.dumps(source) if source else "")
    assert command_line(running) == (str(uvx), *words)


def test_a_named_command_is_taken_word_by_word(tmp_path: Path) -> None:
    assert command_line(_running(tmp_path), "codeloupe") == ("codeloupe",)
    assert command_line(_running(tmp_path), "uvx codeloupe") == ("uvx", "codeloupe")
    spaced = tmp_path / "my programs" / "codeloupe"
    spaced.parent.mkdir()
    spaced.touch()
    assert command_line(_running(tmp_path), str(spaced)) == (str(spaced),)


@pytest.mark.parametrize("named", ["claude", "sh -c codeloupe-server", " "])
def test_a_command_that_does_not_start_codeloupe_is_refused(tmp_path: Path, named: str) -> None:
    with pytest.raises(RequestError, match="does not start codeloupe; name codeloupe, or uvx with it"):
        command_line(_running(tmp_path), named)
