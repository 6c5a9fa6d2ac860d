"""Requests: each bad argument is one sentence with the next step."""

import pytest

from mcp_server import requests
from mcp_server.errors import RequestError

TEXT = requests.Answering()
KNOWN = ({"python", "typescript"}, {"function", "class"})


def ask(**changes):
    return requests.checked(requests.SearchRequest(**({"query": "q", "limit": 10} | changes)))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"query": ""}, "query is empty"),
        ({"query": " \t\n\x00"}, "query is empty"),
        ({"query": "x" * 1_000_000}, "query has 1,000,000 characters"),
        ({"limit": 0}, "limit is 0; give a number from 1 to 100"),
        ({"limit": 10**9}, "limit is 1,000,000,000"),
        ({"offset": -1}, "offset is -1"),
        ({"mode": "semantik"}, "did you mean 'semantic'?"),
        ({"mode": "zzzz"}, "use one of auto"),
        ({"min_similarity": 2.0}, "min_similarity is 2.0"),
        ({"like": "a.py:1", "mode": "regex"}, "leave the mode at auto"),
    ],
)
def test_a_bad_search_is_refused_in_one_sentence(changes, told):
    with pytest.raises(RequestError) as refusal:
        ask(**changes)
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_control_characters_become_blanks():
    assert ask(query=" parse\x00\x1b[31m date\n").query == "parse  [31m date"


def test_a_query_may_be_empty_beside_an_example():
    assert ask(query=" ", like="a.py:1").query == ""


def test_an_exact_query_keeps_its_blanks():
    assert ask(query="  return x ", mode="exact").query == "  return x "


def test_unknown_languages_and_kinds_name_the_nearest():
    with pytest.raises(RequestError, match="language 'pyton' is unknown; did you mean 'python'"):
        requests.filters_from([], ["pyton"], [], KNOWN)
    with pytest.raises(RequestError, match="kind 'func' is unknown; did you mean 'function'"):
        requests.filters_from([], [], ["func"], KNOWN)


@pytest.mark.parametrize(
    ("detail", "output", "max_tokens", "told"),
    [("all", "text", 0, "detail"), ("full", "xml", 0, "format"), ("full", "text", 5, "max_tokens is 5")],
)
def test_a_bad_way_of_answering_is_refused(detail, output, max_tokens, told):
    with pytest.raises(RequestError, match=told):
        requests.answering(detail, output, max_tokens, 10_000)


def test_max_tokens_is_as_given_or_the_default():
    assert requests.answering("full", "text", 1000, 2000).max_tokens == 1000
    assert requests.answering("snippets", "text", 0, 2000).max_tokens == 2000
    assert requests.answering("full", "text", 0, 2000).max_tokens == 4000
    assert requests.answering("full", "text", 0, 9000).max_tokens == requests.MAX_TOKENS


@pytest.mark.parametrize(
    ("limit", "max_tokens", "how", "hits"),
    [
        (0, 0, TEXT, 10),  # nothing named: the default
        (0, 500, TEXT, 10),
        (0, 2000, TEXT, 20),  # room for more
        (0, 12_000, TEXT, requests.MOST_UNASKED),
        (0, 500, requests.Answering("locations"), 20),
        (0, 3500, requests.Answering("snippets", "json"), 20),
        (7, 4000, TEXT, 7),  # as asked
        (-1, 4000, TEXT, -1),  # refused later
    ],
)
def test_hits_are_as_many_as_asked_or_as_a_named_budget_has_room_for(limit, max_tokens, how, hits):
    assert requests.hits_wanted(limit, max_tokens, how, 10) == hits


@pytest.mark.parametrize(
    ("texts", "kind", "told"),
    [
        ([], "query", "texts is empty"),
        (["x"] * 10_000, "query", "texts has 10,000 entries"),
        (["y" * 1_000_000], "document", r"texts\[0\] has 1,000,000 characters"),
        (["x"], "vector", "kind 'vector' is unknown"),
    ],
)
def test_bad_texts_to_embed_are_refused(texts, kind, told):
    with pytest.raises(RequestError, match=told):
        requests.embed_texts(texts, kind)
