"""The page in a real browser: a reader's whole visit, by mouse, keys and fingers, and what the page did meanwhile."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.map.browser import SOURCES, browser_node, run
from tests.map.samples import page_of, project
from tests.mcp_server.samples import chunk

HOSTILE = '<img src=x onerror="alert(1)"></script><script>alert(2)</script>'
TURNED = "src/\u202egnp.exe\u202c/a#b?c d.py"
SCENES = (
    *("light", "dark", "narrow", "theme", "search", "dotted", "nothing", "keys"),
    *("mouse", "fingers", "legend", "list", "figures", "editor", "stops"),
)
PROJECT = {
    "src/harbour/load.py": [f"load_{n}" for n in range(12)],
    "src/harbour/store.py": [f"store_{n}" for n in range(9)],
    "src/tides/moon.py": [f"moon_phase_{n}" for n in range(14)],
    "tests/test_load.py": [f"test_load_{n}" for n in range(10)],
    ".github/check.py": ["check"],
    "README.md": ["Introduction", "Use"],
}
METRICS = {
    "servers": [
        {
            "pid": 41,
            "memory": {
                "server": {"private_bytes": 80 << 20, "shared_bytes": 30 << 20},
                "children": {"private_bytes": 0, "shared_bytes": 0},
            },
        }
    ],
    "services": [{"pid": 42, "private_bytes": 160 << 20, "shared_bytes": 90 << 20}],
    "totals": {
        "searches": {"all": {"count": 9, "mean_s": 0.02, "p50_s": 0.011, "p95_s": 0.05, "p99_s": 0.09}},
        "embeddings": {"query": {"count": 0, "mean_s": None, "p50_s": None, "p95_s": None, "p99_s": None}},
    },
}


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a reader met on the page of a project with names of all kinds."""
    scratch = tmp_path_factory.mktemp("tour")
    chunks = [*project(PROJECT), chunk(HOSTILE, HOSTILE, name=HOSTILE), chunk("x = 1", TURNED, 7, "\u202eemaN")]
    chunks.append(chunk("y = 1", "src/\u3164\U000e0041.py", name="\u2699\ufe0f"))
    page = scratch / "map.html"
    page.write_bytes(page_of(chunks, metrics=METRICS))
    return dict(run(browser_node(), "tour.mjs", page, scratch))


@pytest.mark.parametrize("name", SCENES)
def test_the_page_says_nothing_wrong_and_asks_for_nothing(tour: dict[str, Any], name: str) -> None:
    scene = tour[name]
    assert "failed" not in scene, scene["failed"]
    assert scene["errors"] == []
    assert {re.sub(r"^(file|data):.*", r"\1", request) for request in scene["requests"]} <= {"file", "data"}


def test_names_that_are_markup_are_shown_as_they_are_and_do_nothing(tour: dict[str, Any]) -> None:
    assert all(not tour[name].get("alerts") for name in SCENES)
    assert any(HOSTILE in place for place in tour["list"]["files"])


def test_what_would_turn_the_direction_of_a_name_is_shown_as_a_mark(tour: dict[str, Any]) -> None:
    assert "src/\ufffdgnp.exe\ufffd/a#b?c d.py" in tour["list"]["files"]
    assert "src/\ufffd\ufffd.py" in tour["list"]["files"]
    assert not any("\u202e" in place for place in tour["list"]["files"])


def test_light_and_dark_follow_the_system_and_differ(tour: dict[str, Any]) -> None:
    light, dark = tour["light"], tour["dark"]
    assert light["ground"] != dark["ground"]
    assert light["drawn"] != dark["drawn"]
    assert all(one != other for one, other in zip(light["swatches"], dark["swatches"], strict=True))


def test_a_button_goes_through_the_themes(tour: dict[str, Any]) -> None:
    grounds = dict(tour["theme"]["grounds"])
    assert list(grounds) == ["Auto", "Light", "Dark"]
    assert grounds["Auto"] == grounds["Light"] != grounds["Dark"]


@pytest.mark.parametrize("name", ["light", "narrow", "figures"])
def test_nothing_is_wider_than_the_window(tour: dict[str, Any], name: str) -> None:
    assert tour[name]["overflow"] <= 0


def test_the_legend_names_the_directories_in_colours_of_their_own(tour: dict[str, Any]) -> None:
    assert {"src/harbour/", "src/tides/", "tests/"} <= set(tour["light"]["groups"])
    assert len(set(tour["light"]["swatches"])) == len(tour["light"]["groups"])


