"""Files as people and programs leave them: any JSON or TOML, with odd white space, comments and trailing commas."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

WORDS = st.text(st.characters(blacklist_categories=("Cs", "Cc")) | st.sampled_from("/*{}[],:\"\\'# "), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | WORDS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6
)
BLANKS = ("", "", " ", "\n", "\n  ", "\r\n\t", "\t ")
COMMENTS = ('/* a, "b": { */', "// } no, https://x \n", "//\n", "/**/")


@st.composite
def json_texts(draw: st.DrawFn, *, key: str, lenient: bool) -> tuple[str, dict[str, Any]]:
    """A text and what it says: an object that may have servers under ``key``, ours never among them."""
    value = draw(st.dictionaries(WORDS.filter(lambda word: word != key), VALUES, max_size=3))
    servers = draw(st.none() | st.dictionaries(WORDS.filter(lambda word: word != "codeloupe"), VALUES, max_size=3))
    if servers is not None:
        value = draw(st.sampled_from([{key: servers, **value}, {**value, key: servers}]))
    gap = st.sampled_from(BLANKS + COMMENTS if lenient else BLANKS)
    text = draw(gap) + _json(draw, value, gap, lenient=lenient) + draw(gap)
    return text, value


def _json(draw: st.DrawFn, value: Any, gap: st.SearchStrategy[str], *, lenient: bool) -> str:
    if not isinstance(value, dict | list) or (not value and draw(st.booleans())):
        return json.dumps(value, ensure_ascii=draw(st.booleans()))
    if isinstance(value, dict):
        items = [
            f"{json.dumps(key)}{draw(gap)}:{draw(gap)}{_json(draw, item, gap, lenient=lenient)}"
            for key, item in value.items()
        ]
    else:
        items = [_json(draw, item, gap, lenient=lenient) for item in value]
    inside = ",".join(f"{draw(gap)}{item}{draw(gap)}" for item in items) or draw(gap)
    end = f",{draw(gap)}" if items and lenient and draw(st.booleans()) else ""
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}{inside}{end}{last}"


TOML_PARTS = (
    "# a comment\n",
    "\n",
    'model = "o9"  # why\n',
    "notify = [\n  \"x\", # [mcp_servers.codeloupe]\n  'y',\n]\n",
    "text = '''\n[mcp_servers.codeloupe]\ncommand = \"no\"\n'''\n",
)
TOML_TABLES = (
    '[mcp_servers.docs]\ncommand = "docs"\nenv = { KEY = "secret" }\n',
    "[mcp_servers.\"a b\"]\ncommand = 'x'\n",
    "[mcp_servers]\n",
    '[profiles.fast]\nmodel = "o1"\n\n# about nothing\n',
    '[[things]]\nname = "one"\n[[things]]\nname = "two"\n',
    '  [tui] # indented\n  theme = "dark"\n',
)


@st.composite
def toml_texts(draw: st.DrawFn) -> str:
    """A configuration of Codex without us, with either line end, with or without the last one."""
    head = draw(st.lists(st.sampled_from(TOML_PARTS), max_size=4, unique=True))
    tables = draw(st.lists(st.sampled_from(TOML_TABLES), max_size=4, unique=True))
    text = "".join(head) + "".join(tables)
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text
