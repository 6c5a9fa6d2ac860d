"""The bridge between the real Serena and the real server, on real code: what is found, confirmed and used where."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from mcp_server.serena import CodeReference, Lines, SerenaBridge, ServerRefusedError

pytestmark = pytest.mark.anyio

DEFINED = ("function", "method", "class")
QUESTIONS = [
    "which rows may be shown after damage",
    "one writer at a time holds the lock",
    "reciprocal fusion of several rankings",
    "split an identifier into its words",
    "plan an approximate index for vectors",
    "compile a regular expression with a deadline",
]


def definitions(path: Path) -> list[tuple[str, Lines]]:
    """Every class and function of a file, its name path and lines: the word of Python's own parser."""
    found: list[tuple[str, Lines]] = []

    def walk(node: ast.AST, parents: tuple[str, ...]) -> None:
        for child in ast.iter_child_nodes(node):
            inner = parents
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                assert child.end_lineno is not None
                inner = (*parents, child.name)
                first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
                found.append(("/".join(inner), Lines(first, child.end_lineno)))
            walk(child, inner)

    walk(ast.parse(path.read_text(encoding="utf-8")), ())
    return found


def uses(project: Path, name: str) -> Iterator[tuple[str, int]]:
    """Where Python's own parser sees a name used; imports and the definition are no uses."""
    for path in project.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name) and node.id == name:
                yield path.relative_to(project).as_posix(), node.lineno


def without_number(name_path: str) -> str:
    return re.sub(r"\[\d+\]", "", name_path)


@pytest.mark.parametrize("question", QUESTIONS)
async def test_a_definition_that_is_found_is_the_symbol_that_python_has_there(
    bridge: SerenaBridge, question: str
) -> None:
    hits = [hit for hit in await bridge.semantic_search(question, limit=20) if hit.kind in DEFINED]
    assert len(hits) >= 5
    for hit in hits:
        assert hit.symbol is not None, hit.unconfirmed
        assert (hit.matched_by, without_number(hit.symbol.name_path)) == ("name", hit.name_path)
        known = dict.fromkeys(
            lines for name, lines in definitions(bridge.project / hit.relative_path) if name == hit.name_path
        )
        assert any(lines.shared_with(hit.symbol.lines) and lines.last == hit.symbol.lines.last for lines in known)


async def test_what_has_no_name_is_in_the_definition_around_it_or_between_definitions(bridge: SerenaBridge) -> None:
    hits = [hit for question in QUESTIONS for hit in await bridge.semantic_search(question, limit=40)]
    loose = [hit for hit in hits if not hit.name_path and hit.relative_path.endswith(".py")]
    assert loose
    for hit in loose:
        around = [name for name, lines in definitions(bridge.project / hit.relative_path) if hit.lines in lines]
        if hit.symbol is None:
            assert "between definitions" in hit.unconfirmed
            assert not around
        else:
            assert hit.matched_by == "position"
            assert hit.lines in hit.symbol.lines


async def test_references_are_all_places_that_use_a_symbol_and_no_other(bridge: SerenaBridge) -> None:
    found = next(hit for hit in await bridge.semantic_search("with_context") if hit.name_path == "with_context")
    places = await bridge.references(found)
    assert sorted((use.relative_path, use.line) for use in places) == sorted(uses(bridge.project, "with_context"))
    assert "Chunk/embedding_text" in {use.within.name_path for use in places if use.within}


async def test_a_method_is_referenced_through_its_objects(bridge: SerenaBridge) -> None:
    hits = await bridge.semantic_search("ChunkStore.find_sketch")
    found = next(hit for hit in hits if hit.name_path.endswith("/find_sketch") and hit.confirmed)
    assert [use for use in await bridge.references(found) if "find_sketch(" in use.text]


async def test_patterns_of_usage_count_every_use_by_its_shape(bridge: SerenaBridge) -> None:
    found = await bridge.find_usage_patterns("def with_context(context: str, content: str) -> str:")
    assert [one.symbol.name_path for one in found.definitions if one.symbol] == ["with_context"]
    expected = len(list(uses(bridge.project, "with_context")))
    assert [(one.shape, len(one.usages)) for one in found.patterns] == [("with_context(…, …)", expected)]


async def test_a_field_of_the_same_name_is_no_definition_of_a_function(bridge: SerenaBridge) -> None:
    found = await bridge.find_usage_patterns("def content_hash(content: str) -> str:")
    assert [(one.symbol.name_path, one.symbol.kind) for one in found.definitions if one.symbol] == [
        ("content_hash", "Function")
    ]
    assert found.notes == found.worth.notes


async def test_a_function_that_is_handed_over_has_a_pattern_of_its_own(bridge: SerenaBridge) -> None:
    found = await bridge.find_usage_patterns("_text_leg(store, query, depth)")
    assert [one.shape for one in found.patterns] == ["_text_leg"]


async def test_what_the_index_says_of_itself_is_carried_along(bridge: SerenaBridge) -> None:
    found = await bridge.semantic_search("lock")
    assert (found.worth.text, found.worth.vectors) == (1, 0)
    assert any("meaning is rough, by sketches" in note for note in found.notes)


async def test_a_search_that_codeloupe_refuses_is_refused_in_its_words(bridge: SerenaBridge) -> None:
    with pytest.raises(ServerRefusedError, match="query is empty"):
        await bridge.semantic_search("  ")
    with pytest.raises(ServerRefusedError, match="it is a cosine"):
        await bridge.semantic_search("lock", min_similarity=7)


async def test_searches_at_the_same_time_do_not_disturb_each_other(bridge: SerenaBridge) -> None:
    alone = {question: list(await bridge.semantic_search(question)) for question in QUESTIONS}
    together: dict[str, list[CodeReference]] = {}

    async def ask(question: str) -> None:
        together[question] = list(await bridge.semantic_search(question))

    async with anyio.create_task_group() as tasks:
        for question in QUESTIONS:
            tasks.start_soon(ask, question)
    assert together == alone