def test_the_legend_hides_and_shows(tour: dict[str, Any]) -> None:
    legend = tour["legend"]
    assert legend["pressed"].count("false") == 1
    assert legend["changed"]
    assert legend["back"]


def test_search_finds_by_name_and_path_and_marks_what_it_finds(tour: dict[str, Any]) -> None:
    search = tour["search"]
    assert search["count"] == "12 chunks"
    assert all(re.fullmatch(r"src/harbour/load\.py:\d+", place) for place in search["rows"])
    assert search["changed"]
    assert search["focused"] == search["rows"][0]
    assert "src/harbour/load.py" in search["heard"]
    assert search["copied"] == [search["rows"][0]]
    assert search["after"] == ""


def test_a_path_that_begins_with_a_dot_is_shown_in_its_order(tour: dict[str, Any]) -> None:
    assert tour["dotted"]["place"] == ".github/check.py:1"
    assert tour["dotted"]["edges"] == sorted(tour["dotted"]["edges"])


def test_what_nothing_is_called_is_said(tour: dict[str, Any]) -> None:
    assert tour["nothing"] | {"errors": [], "requests": []} == {
        "count": "Nothing is called so.",
        "listed": 0,
        "heard": "Nothing is shown that could be gone to.",
        "errors": [],
        "requests": [],
    }


def test_keys_move_from_chunk_to_chunk_zoom_and_open(tour: dict[str, Any]) -> None:
    keys = tour["keys"]
    assert all(heard for heard in keys["heard"])
    assert len(set(keys["heard"])) > 1
    assert keys["outline"] == "solid"
    assert keys["zoomed"]
    assert keys["back"]
    assert keys["cleared"]
    assert keys["opened"][0].startswith("vscode://file/home/mara/harbour/")
    assert keys["opened"][0].endswith(keys["copied"][0].replace(" ", "%20")) or "%" in keys["opened"][0]


def test_the_mouse_shows_zooms_drags_and_opens(tour: dict[str, Any]) -> None:
    mouse = tour["mouse"]
    assert mouse["card"]
    assert mouse["zoomed"]
    assert mouse["opened"] == [mouse["link"]]
    assert len(mouse["copied"]) == 1
    assert mouse["dragged"]
    assert mouse["openedByDrag"] == 1


def test_two_fingers_enlarge_the_map_and_open_nothing(tour: dict[str, Any]) -> None:
    assert tour["fingers"]["pinched"]
    assert tour["fingers"]["opened"] == []


def test_the_list_has_every_file_and_opens_chunks(tour: dict[str, Any]) -> None:
    assert len(tour["list"]["files"]) == len(PROJECT) + 3
    assert len(tour["list"]["opened"]) == 1
    assert tour["list"]["row"]


def test_every_chart_has_its_table(tour: dict[str, Any]) -> None:
    figures = tour["figures"]
    assert figures["selected"] == "tab-figures"
    wanted = ["Coverage by tier", "Coverage by language", "Coverage by directory", "Lines a chunk", "What chunks are"]
    assert figures["titles"] == [*wanted, "Latency", "Memory"]
    assert len(figures["charts"]) == figures["tables"] == 7
    for said in ("current", "branch main", "11.0 ms", "80 MiB", "model service 42", "ended ones too"):
        assert said in figures["text"], said


def test_the_editor_is_remembered_and_addresses_are_well_formed(tour: dict[str, Any]) -> None:
    assert tour["editor"]["kept"] == "cursor"
    assert re.fullmatch(r"cursor://file/home/mara/harbour/[\w./%-]+:\d+", tour["editor"]["address"])


def test_everything_is_reached_by_the_tab_key(tour: dict[str, Any]) -> None:
    stops = tour["stops"]["stops"]
    assert {"tab-map", "editor", "theme", "query", "toggle", "canvas", "closer", "farther", "whole"} <= set(stops)


def test_a_page_without_metrics_says_so(tmp_path: Path) -> None:
    page = tmp_path / "map.html"
    page.write_bytes(page_of(project({"a.py": ["one", "two"], "b/c.py": ["three"]})))
    seen = run(browser_node(), "tour.mjs", page, tmp_path, only="figures")
    assert "without asking" in seen["figures"]["text"]
    assert seen["figures"]["errors"] == []


def test_the_pinned_list_names_exact_versions_with_hashes_and_no_addresses() -> None:
    wanted = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))
    for version in (wanted["dependencies"] | wanted.get("optionalDependencies", {})).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    locked = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all(package.get("integrity") for place, package in locked.items() if place)
    assert all("resolved" not in package for package in locked.values())
