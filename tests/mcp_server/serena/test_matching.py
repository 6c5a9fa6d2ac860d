"""Which symbol of a file a hit belongs to."""

from __future__ import annotations

import pytest

from mcp_server.serena.matching import Place, match, simple_name
from mcp_server.serena.nouns import Lines, Symbol


def symbols(*written: tuple[str, int, int]) -> list[Symbol]:
    return [Symbol("a.py", name_path, "Function", Lines(first, last)) for name_path, first, last in written]


PLANNER = symbols(("Ship", 6, 10), ("Planner", 17, 40), ("Planner/__init__", 20, 22), ("Planner/allocate", 24, 36))


def found(name_path: str, first: int, last: int, among: list[Symbol], *, unmoved: bool = True) -> tuple[str, str]:
    matched = match(Place(name_path, Lines(first, last), unmoved), among)
    return (matched.symbol.name_path if matched.symbol else "", matched.by)


def reason(name_path: str, first: int, last: int, among: list[Symbol], *, unmoved: bool = True) -> str:
    matched = match(Place(name_path, Lines(first, last), unmoved), among)
    assert matched.symbol is None
    return matched.reason


def test_a_name_path_is_enough_wherever_the_symbol_has_moved() -> None:
    assert found("Planner/allocate", 124, 136, PLANNER, unmoved=False) == ("Planner/allocate", "name")


def test_a_part_of_a_long_function_is_that_function() -> None:
    assert found("Planner/allocate", 30, 33, PLANNER) == ("Planner/allocate", "name")


def test_of_overloads_the_one_at_the_lines_of_the_hit_is_taken() -> None:
    overloads = symbols(("Pipe/send[0]", 3, 8), ("Pipe/send[1]", 10, 20), ("Pipe/send[2]", 22, 30))
    assert found("Pipe/send", 10, 20, overloads) == ("Pipe/send[1]", "name")
    assert found("Pipe/send", 24, 26, overloads) == ("Pipe/send[2]", "name")


def test_of_overloads_that_moved_the_nearest_is_taken() -> None:
    overloads = symbols(("send[0]", 3, 8), ("send[1]", 60, 70))
    assert found("send", 40, 50, overloads, unmoved=False) == ("send[1]", "name")


@pytest.mark.parametrize(
    ("name_path", "written"),
    [
        ("Server/Start", "(*Server).Start"),
        ("Phoenix.Channel/push", "Phoenix.Channel/def push(socket, event, message)"),
        ("create_user", "create_user#4"),
        ("Cage/lift", "Cage<T extends Load>/lift<U>(load: U)"),
        ("Acme/Tools/Saw/cut", "Saw/cut"),
        ("M/search", "M.search"),
        ("Buoy/drift", "impl Buoy/drift"),
        ("empty?", "empty?"),
    ],
)
def test_a_name_that_is_written_differently_is_told_by_its_lines(name_path: str, written: str) -> None:
    assert found(name_path, 12, 18, symbols(("Other", 1, 9), (written, 11, 19))) == (written, "name")


def test_a_name_written_differently_elsewhere_in_the_file_is_not_taken() -> None:
    among = symbols(("(*Server).Start", 50, 60))
    assert "no symbol Server/Start" in reason("Server/Start", 12, 18, among)


def test_code_without_a_name_belongs_to_the_innermost_symbol_around_it() -> None:
    assert found("", 28, 30, PLANNER) == ("Planner/allocate", "position")
    assert found("", 37, 39, PLANNER) == ("Planner", "position")


def test_of_two_symbols_at_the_same_lines_the_inner_one_is_taken() -> None:
    assert found("", 5, 6, symbols(("Outer", 5, 6), ("Outer/inner", 5, 6))) == ("Outer/inner", "position")


def test_a_name_unknown_to_the_language_server_is_found_in_what_is_around_it() -> None:
    assert found("Planner/allocate/nested", 30, 33, PLANNER) == ("Planner/allocate", "position")


def test_a_place_in_a_changed_file_makes_no_hit_somebody_else_s() -> None:
    assert "changed since" in reason("", 28, 30, PLANNER, unmoved=False)
    assert "changed since" in reason("Planner/gone", 24, 36, PLANNER, unmoved=False)


def test_a_named_hit_is_not_the_symbol_of_another_name_around_it() -> None:
    assert reason("Cargo", 30, 33, PLANNER) == "Serena knows lines 30-33 as Planner/allocate, not as Cargo."


def test_what_stands_between_definitions_says_so() -> None:
    assert reason("", 1, 4, PLANNER) == "No symbol is around lines 1-4: they stand between definitions."
    assert "no symbol CONSTANT" in reason("CONSTANT", 1, 4, PLANNER)


def test_a_hit_that_reaches_beyond_a_symbol_is_not_in_it() -> None:
    assert found("", 8, 22, PLANNER) == ("", "")
    assert found("", 19, 30, PLANNER) == ("Planner", "position")


def test_a_file_without_symbols_confirms_nothing() -> None:
    assert "no symbol Ship" in reason("Ship", 6, 10, [])


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("Class/method[3]", "method"),
        ("operator==", "operator"),
        ("+", "+"),
        ("größe", "größe"),
        ("save!", "save!"),
        ("Map<K, List<V>>", "Map"),
    ],
)
def test_the_bare_name_of_what_a_language_server_writes(written: str, bare: str) -> None:
    assert simple_name(written) == bare
