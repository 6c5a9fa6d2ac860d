"""The bridge on a project of many languages, of which Serena is told to look at one, under names beyond ASCII."""

from __future__ import annotations

import anyio
import pytest

from mcp_server.serena import CodeReferences, SerenaBridge, ServerRefusedError
from tests.e2e.wire import PATIENCE_S

pytestmark = pytest.mark.anyio


async def with_vectors(bridge: SerenaBridge, question: str) -> CodeReferences:
    """The answer once every chunk has its vector."""
    with anyio.fail_after(PATIENCE_S):
        while True:
            found = await bridge.semantic_search(question, min_similarity=-1)
            if found.worth.current and found.worth.vectors == 1:
                return found


async def test_names_beyond_ascii_are_confirmed_and_referenced(abroad: SerenaBridge) -> None:
    found = next(hit for hit in await abroad.semantic_search("länge_über_alles") if hit.confirmed)
    assert found.symbol is not None
    assert (found.relative_path, found.symbol.name_path) == ("größe/straße_1.py", "länge_über_alles")
    (use,) = await abroad.references(found)
    assert (use.relative_path, use.line) == ("größe/wert.py", 5)
    assert use.within is not None
    assert use.within.name_path == "gebühr"


async def test_meaning_has_a_floor_and_words_have_none(abroad: SerenaBridge) -> None:
    question = "reading of the gauge"
    every = await with_vectors(abroad, question)
    assert any("vector" in hit.found_by for hit in every)
    strict = await abroad.semantic_search(question, min_similarity=0.99)
    assert strict
    assert not any(hit.by_meaning for hit in strict)
    assert await abroad.semantic_search(question, min_similarity=0.99, mode="semantic") == []


async def test_a_file_that_no_language_server_looks_at_is_found_and_says_so(abroad: SerenaBridge) -> None:
    found = await abroad.semantic_search("emergencyStop crane", limit=20)
    crane = next(hit for hit in found if hit.relative_path == "crane/Crane.java")
    assert "not under language_servers in the project's .serena/project.yml" in crane.unconfirmed
    assert [note for note in found.notes if note == crane.unconfirmed] == [crane.unconfirmed]
    with pytest.raises(ServerRefusedError, match="no symbol for this hit"):
        await abroad.references(crane)


async def test_uses_are_told_by_text_where_serena_knows_no_definition(abroad: SerenaBridge) -> None:
    found = await abroad.find_usage_patterns("func (b *TokenBucket) Allow() bool")
    assert any("have Allow( in their text" in note for note in found.notes)
    lines = [usage.text.strip() for pattern in found.patterns for usage in pattern.usages]
    assert not any(line.startswith("func ") for line in lines)


async def test_a_function_in_a_chunk_of_another_name_is_found_by_serena_s_symbols(abroad: SerenaBridge) -> None:
    found = await abroad.find_usage_patterns("def smoothed(self) -> float:")
    assert [one.symbol.name_path for one in found.definitions if one.symbol] == ["TideGauge/smoothed"]
