"""What a served project's answers know of its files: by themselves, soon, and said."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.e2e.homes import FILES, Home, Launch
from tests.e2e.processes import INDEXER, assert_gone, eventually, family, running
from tests.e2e.wire import Wire
from tests.indexer.trees import git


def status(wire: Wire) -> dict[str, Any]:
    root: dict[str, Any] = wire.result("status", {"format": "json"})["structuredContent"]["roots"][0]
    return root


def current(wire: Wire, files: int) -> bool:
    """By the status alone, which starts nothing."""
    now = status(wire)
    return (now["state"], now["files"], now["changed_files"]) == ("current", files, 0)


def hits(wire: Wire, text: str) -> list[str]:
    answer = wire.result("search", {"query": text, "mode": "exact", "format": "json"})["structuredContent"]
    return [hit["file_path"] for hit in answer["hits"]]


def listening(wire: Wire) -> None:
    eventually(lambda: status(wire)["watching"].endswith("directories"), "the server listens to the directory")


def test_what_is_saved_deleted_or_ignored_is_taken_up_though_nobody_searches(
    home: Home, harbour: Path, log: Path
) -> None:
    with Wire(Launch(home, (harbour,)), log) as wire:
        wire.text("index", {"wait": True})
        listening(wire)
        eventually(lambda: current(wire, FILES), "the index is current")
        (harbour / "tides" / "moon.py").write_text("def phase_of_the_moon():\n    return 0.5\n", encoding="utf-8")
        eventually(lambda: current(wire, FILES + 1), "the new file is in the index")
        shutil.rmtree(harbour / "buoys")
        eventually(lambda: current(wire, FILES - 1), "the two files of the deleted directory have gone")
        assert hits(wire, "is_adrift") == []
        with (harbour / ".gitignore").open("a", encoding="utf-8") as ignored:
            ignored.write("\nmoon.py\n")
        eventually(lambda: current(wire, FILES - 2), "what is ignored now has gone")
        assert hits(wire, "phase_of_the_moon") == []


def test_a_search_right_after_a_save_has_it_or_says_that_it_has_not(home: Home, harbour: Path, log: Path) -> None:
    with Wire(Launch(home, (harbour,)), log) as wire:
        wire.text("index", {"wait": True})
        listening(wire)
        for number in range(8):
            text = f"def phase_{number}():\n    return {number}\n"
            (harbour / "tides" / "gauge.py").write_text(text, encoding="utf-8")
            asked = {"query": f"phase_{number}(", "mode": "exact", "format": "json"}
            answer = wire.result("search", asked)["structuredContent"]
            assert answer["hits"] or answer["freshness"]["state"] != "current"


def test_answers_name_the_branch_and_follow_it(home: Home, harbour: Path, log: Path, tmp_path: Path) -> None:
    git(harbour, "init", "-q", "-b", "main")
    git(harbour, "add", "-A")
    git(harbour, "commit", "-q", "-m", "first")
    git(harbour, "checkout", "-q", "-b", "storm")
    (harbour / "tides" / "gauge.py").write_text("def storm_surge():\n    return 'high'\n", encoding="utf-8")
    git(harbour, "commit", "-q", "-a", "-m", "storm")
    with Wire(Launch(home, (harbour,)), log) as wire:
        wire.text("index", {"wait": True})
        assert status(wire)["branch"] == "storm"
        git(harbour, "checkout", "-q", "main")
        eventually(lambda: hits(wire, "storm_surge") == [], "the other branch's text has gone")
        answer = wire.result("search", {"query": "ship", "format": "json"})["structuredContent"]
        assert answer["freshness"]["branch"] == "main"
    git(harbour, "worktree", "add", "-q", "--detach", str(tmp_path / "side"), "storm")
    with Wire(Launch(home, (tmp_path / "side",)), log) as wire:
        wire.text("index", {"wait": True})
        assert status(wire)["branch"] == git(harbour, "rev-parse", "storm").strip()[:8]
        assert hits(wire, "storm_surge") == ["tides/gauge.py"]


def test_nothing_of_a_killed_server_goes_on_listening(home: Home, harbour: Path, log: Path) -> None:
    with Wire(Launch(home, (harbour,)), log) as wire:
        wire.text("index", {"wait": True})
        listening(wire)
        everybody = family(wire.process.pid)
        assert running(wire.process.pid, INDEXER)
        wire.process.kill()
        assert_gone(everybody)
