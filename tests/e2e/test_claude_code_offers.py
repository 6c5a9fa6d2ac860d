"""Prompts and resources in Claude Code itself, with a script in place of its model."""

from __future__ import annotations

import json

import pytest

from benchmarks.scripted_model import Say, Use
from benchmarks.session import Setting, ask, everything, in_turn
from mcp_server.offers.prompts import prompt
from tests.clients.cli_clients import claude_code
from tests.e2e.homes import Launch

DONE = in_turn([Say("Done.")])


@pytest.fixture(scope="module")
def setting(indexed: Launch) -> Setting:
    return Setting(claude_code(), indexed.roots[0], indexed.environment)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("explain passage_window", {"topic": "passage_window"}),
        ("explain passage windows found", {"topic": "passage windows found"}),
        (
            "explain tides tides/forecast.py python",
            {"topic": "tides", "path": "tides/forecast.py", "language": "python"},
        ),
        ("review_change", {}),
    ],
)
def test_a_prompt_is_a_command_whose_words_reach_the_model_as_they_were_meant(
    setting: Setting, typed: str, meant: dict[str, str]
) -> None:
    session = ask(setting, f"/mcp__codeloupe__{typed}", DONE)
    assert prompt(typed.split(maxsplit=1)[0]).render(meant) in everything(session.first)


def test_an_agent_reads_lines_by_their_address(setting: Setting) -> None:
    read = Use("ReadMcpResourceTool", {"server": "codeloupe", "uri": "code://tides/forecast.py?start=1&end=2"})
    session = ask(setting, "Read it.", in_turn([read, Say("Done.")]))
    (content,) = json.loads(session.steps[0].read)["contents"]
    lines = (setting.root / "tides/forecast.py").read_text(encoding="utf-8").splitlines(keepends=True)
    assert content["text"] == "".join(lines[:2])


def test_an_agent_is_told_why_lines_are_not_given(setting: Setting) -> None:
    read = Use("ReadMcpResourceTool", {"server": "codeloupe", "uri": "code://tides/forecast.py?start=9000"})
    session = ask(setting, "Read it.", in_turn([read, Say("Done.")]))
    assert "lines; start=9000 is behind them." in session.steps[0].read
