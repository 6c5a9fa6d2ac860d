"""Serena's answers as symbols and usages."""

from __future__ import annotations

import json

import pytest

from mcp_server.serena.errors import ServerRefusedError
from mcp_server.serena.nouns import Lines, Symbol
from mcp_server.serena.serena_json import posix, symbols_of, usages_of

TREE = json.dumps(
    [
        {"name_path": "planner.py", "kind": "File", "body_location": {"start_line": 0, "end_line": 40}, "children": {}},
        {
            "name_path": "Planner",
            "kind": "Class",
            "relative_path": "berths/planner.py",
            "body_location": {"start_line": 16, "end_line": 39},
            "children": {
                "Method": [
                    {
                        "name": "size",
                        "body_location": {"start_line": 24, "end_line": 26},
                        "children": {"Variable": [{"name": "x", "body_location": {"start_line": 25, "end_line": 25}}]},
                    },
                    {"name": "size", "body_location": {"start_line": 20, "end_line": 22}},
                ],
                "Constant": ["without a place"],
            },
        },
    ]
)


def test_a_tree_is_read_outer_before_inner_with_lines_from_one() -> None:
    assert symbols_of(TREE, "berths/planner.py") == (
        Symbol("berths/planner.py", "Planner", "Class", Lines(17, 40)),
        Symbol("berths/planner.py", "Planner/size[0]", "Method", Lines(21, 23)),
        Symbol("berths/planner.py", "Planner/size[1]", "Method", Lines(25, 27)),
        Symbol("berths/planner.py", "Planner/size[1]/x", "Variable", Lines(26, 26)),
    )


def test_a_file_without_symbols_is_an_empty_tree() -> None:
    assert symbols_of("[]", "a.py") == ()
    assert symbols_of("{}", "a.py") == ()


def test_children_that_are_not_grouped_are_read_as_well() -> None:
    child = {"name": "run", "kind": "Method", "body_location": {"start_line": 1, "end_line": 2}}
    tree = [{"name_path": "A", "kind": "Class", "body_location": {"start_line": 0, "end_line": 3}, "children": [child]}]
    assert [(one.name_path, one.kind) for one in symbols_of(json.dumps(tree), "a.py")] == [
        ("A", "Class"),
        ("A/run", "Method"),
    ]


@pytest.mark.parametrize("answer", ["The answer is too long (900000 characters).", "", "42 is not", '{"a": 1}'])
def test_an_answer_that_is_no_tree_is_refused_with_its_words(answer: str) -> None:
    with pytest.raises(ServerRefusedError):
        symbols_of(answer, "a.py")


def used(around: str, path: str = "gates\\lock.py", kind: str = "Method") -> str:
    item = {
        "name_path": "Lock/open",
        "body_location": {"start_line": 6, "end_line": 11},
        "content_around_reference": around,
    }
    return json.dumps({path: {kind: [item]}})


AROUND = "...   8:    def open(self):\n  >   9:        planner.allocate(ship)\n...  10:        return"


def test_a_usage_has_the_line_of_the_reference_and_who_uses() -> None:
    (usage,) = usages_of(used(AROUND), windows=True)
    assert (usage.relative_path, usage.line) == ("gates/lock.py", 10)
    assert usage.within == Symbol("gates/lock.py", "Lock/open", "Method", Lines(7, 12))


def test_a_use_outside_of_all_symbols_is_of_the_file_alone() -> None:
    (usage,) = usages_of(used(AROUND, "lock.py", "File"))
    assert usage.within is None
    assert usage.line == 10


def test_a_use_without_its_lines_keeps_the_symbol() -> None:
    (usage,) = usages_of(used("", "lock.py"))
    assert usage.line == 0
    assert usage.within is not None


def test_a_backslash_separates_on_windows_and_is_a_letter_elsewhere() -> None:
    assert posix("häfen\\kai 1\\größe.py", windows=True) == "häfen/kai 1/größe.py"
    assert posix("odd\\name.py", windows=False) == "odd\\name.py"


@pytest.mark.parametrize(
    "answer",
    [
        "[1]",
        '[{"name_path": "a", "body_location": [1]}]',
        '[{"name_path": "a", "children": {"Class": 3}}]',
        '[{"name_path": "a", "children": 7}]',
        "[" * 100_000,
    ],
)
def test_symbols_in_another_form_are_refused_with_the_version_to_install(answer: str) -> None:
    with pytest.raises(ServerRefusedError, match=r"another form than expected .* install that version"):
        symbols_of(answer, "a.py")


@pytest.mark.parametrize("answer", ['{"a.py": 3}', '{"a.py": {"Class": null}}', '{"a.py": [{"body_location": "x"}]}'])
def test_usages_in_another_form_are_refused_with_the_version_to_install(answer: str) -> None:
    with pytest.raises(ServerRefusedError, match=r"another form than expected .* install that version"):
        usages_of(answer)


@pytest.mark.parametrize(("first", "last"), [(-5, -2), (7, 3), (True, None)])
def test_a_symbol_at_lines_that_are_none_is_passed_over(first: int, last: int) -> None:
    place = {"start_line": first, "end_line": last}
    assert symbols_of(json.dumps([{"name_path": "a", "kind": "Class", "body_location": place}]), "a.py") == ()
