"""The estimate of tokens, held against true counts of two public vocabularies."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.answers.tokens import estimated_tokens, token_cost

HARBOUR = Path(__file__).parents[2] / "e2e" / "harbour"
# Tokens of the invented project's files in o200k and in cl100k, counted with the vocabularies in npm's js-tiktoken 1.0.
TRUE = {
    "README.md": (70, 70),
    "berths/fees.py": (122, 123),
    "berths/planner.py": (317, 324),
    "berths/repository.py": (117, 118),
    "buoys/drift.rs": (146, 147),
    "buoys/parser.rs": (218, 221),
    "cargo/Reefer.kt": (91, 92),
    "cargo/customs.php": (122, 122),
    "cargo/ledger.sql": (48, 48),
    "cargo/manifest.rb": (102, 104),
    "cargo/stowage.lua": (61, 61),
    "crane/Crane.java": (150, 149),
    "crane/CraneController.cs": (142, 144),
    "crane/balance.cpp": (97, 98),
    "crane/brake.c": (95, 92),
    "deploy/compose.yaml": (46, 46),
    "deploy/harbour.toml": (44, 44),
    "deploy/limits.json": (38, 39),
    "docs/incidents.md": (56, 56),
    "docs/pilotage.md": (62, 64),
    "gateway/limiter.go": (133, 136),
    "gateway/main.go": (103, 101),
    "gateway/watch.go": (129, 127),
    "scripts/backup.sh": (71, 70),
    "scripts/start.sh": (76, 76),
    "tides/forecast.py": (261, 263),
    "tides/gauge.py": (179, 178),
    "web/FogHorn.tsx": (98, 95),
    "web/board.css": (39, 39),
    "web/board.ts": (142, 140),
    "web/retry.ts": (129, 128),
    "web/session.js": (80, 79),
}


def text_of(name: str) -> str:
    return (HARBOUR / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TRUE)
def test_a_file_of_any_language_is_estimated_within_a_quarter(name: str) -> None:
    assert 0.94 * max(TRUE[name]) <= estimated_tokens(text_of(name)) <= 1.25 * min(TRUE[name])


def test_many_files_together_are_estimated_a_little_above_the_truth() -> None:
    estimate = sum(token_cost(text_of(name)) for name in TRUE)
    for vocabulary in (0, 1):
        truth = sum(counts[vocabulary] for counts in TRUE.values())
        assert 1.03 * truth < estimate < 1.12 * truth


def test_nothing_costs_nothing_and_a_word_costs_one_or_two() -> None:
    assert estimated_tokens("") == 0
    assert estimated_tokens("return") <= 2


@given(st.lists(st.text(st.characters(exclude_characters="\n")), max_size=20))
def test_the_lines_of_a_text_cost_about_what_the_text_costs(lines: list[str]) -> None:
    whole = token_cost("".join(f"{line}\n" for line in lines))
    parts = sum(token_cost(f"{line}\n") for line in lines)
    assert whole <= parts + 1e-6


@given(st.text())
def test_every_text_has_a_price(text: str) -> None:
    assert estimated_tokens(text) >= (1 if text else 0)
    assert estimated_tokens(text) <= 2 * len(text.encode()) + 1
