"""The command that clients start: real programs that start badly, talk nonsense, or do not end."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from mcp_server.checks import server
from mcp_server.checks.findings import Finding, Level
from mcp_server.cli import own_version
from tests.e2e.homes import Home
from tests.mcp_server.checks.faults import program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the misbehaving programs are shell scripts")

OWN = shlex.quote(server.own_command()[0])


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and a user who has nothing: the servers that are started are that user's."""
    for name, value in Home(tmp_path / "user", tmp_path / "models").environment(CODELOUPE_MODEL_NAME="none").items():
        monkeypatch.setenv(name, value)
    root = tmp_path / "root"
    root.mkdir()
    return root


def met(root: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> list[Finding]:
    """What is found where the codeloupe on the PATH is that script."""
    script = program(root.parent / "bin" / "codeloupe", body)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    return server.examine(root, own_version())


def fault(findings: list[Finding]) -> str:
    assert [finding.level for finding in findings if finding.what == "server"] == [Level.ERROR], findings
    return next(finding.found for finding in findings if finding.what == "server")


def is_served(spoken: Finding) -> bool:
    """Well, or at worst slower than some client waits, on a machine that has much else to do."""
    return "answers in 2025-11-25 and 2026-07-28" in spoken.found or spoken.found.startswith("it took ")


def test_the_installed_server_speaks_both_eras_and_ends_with_its_input(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    command, spoken = server.examine(root, own_version())
    assert (command.level, is_served(spoken)) == (Level.OK, True), (command, spoken)


def test_no_command_on_the_path_is_a_warning_with_the_line_to_write_instead(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert shutil.which("codeloupe") is None
    command, spoken = server.examine(root, own_version())
    assert (command.level, is_served(spoken)) == (Level.WARNING, True), (command, spoken)
    assert server.own_command()[0] in command.mend


def test_another_version_on_the_path_is_a_warning_that_names_both(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = f'test "$1" = --version && echo "codeloupe, version 0.0.7" && exit\nexec {OWN} "$@"'
    command, spoken = met(root, monkeypatch, body)
    assert (command.level, is_served(spoken)) == (Level.WARNING, True), (command, spoken)
    assert "0.0.7" in command.found
    assert own_version() in command.found


def test_a_wrapper_that_prints_is_caught_with_what_it_printed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "'Welcome back!'" in fault(met(root, monkeypatch, f'echo "Welcome back!"\nexec {OWN} "$@"'))


def test_a_program_that_ends_at_once_is_told_in_its_last_words(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = fault(met(root, monkeypatch, "echo 'ImportError: no such thing' >&2; exit 3"))
    assert "it ended with exit code 3" in said
    assert "ImportError: no such thing" in said


def test_a_program_whose_interpreter_is_gone_is_told_to_be_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = program(root.parent / "bin" / "codeloupe", "")
    script.write_text("#!/nowhere/python\n", encoding="utf-8")
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    said = fault(server.examine(root, own_version()))
    assert "cannot be started" in said
    assert "what its first line names, is gone" in said


def test_a_wrapper_that_stays_when_its_input_ends_is_caught(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "END_S", 1.0)
    assert "goes on 1 s after its input has ended" in fault(
        met(root, monkeypatch, f'{OWN} "$@"; test "$1" = --version || exec sleep 60')
    )


ANSWERS = 'while read -r line; do echo \'{"jsonrpc": "2.0", "id": 1, "result": %s}\'; done'


def test_a_server_of_another_protocol_is_told_with_what_it_speaks(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = fault(met(root, monkeypatch, ANSWERS % '{"protocolVersion": "2024-11-05"}'))
    assert "2025-11-25 was asked for and 2024-11-05 was answered" in said
    assert "no tool named search" in said, "and in the other era"


def test_a_program_that_says_nothing_is_given_up_after_a_while(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "START_S", 1.0)
    monkeypatch.setattr(server, "END_S", 1.0)
    assert "was not answered within 1 s" in fault(met(root, monkeypatch, "test $1 = --version || exec sleep 60"))
