"""Patterns against lines, and the literals that spare reading."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import InvalidPatternError
from storage.expressions import Literal, may_be_tried_on_many_lines, required_literal
from storage.matching import compile_pattern
from storage.store import Pattern


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("parseConfig", "parseConfig"),
        (r"def\s+parse_\w+\(", "parse_"),
        (r"(foo|bar)baz", "baz"),
        (r"x*abc+de?", "ab"),
        (r"(?:abc){2,}d", "abc"),
        (r"(?:abc)?d", None),
        (r"a|b", None),
        (r"\d+", None),
        (r"(abc{e<=1})", None),
        (r"(?i:abc)d", None),
        (r"[abc]", None),
        (r"\bself\.name\b", "self.name"),
        (r"(?=abc)x", None),
        (r"\p{Lu}abc", None),
        ("(", None),
    ],
)
def test_the_longest_certain_literal_is_read_off_an_expression(text: str, literal: str | None) -> None:
    assert required_literal(text, ignore_case=False) == (Literal(literal) if literal else None)


@pytest.mark.parametrize(
    ("text", "literal"), [("ParseConfig", "econf"), ("(?i)ABC", "abc"), ("sssIII", None), ("Größe", "gr")]
)
def test_without_case_a_literal_keeps_to_letters_with_one_form(text: str, literal: str | None) -> None:
    found = required_literal(text, ignore_case="(?i)" not in text)
    assert found == (Literal(literal, lowered=True) if literal else None)


ATOMS = st.sampled_from(["a", "b", "ab", ".", r"\w", "[ab]", "(ab|b)", "(?:a|)", r"\b", "^", "$", "é", "S", "ß", "i"])
EXPRESSIONS = st.lists(
    st.tuples(ATOMS, st.sampled_from(["", "*", "+", "?", "{2}", "{0,1}", "*?"])), min_size=1, max_size=6
).map(lambda parts: "".join(atom if atom in ("^", "$", r"\b") else f"(?:{atom}){count}" for atom, count in parts))


@settings(max_examples=500, deadline=None)
@given(EXPRESSIONS, st.text(alphabet="abABéÉsSſßiIıİ ", max_size=12), st.booleans())
def test_every_matching_text_contains_the_literal(text: str, content: str, ignore_case: bool) -> None:
    literal = required_literal(text, ignore_case)
    if literal is None or not regex.search(text, content, regex.IGNORECASE if ignore_case else 0):
        return
    assert literal.text in (content.lower() if literal.lowered else content)


@pytest.mark.parametrize(
    ("text", "together"),
    [
        (r"^def \w+$", True),
        (r"a|(b\b)+?", True),
        (r"a(?=b)", False),
        (r"\Aa", False),
        (r"a++", False),
        (r"(?s)a.b", False),
        (r"\p{Lu}", False),
        (r"(?i)a", True),
        (r"\Ba", False),
        (r"(?>a)", False),
    ],
)
def test_only_expressions_of_plain_steps_are_tried_on_many_lines(text: str, together: bool) -> None:
    assert may_be_tried_on_many_lines(text) == together


MORE_ATOMS = st.sampled_from(["a", "b", ".", r"\w", r"\s", "[^a]", "(a|b)", r"\b", "^", "$", r"\W"])


@settings(max_examples=500, deadline=None)
@given(
    st.lists(st.tuples(MORE_ATOMS, st.sampled_from(["", "*", "+", "?", "{2}", "*?"])), min_size=1, max_size=6).map(
        lambda parts: "".join(atom if atom in ("^", "$", r"\b") else f"(?:{atom}){count}" for atom, count in parts)
    ),
    st.text(alphabet="ab \n", max_size=20),
)
def test_lines_are_those_that_match_by_themselves(text: str, content: str) -> None:
    expected = [at for at, line in enumerate(content.split("\n")) if regex.search(text, line)]
    assert list(compile_pattern(Pattern(text, is_regex=True)).offsets(content)) == expected


@given(st.text(max_size=30))
@settings(max_examples=500, deadline=None)
def test_any_text_as_an_expression_compiles_or_is_refused(text: str) -> None:
    try:
        matcher = compile_pattern(Pattern(text, is_regex=True))
    except InvalidPatternError:
        return
    list(matcher.offsets("some text\nof two lines"))


@given(st.text(alphabet="ab\n", min_size=1, max_size=4), st.text(alphabet="ab\n", max_size=30))
def test_exact_lines_are_those_that_a_naive_search_names(needle: str, content: str) -> None:
    expected = {
        line
        for at in range(len(content))
        if content.startswith(needle, at)
        for line in range(content.count("\n", 0, at), content.count("\n", 0, at + len(needle)) + 1)
    }
    assert list(compile_pattern(Pattern(needle, is_regex=False)).offsets(content)) == sorted(expected)


def test_the_place_of_the_mistake_is_in_the_error() -> None:
    with pytest.raises(InvalidPatternError, match="position 3"):
        compile_pattern(Pattern("abc)", is_regex=True))
