"""The page is one file that asks for nothing and runs nothing but its own script."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from importlib.resources import files
from typing import Any

import numpy as np
import pytest

from mcp_server.map import page as page_module
from mcp_server.map.page import SCRIPTS
from mcp_server.map.payload import EXCERPT_CHARS, MOST_EXCERPTS
from mcp_server.map.survey import Placed
from tests.map.samples import page_of, placed, project
from tests.mcp_server.samples import chunk

HOSTILE = "</script><script>alert(1)</script>"
SMALL = {"src/a.py": ["load", "store"], "tests/test_a.py": ["test_load"], "notes.txt": [""]}


def content(page: bytes) -> dict[str, Any]:
    """What the page's script will read."""
    data = re.search(rb'<script type="application/octet-stream" id="data">([^<]*)</script>', page)
    assert data
    return dict(json.loads(gzip.decompress(base64.b64decode(data[1]))))


def test_the_page_knows_every_chunk() -> None:
    found = content(page_of(project(SMALL)))
    assert found["files"] == [["notes.txt", 0, 1], ["src/a.py", 1, 2], ["tests/test_a.py", 2, 1]]
    assert found["called"] == ["", "load", "store", "test_load"]
    assert found["first"] == [1, 1, 11, 1]
    assert found["code"][1] == "def load():\n    return 0"
    assert len(found["x"]) == len(found["y"]) == 4


def test_places_keep_their_proportions_on_the_grid() -> None:
    chunks = project({"a.py": ["a", "b", "c"]})
    where = Placed(np.array([[-5, 0], [5, 0], [0, 2.5]], np.float32), "")
    found = content(page_of(chunks, where))
    assert list(zip(found["x"], found["y"], strict=True)) == [(0, 0), (65535, 0), (32768, 16384)]


def test_a_page_of_one_chunk_is_a_page() -> None:
    assert content(page_of(project({"a.py": ["only"]})))["x"] == [0]


def test_nothing_from_the_project_stands_in_the_page_as_text() -> None:
    page = page_of([chunk(HOSTILE, HOSTILE, name=HOSTILE, kind="function")])
    assert b"alert(1)" not in page
    assert page.lower().count(b"<script") == page_of(project(SMALL)).lower().count(b"<script") == 2
    assert content(page)["called"] == [HOSTILE]


def test_names_of_odd_characters_survive() -> None:
    odd = "cafe\u0301/\u202egpj.py"
    assert content(page_of([chunk("x = 1", odd, name="\u0000\u2028")]))["files"][0][0] == odd


def test_the_policy_lets_the_browser_run_the_pages_own_script_and_style_alone() -> None:
    page = page_of(project(SMALL)).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    for tag, directive in (("style", "style-src"), ('script type="module"', "script-src")):
        text = re.search(rf"<{tag}>(.*?)</{tag.split()[0]}>", page, re.DOTALL)
        assert text
        digest = base64.b64encode(hashlib.sha256(text[1].encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy[1]
    assert policy[1].startswith("default-src 'none'; ")
    assert "connect-src" not in policy[1]


def test_the_page_names_no_address() -> None:
    parts = (files(page_module.__package__) / "page").iterdir()
    for part in parts:
        text = part.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(
            r"https?://|@import|(?<!\.)url\(|fetch\(|XMLHttpRequest|WebSocket|innerHTML|eval\(", text
        ), part.name


def test_every_script_of_the_page_is_in_it_and_ends_no_element() -> None:
    there = {part.name for part in (files(page_module.__package__) / "page").iterdir()}
    assert there == {"page.html", "page.css", *SCRIPTS}
    for name in there - {"page.html"}:
        assert "</" not in (files(page_module.__package__) / "page" / name).read_text(encoding="utf-8")


def test_the_first_lines_of_many_chunks_are_shorter() -> None:
    long = "value = " + "x" * 3000
    few = [chunk(long, f"{n}.py", index=n) for n in range(3)]
    many = [chunk(long, f"{n:05}.py", index=n) for n in range(20_000)]
    assert {len(code) for code in content(page_of(few))["code"]} == {EXCERPT_CHARS}
    assert sum(map(len, content(page_of(many))["code"])) <= MOST_EXCERPTS


def test_shared_indentation_and_blank_lines_are_left_out_of_first_lines() -> None:
    body = "\n    def inner():\n\n        return 1\n"
    assert content(page_of([chunk(body)]))["code"] == ["def inner():\n    return 1"]


def test_the_figures_say_what_is_covered() -> None:
    figures = content(page_of(project(SMALL)))["figures"]
    assert [(tier["name"], tier["have"], tier["of"]) for tier in figures["tiers"]] == [
        ("text", 3, 3),
        ("sketches", 4, 4),
        ("vectors", 2, 4),
    ]
    assert {row["name"]: row["chunks"] for row in figures["languages"]} == {"python": 3, "text": 1}
    assert {row["name"]: row["chunks"] for row in figures["directories"]} == {"src/": 2, "tests/": 1, "": 1}
    assert sum(count for _, count in figures["lines"]) == 4
    assert figures["freshness"]["state"] == "current"
    assert figures["metrics"] is None


def test_of_other_projects_a_page_that_is_given_away_says_nothing() -> None:
    times = {"count": 1, "mean_s": 1, "p50_s": 1, "p95_s": 1, "p99_s": 1, "buckets": [[None, 1]]}
    memory = {"server": {"private_bytes": 1, "shared_bytes": 1}, "children": {"private_bytes": 0, "shared_bytes": 0}}
    metrics = {
        "servers": [{"pid": 1, "metrics_port": 9, "roots": [{"name": "secret-client"}], "memory": memory}],
        "services": [{"pid": 2, "private_bytes": 1, "shared_bytes": 1, "model": "/home/mara/own.gguf"}],
        "totals": {"searches": {"all": times}, "errors": {"tool: refused": 1}},
    }
    known = content(page_of(project(SMALL), metrics=metrics))["figures"]["metrics"]
    assert known["servers"] == [{"pid": 1, "memory": memory}]
    assert known["services"] == [{"pid": 2, "private_bytes": 1, "shared_bytes": 1}]
    assert known["totals"]["searches"]["all"] == {name: 1 for name in times if name != "buckets"}
    assert "errors" not in known["totals"]


@pytest.mark.parametrize(
    ("lines", "range_"), [(1, "1-5"), (5, "1-5"), (6, "6-10"), (160, "81-160"), (4000, "161 or more")]
)
def test_chunks_are_counted_by_their_lines(lines: int, range_: str) -> None:
    figures = content(page_of([chunk("\n".join(["x"] * lines))]))["figures"]
    assert dict(figures["lines"])[range_] == 1


def test_the_page_of_twenty_thousand_chunks_takes_two_megabytes_at_most() -> None:
    chunks = project({f"src/part{n % 50}/file{n}.py": [f"make_{n}_{k}" for k in range(20)] for n in range(1000)})
    assert len(page_of(chunks, placed(chunks))) < 2_000_000
