"""The usual questions, as messages that make an agent ask well. Pure.

No search is made for a message: so it is there at once and never stale, and the agent searches when it has read it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from indexer.vocabulary import KINDS, LANGUAGES
from mcp_server.errors import RequestError
from mcp_server.requests import MAX_QUERY_CHARS, one_of

Given = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a prompt; a value is any text, unless it is a language or a kind."""

    name: str
    description: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question, and the message it becomes."""

    name: str
    title: str
    description: str
    arguments: tuple[Argument, ...]
    message: Callable[[Given], str]

    def argument(self, name: str) -> Argument:
        """The argument of this name. Raises RequestError where there is none."""
        found = next((argument for argument in self.arguments if argument.name == name), None)
        if found is None:
            known = ", ".join(argument.name for argument in self.arguments)
            raise RequestError(f"The prompt {self.name} has no argument {name[:100]!r}; it takes {known}.")
        return found

    def render(self, given: Given) -> str:
        """The message for these arguments; empty ones are not given. Raises RequestError with the thing to change."""
        for name, value in given.items():
            self.argument(name)
            if len(value) > MAX_QUERY_CHARS:
                raise RequestError(
                    f"{name} has {len(value):,} characters, {MAX_QUERY_CHARS:,} is the most; shorten it."
                )
        values = rejoined(self, {name: value.strip() for name, value in given.items() if value.strip()})
        for argument in self.arguments:
            if argument.required and argument.name not in values:
                raise RequestError(f"The prompt {self.name} needs {argument.name}: {argument.description}")
        for name, known in _VOCABULARIES.items():
            if name in values:
                one_of(name, values[name], known)
        return self.message(values)


def prompt(name: str) -> Prompt:
    """The prompt of this name. Raises RequestError where there is none."""
    if name not in PROMPTS:
        raise RequestError(f"There is no prompt {name[:100]!r}; there are {', '.join(PROMPTS)}.")
    return PROMPTS[name]


def rejoined(asked: Prompt, given: Given) -> Given:
    """The arguments as they were meant, by clients that cut what is typed at its blanks and hand out a word each.

    Claude Code does (github.com/anthropics/claude-code/issues/14210): "explain how retries work" becomes topic="how",
    path="retries", language="work". Where all are single words and one cannot be what it is handed as, they are one
    text, the first argument's.
    """
    words = [given[argument.name] for argument in asked.arguments if argument.name in given]
    cut = all(len(word.split()) == 1 for word in words)
    if not (cut and asked.arguments and any(not _may_be(name, value) for name, value in given.items())):
        return given
    return {asked.arguments[0].name: " ".join(words)}


def _may_be(name: str, value: str) -> bool:
    if name == "path":
        return any(sign in value for sign in "/.*")
    return name not in _VOCABULARIES or value in _VOCABULARIES[name]


_VOCABULARIES = {"language": LANGUAGES, "kind": KINDS}

PATH = Argument("path", 'Where to look: a file, a directory or a glob such as "src/**/*.ts"; everywhere without.')
LANGUAGE = Argument("language", 'The language to look in, such as "python"; all without.')
KIND = Argument("kind", 'What it is, such as "function", "class" or "method", where several things are called so.')


def _call(query: str, given: Given, **more: object) -> str:
    """A call of the search tool, with the filters that were given."""
    arguments: dict[str, object] = {"query": query, **more}
    arguments |= {f"{name}s": [given[name]] for name in ("path", "language") if name in given}
    shown = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())
    return f"`search({shown})`"


def _explain(given: Given) -> str:
    return f"""\
Explain how this works in this code base: {given["topic"]}

1. Find it with codeloupe: {_call(given["topic"], given)}. Its answer gives path:first-last lines; its last line \
says how complete the index is.
2. Follow it: search the names that matter by name (what it calls, who calls it, what configures it) until the way \
from entry to end has no gap. `like="path:line"` finds more of the same kind.
3. Read the line ranges that matter, not whole files.

