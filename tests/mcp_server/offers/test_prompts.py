"""Prompts: messages that name the search to make, whatever a client does to their arguments."""

from __future__ import annotations

import ast
import re

import pytest

from mcp_server.errors import RequestError
from mcp_server.offers.prompts import PROMPTS, Prompt, prompt
from mcp_server.requests import MAX_QUERY_CHARS
from mcp_server.tools import Tools

FULL = {
    "explain": {"topic": "retries", "path": "src/**", "language": "python"},
    "where_to_change": {"change": "retry five times", "path": "src/net", "language": "go"},
    "find_usages": {"name": "parse_config", "kind": "function", "path": "src/a.py", "language": "python"},
    "review_change": {"change": "HEAD~3..HEAD"},
    "find_cause": {"error": "KeyError: 'tide'\n  File \"a.py\", line 3", "path": "src/", "language": "python"},
}


def calls(message: str) -> list[dict[str, object]]:
    """The calls of the search tool in a message, as an agent would make them."""
    found = []
    for call in re.findall(r"`(search\(.*?\))`", message):
        parsed = ast.parse(re.sub(r"=NAME\b", '="name"', call), mode="eval").body
        assert isinstance(parsed, ast.Call)
        found.append({str(one.arg): ast.literal_eval(one.value) for one in parsed.keywords})
    return found


@pytest.mark.parametrize("name", PROMPTS)
def test_every_call_in_a_message_is_one_that_the_search_tool_takes(name: str) -> None:
    made = calls(PROMPTS[name].render(FULL[name]))
    assert made
    taken = set(Tools.search.__annotations__)
    assert all(set(call) <= taken for call in made)


@pytest.mark.parametrize("name", PROMPTS)
def test_a_message_says_what_was_asked_and_keeps_to_the_filters(name: str) -> None:
    given = FULL[name]
    message = PROMPTS[name].render(given)
    assert next(iter(given.values())) in message
    if "path" in given:
        assert any(call.get("paths") == [given["path"]] for call in calls(message))
        assert any(call.get("languages") == [given["language"]] for call in calls(message))


@pytest.mark.parametrize("name", PROMPTS)
def test_a_message_is_short(name: str) -> None:
    assert len(PROMPTS[name].render(FULL[name])) < 1_600


@pytest.mark.parametrize("one", PROMPTS.values(), ids=str)
def test_a_prompt_and_its_arguments_are_described(one: Prompt) -> None:
    assert one.title
    assert 20 < len(one.description) < 200
    assert all(20 < len(argument.description) < 200 for argument in one.arguments)
    required = [argument.required for argument in one.arguments]
    assert required == sorted(required, reverse=True)  # clients hand words out in this order


def test_quotes_and_line_ends_in_an_argument_stay_within_its_call() -> None:
    message = prompt("explain").render({"topic": 'say "no"`) \\ to ü'})
    assert {"query": 'say "no"`) \\ to ü'} in calls(message.replace("`)", "')", 0)) or '\\"no\\"' in message


def test_a_change_that_is_not_named_is_the_one_of_the_work_tree() -> None:
    assert "git diff HEAD" in prompt("review_change").render({})


@pytest.mark.parametrize(
    ("given", "topic"),
    [
        ({"topic": "how", "path": "retries", "language": "work"}, "how retries work"),
        ({"topic": "how", "path": "retries"}, "how retries"),
        ({"topic": "retries", "path": "src/net", "language": "delays"}, "retries src/net delays"),
    ],
)
def test_words_that_a_client_handed_out_one_by_one_are_one_text_again(given: dict[str, str], topic: str) -> None:
    message = prompt("explain").render(given)
    assert calls(message) == [{"query": topic}]


@pytest.mark.parametrize(
    "given",
    [
        {"topic": "retries", "path": "src/net", "language": "go"},
        {"topic": "how retries work", "path": "network", "language": "go"},
        {"topic": "retries"},
    ],
)
def test_arguments_that_may_be_what_they_are_stay(given: dict[str, str]) -> None:
    (call,) = calls(prompt("explain").render(given))
    assert call["query"] == given["topic"]
    assert call.get("paths") == ([given["path"]] if "path" in given else None)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("explain", {}, "The prompt explain needs topic: What to explain"),
        ("explain", {"topic": "  "}, "The prompt explain needs topic"),
        ("explain", {"subject": "x"}, "has no argument 'subject'; it takes topic, path, language"),
        ("explain", {"topic": "how retries work", "language": "pyton"}, "did you mean 'python'?"),
        ("find_usages", {"name": "a b", "kind": "functoin"}, "did you mean 'function'?"),
        ("explain", {"topic": "x" * (MAX_QUERY_CHARS + 1)}, "topic has 8,001 characters"),
        ("explian", {"topic": "x"}, "There is no prompt 'explian'; there are explain, where_to_change"),
    ],
)
def test_what_cannot_be_a_prompt_is_refused_in_a_sentence(name: str, given: dict[str, str], words: str) -> None:
    with pytest.raises(RequestError) as refused:
        prompt(name).render(given)
    assert words in str(refused.value)
