"""Labels say what stands where, in words of the names there."""

from __future__ import annotations

import numpy as np

from mcp_server.map.regions import LEVELS, regions
from tests.map.samples import project


def test_a_region_is_called_by_the_words_its_names_share() -> None:
    chunks = project(
        {
            "a.py": [f"parse_token_{letter}x" for letter in "abcdefghijklmnopqrstuvwxyz" * 4],
            "b.py": [f"draw_window_{letter}x" for letter in "abcdefghijklmnopqrstuvwxyz" * 4],
        }
    )
    left = np.random.default_rng(1).normal((-50, 0), 1, (104, 2))
    right = np.random.default_rng(2).normal((50, 0), 1, (104, 2))
    found = regions(np.concatenate([left, right]).astype(np.float32), chunks)
    assert found
    for region in found:
        words = {"parse", "token"} if region.x < 0 else {"draw", "window"}
        assert set(region.label.split(" · ")) <= words


def test_no_word_labels_two_regions() -> None:
    chunks = project({f"{n}.py": [f"load_{word}_{n}" for word in ("disk", "page", "user", "role")] for n in range(60)})
    places = np.random.default_rng(3).uniform(-1, 1, (len(chunks), 2)).astype(np.float32)
    words = [word for region in regions(places, chunks) for word in region.label.split(" · ")]
    assert len(words) == len(set(words))


def test_a_few_chunks_need_no_labels() -> None:
    chunks = project({"a.py": ["one", "two", "three"]})
    assert regions(np.zeros((3, 2), np.float32), chunks) == []


def test_coarse_labels_come_first() -> None:
    chunks = project(
        {f"{word}.py": [f"{word}_{n}" for n in range(60)] for word in ("disk", "page", "user", "role", "ship")}
    )
    places = np.random.default_rng(4).uniform(-1, 1, (len(chunks), 2)).astype(np.float32)
    levels = [region.level for region in regions(places, chunks)]
    assert levels == sorted(levels)
    assert max(levels, default=0) < len(LEVELS)


def test_a_region_without_telling_words_is_called_by_its_directory() -> None:
    chunks = project({f"{place}/part/f{n}.py": [""] for place in ("north", "south") for n in range(100)})
    places = np.array([(-50 if one.file_path.startswith("north") else 50, n % 7) for n, one in enumerate(chunks)])
    found = {region.label: region.x for region in regions(places.astype(np.float32), chunks)}
    assert found["north/part/"] == -50
    assert found["south/part/"] == 50
    assert all(x == (-50 if label.startswith("north/") else 50) for label, x in found.items())
