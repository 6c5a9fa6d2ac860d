"""What can be known of a regular expression before it is tried, from the standard library's parse of it. Pure."""

from __future__ import annotations

import re
import re._constants as sre  # type: ignore[import-not-found]  # private: no stubs
import re._parser as sre_parser  # type: ignore[import-not-found]
import warnings
from dataclasses import dataclass
from typing import Any

_HARMLESS_FLAGS = sre.SRE_FLAG_IGNORECASE | sre.SRE_FLAG_UNICODE

# Characters that other characters become in lower case only sometimes, or that a match without case also equates
# with one outside ASCII (ı and i, ſ and s): no prefilter may rest on them.
_CASE_EXCEPTIONS = frozenset("iIsS")


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that every match contains, as it stands in the chunk or, ``lowered``, in the chunk's lower-case form."""

    text: str
    lowered: bool = False


def required_literal(text: str, ignore_case: bool) -> Literal | None:
    """The longest run of plain characters, two or more, that every match of the expression contains; or None."""
    tree = _parsed(text)
    if tree is None:
        return None
    lowered = ignore_case or bool(tree.state.flags & sre.SRE_FLAG_IGNORECASE)
    runs = [_usable(run) if lowered else run for run in _runs(tree)]
    best = max(runs, key=len, default="")
    return Literal(best, lowered) if len(best) >= 2 else None


def may_be_tried_on_many_lines(text: str) -> bool:
    """Whether the expression, in multi-line mode, matches somewhere in a text of which it matches a line.

    It does if it only says which characters follow each other, and between which it stands. A look at what comes next,
    or a piece that is never given back, may see more in the text than on the line, and then say no.
    """
    tree = _parsed(text)
    return tree is not None and not tree.state.flags & ~_HARMLESS_FLAGS and _is_plain(tree)


def _is_plain(tree: Any) -> bool:
    return all(_is_plain_node(code, argument) for code, argument in tree)


def _is_plain_node(code: Any, argument: Any) -> bool:
    if code is sre.SUBPATTERN:
        _, added, removed, inner = argument
        return not added and not removed and _is_plain(inner)
    if code is sre.BRANCH:
        return all(map(_is_plain, argument[1]))
    if code in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return _is_plain(argument[2])
    if code is sre.AT:
        return argument in (sre.AT_BEGINNING, sre.AT_END, sre.AT_BOUNDARY)
    return code in (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN, sre.CATEGORY)


def _parsed(text: str) -> Any:
    """The standard library's parse, or None where it refuses what ``regex`` accepts, or reads it in another way."""
    if _has_brace_extension(text):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return sre_parser.parse(text)
    except (sre.error, RecursionError, OverflowError):
        return None


def _has_brace_extension(text: str) -> bool:
    """Whether some ``{`` begins something other than a count: ``regex`` reads ``{e<=1}`` as "nearly"."""
    return re.search(r"\{(?![\d,])", text) is not None


def _runs(tree: Any) -> list[str]:
    """Runs of literal characters that stand in every match, in order."""
    runs = [""]
    for code, argument in tree:
        if code is sre.LITERAL:
            runs[-1] += chr(argument)
            continue
        runs += [*_inner_runs(code, argument), ""]
    return runs


def _inner_runs(code: Any, argument: Any) -> list[str]:
    if code is sre.SUBPATTERN:
        _, added, removed, inner = argument
        return [] if added or removed else _runs(inner)
    if code in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        least, _, inner = argument
        return _runs(inner) if least else []
    return []


def _usable(run: str) -> str:
    """The longest part of a run that a lower-case text contains whenever the run matches without case."""
    plain = "".join(char.lower() if char.isascii() and char not in _CASE_EXCEPTIONS else "\n" for char in run)
    return max(plain.split("\n"), key=len)
