"""Names beside a picture, and what the page of figures shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.quality.compare import table
from benchmarks.quality.plots import LOOKS, spread

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_names_keep_their_order_and_their_distance() -> None:
    placed = spread([0.5, 0.9, 0.52, 0.1], 0.1)
    assert placed == pytest.approx([0.42, 0.9, 0.52, 0.1])
    assert spread([0.9, 0.9, 0.9], 0.1) == pytest.approx([0.9, 0.8, 0.7])
    assert spread([], 0.1) == []


def test_the_page_shows_the_figures_of_the_file_and_no_others() -> None:
    page = (DOCS / "quality.md").read_text(encoding="utf-8")
    for part, programs in json.loads((DOCS / "quality.json").read_text(encoding="utf-8")).items():
        assert table(programs) in page, f"docs/quality.md has not the table of {part}: run benchmarks.quality compare"
        assert set(programs) <= set(LOOKS), "a program without a look is in no picture"


@pytest.mark.parametrize("name", ["quality-time", "quality-tokens", "quality-coverage"])
def test_a_picture_is_small_and_on_the_page(name: str) -> None:
    assert (DOCS / "pictures" / f"{name}.png").stat().st_size < 150_000
    assert f"pictures/{name}.png" in (DOCS / "quality.md").read_text(encoding="utf-8")