Then say what it is for, how it goes step by step, where it decides and where its limits are, and what surprises. \
Give path:line for each claim; say what you did not find."""


def _where_to_change(given: Given) -> str:
    return f"""\
Where in this code base would this have to be changed: {given["change"]}
Change nothing yet.

1. Find what does it now: {_call(given["change"], given)}; then in words for today's behaviour, which may not be \
those of the wish.
2. For each place, search the names it defines with mode="exact": who relies on them. `like="path:line"` finds code \
that is made alike and may need the same change.
3. Find its tests, its documentation and its settings by the same names.

Answer with a list in the order of work: path:first-last, what changes there and why; then tests and documentation; \
then what could break. Name the one place to begin, and what you are not sure of."""


def _find_usages(given: Given) -> str:
    name = given["name"]
    kinds: dict[str, object] = {"kinds": [given["kind"]]} if "kind" in given else {}
    return f"""\
Find every use of {name} in this code base.

1. Its definition: {_call(name, given, **kinds, limit=5)}.
2. Every place it is written: {_call(name, given, mode="exact", limit=100)}, with offset=100, 200, ... while more \
hits exist. Where that is part of longer names, mode="regex" with \\b at both ends; where it is qualified, its last \
part as well.
3. Sort them by what they do: call, import, override, test, configuration, documentation, mere mention.

Answer with the definition, then the uses by what they do, path:line each, and their number. Say what such a search \
cannot see here: names built at run time, reflection, other repositories."""


def _review_change(given: Given) -> str:
    what = (
        given.get("change")
        or "the changes that are not committed yet (git diff HEAD); if there are none, the last commit"
    )
    return f"""\
Review what this change touches beside itself: {what}

1. Get the change, and note each name whose behaviour, signature or meaning it alters, with path:line.
2. For each, with codeloupe: `search(query=NAME, mode="exact")` for who relies on it; `search(like="path:line")` for \
code that is made alike and may need the same change; `search(query="tests of NAME")` and its documentation and \
settings.
3. Read those line ranges against the change.

Answer with findings, the worst first: path:line, what no longer fits, what to do. Then what is missing (tests, \
documentation, a second place), then what you checked and found in order."""


def _find_cause(given: Given) -> str:
    return f"""\
Find the cause of this error in this code base:

{given["error"]}

1. Find where it is raised: {_call(given["error"].splitlines()[0], given)}; a message is found with whatever values \
were filled in, and so is a line of a stack trace. Take each line of the trace that is this code's.
2. From there search the names upwards: who calls it, with which values, and what those rely on.
3. Read the line ranges on the way; look for what makes the state that the error complains of.

Answer with where it is raised, the way that leads there (path:line each), the likeliest cause with the evidence for \
and against it, the smallest mend, and a test that would have caught it."""


PROMPTS = {
    one.name: one
    for one in (
        Prompt(
            "explain",
            "Explain how something works here",
            "How a feature, a behaviour or a name of this code base works, from entry to end, with places.",
            (Argument("topic", "What to explain, in words or by name.", required=True), PATH, LANGUAGE),
            _explain,
        ),
        Prompt(
            "where_to_change",
            "Where would I change this?",
            "The places that a change would touch, in the order of work, before anything is changed.",
            (Argument("change", "What shall be different, in words.", required=True), PATH, LANGUAGE),
            _where_to_change,
        ),
        Prompt(
            "find_usages",
            "Find all uses of a name",
            "The definition of a name and every use of it, sorted by what they do.",
            (Argument("name", "The name, qualified or not.", required=True), KIND, PATH, LANGUAGE),
            _find_usages,
        ),
        Prompt(
            "review_change",
            "Review what a change touches",
            "Callers, code made alike, tests and documentation around a change, held against it.",
            (Argument("change", "A commit, a branch, files or words; without, what is not committed yet."),),
            _review_change,
        ),
        Prompt(
            "find_cause",
            "Find the cause of an error",
            "From an error's message or stack trace to where it comes from, with evidence.",
            (Argument("error", "The message, or the stack trace.", required=True), PATH, LANGUAGE),
            _find_cause,
        ),
    )
}
