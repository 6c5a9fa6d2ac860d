"""Claude Code itself, asked about the invented project, with a script in place of its model."""

from __future__ import annotations

import json
import re

import pytest

from benchmarks.scripted_model import Say, Use
from benchmarks.session import (
    PREFIX,
    SEARCH,
    WORDS,
    Reader,
    Session,
    Setting,
    ask,
    deferred,
    everything,
    in_turn,
    message,
    rankings,
    resource_moves,
    transcript,
)
from mcp_server.answers.tokens import estimated_tokens
from mcp_server.tools import INSTRUCTIONS
from tests.clients.cli_clients import claude_code
from tests.e2e.homes import Launch

QUESTION = "When can a ship cross the sill?"
TOOLS = {f"{PREFIX}{name}" for name in ("search", "index", "embed", "status")}
# Words that ours shares no rare one with: it must be among those loaded, others may stand before it.
ALSO = {"grep the repository", "locate implementation in repository"}


@pytest.fixture(scope="module")
def setting(indexed: Launch) -> Setting:
    return Setting(claude_code(), indexed.roots[0], indexed.environment)


@pytest.fixture(scope="module")
def session(setting: Setting) -> Session:
    return ask(setting, QUESTION, Reader(QUESTION, setting.root))


@pytest.fixture(scope="module")
def found(setting: Setting) -> dict[str, list[str]]:
    """What Claude Code's search for tools brings for each of the words, best first."""
    moves = [Use("ToolSearch", {"query": words, "max_results": 5}) for words in WORDS]
    return dict(rankings(ask(setting, "Which tools are there?", in_turn([*moves, Say("Those.")]))))


def test_a_model_reads_names_and_instructions_first_and_no_definition(session: Session) -> None:
    assert set(deferred(session.first)) >= TOOLS
    assert INSTRUCTIONS in everything(session.first)
    assert not [tool for tool in session.first["tools"] if str(tool.get("name")).startswith(PREFIX)]
    assert estimated_tokens(INSTRUCTIONS + " ".join(TOOLS)) < 300


@pytest.mark.parametrize("words", WORDS)
def test_searching_for_tools_brings_ours(found: dict[str, list[str]], words: str) -> None:
    assert SEARCH in (found[words] if words in ALSO else found[words][:1])


def test_the_answer_reaches_the_model_as_the_text_that_the_server_wrote(session: Session) -> None:
    answer = session.steps[1]
    assert answer.tool == SEARCH
    assert answer.read.startswith("1. tides/forecast.py:")
    assert re.search(r"\[\w+; text 100 %, sketch 100 %, vectors 100 %[^\n]*\]$", answer.read)


def test_the_lines_an_answer_names_are_those_of_the_file(session: Session) -> None:
    read = dict(line.split("\t", 1) for line in session.steps[2].read.splitlines())
    shown = dict(re.findall(r"^(\d+) (.*)$", session.steps[1].read.split("\n2. ")[0], re.MULTILINE))
    assert len(shown) > 3
    assert {number: read[number] for number in shown} == shown


def test_a_name_from_the_answer_is_found_exactly_and_the_question_is_answered(session: Session) -> None:
    assert [step.tool for step in session.steps] == ["ToolSearch", SEARCH, "Read", SEARCH]
    assert session.steps[3].asked["mode"] == "exact"
    assert session.steps[3].read.startswith("1. tides/forecast.py:")
    assert session.result.startswith("tides/forecast.py:")


def test_lines_are_read_as_a_resource(setting: Setting) -> None:
    read = ask(setting, "Read it.", in_turn(resource_moves("tides/forecast.py", 28, 30))).steps[1]
    [content] = json.loads(read.read)["contents"]
    lines = (setting.root / "tides" / "forecast.py").read_text(encoding="utf-8").splitlines()
    assert content["text"].splitlines() == lines[27:30]
    assert content["mimeType"] == "text/x-python"


def test_a_prompt_is_a_command_that_says_how_to_search(setting: Setting) -> None:
    became = message(ask(setting, f"/{PREFIX}explain tides", in_turn([Say("Well.")])))
    assert "in this code base: tides" in became
    assert 'search(query="tides")' in became


def test_a_transcript_shows_every_step(session: Session) -> None:
    shown = "\n".join(transcript(session, QUESTION, INSTRUCTIONS))
    assert all(step.read in shown for step in session.steps[1:])
    assert QUESTION in shown
