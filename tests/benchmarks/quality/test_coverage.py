"""Quality while vectors are made: portions, the table, and where it falls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.quality.coverage import SHARES, falls, portions, table

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
