"""Quality while vectors are made: portions, the table, and where it falls."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.quality.coverage import ORDERS, SHARES, falls, portions, table

DOCS = Path(__file__).resolve().parents[3] / "docs"


def measured(random: dict[str, float]) -> dict[str, Any]:
    orders = {
        "": {"text": 0.5, "text + sketch": 0.6, "asked again": 0.1},
        "refining": {"10 %": 0.6, "25 %": 0.6, "50 %": 0.7, "100 %": 0.8},
        "random": random,
    }
    return {"functions": {"hidden": orders, "ndcg": orders}}


def test_each_portion_adds_what_is_missing_to_its_share() -> None:
    found = dict(portions([str(number) for number in range(40)]))
    assert [len(ids) for ids in found.values()] == [4, 6, 10, 20]
    assert [one for ids in found.values() for one in ids] == [str(number) for number in range(40)]
    assert list(found) == list(SHARES[1:])


def test_shares_of_a_few_chunks_that_add_none_are_left_out() -> None:
    assert [share for share, _ in portions(["a", "b"])] == [50, 100]


def test_the_table_has_a_line_for_each_set_and_kind_and_order() -> None:
    lines = table(measured({"10 %": 0.55, "100 %": 0.8})).splitlines()
    assert lines[2] == "| functions | refining | 0.500 | 0.600 | 0.100 | 0.600 | 0.600 | 0.700 | 0.800 |"
    assert lines[3] == "| functions | random | 0.500 | 0.600 | 0.100 | 0.550 |  |  | 0.800 |"
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["functions"] * 2 + ["functions, hidden"] * 2


def test_a_fall_is_told_and_noise_is_not() -> None:
    assert falls(measured({"10 %": 0.599, "25 %": 0.7, "50 %": 0.65, "100 %": 0.8})) == [
        "functions, random: 0.700 with 25 %, 0.650 with 50 %"
    ]


def test_the_page_shows_the_figures_of_the_file() -> None:
    kept = json.loads((DOCS / "coverage.json").read_text(encoding="utf-8"))
    assert table(kept) in (DOCS / "quality.md").read_text(encoding="utf-8")


def test_answers_get_better_on_the_way_from_words_to_vectors() -> None:
    kept = json.loads((DOCS / "coverage.json").read_text(encoding="utf-8"))
    for kinds in kept.values():
        for order in ORDERS:
            stages = {**kinds["ndcg"][""], **kinds["ndcg"][order]}
            ends = [stages[name] for name in ("text", "text + sketch", "100 %")]
            assert all(first <= second for first, second in pairwise(ends))
