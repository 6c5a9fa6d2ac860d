"""The first search of a directory: answered from memory by the real command, its index written behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from mcp_server.home import index_directory, note_root
from mcp_server.settings import load

MOST_S = 60
COMMAND = [sys.executable, "-P", "-m", "mcp_server.cli"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    directory = tmp_path / "harbour"
    directory.mkdir()
    for number in range(8):
        text = f"def moor_{number}(ship):\n" + (1 + 3 * number) * "    ship.moor()\n"  # so that none equals another
        (directory / f"moor{number}.py").write_text(text, encoding="utf-8")
    return directory


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CODELOUPE_", "XDG_"))}
    homes = {f"XDG_{kind}_HOME": str(tmp_path / kind.lower()) for kind in ("DATA", "CACHE", "CONFIG")}
    return kept | homes | {"CODELOUPE_MODEL_NAME": "none"}


def search(root: Path, environment: Mapping[str, str], *words: str) -> dict[str, object]:
    """What the command prints, as JSON."""
    command = [*COMMAND, "search", "--json", "--root", str(root), *(words or ("moor ship",))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=MOST_S, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def places(answer: Mapping[str, object]) -> list[tuple[str, int]]:
    hits = answer["hits"]
    assert isinstance(hits, list)
    return [(hit["file_path"], hit["start_line"]) for hit in hits]


def notes(answer: Mapping[str, object]) -> str:
    freshness = answer["freshness"]
    assert isinstance(freshness, dict)
    return " ".join(freshness["notes"])


def written(home: Path) -> list[Path]:
    return list(home.glob("data/codeloupe/indexes/*/index.json"))


def wait_until_written(home: Path) -> None:
    """Until the process behind the answer has begun an index, which it then finishes before anyone else may write."""
    end = time.monotonic() + MOST_S
    while not written(home):
        assert time.monotonic() < end, "no index was written behind the answer"
        time.sleep(0.02)


def test_the_first_answer_is_whole_and_the_second_the_same_from_the_disk(
    root: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    first = search(root, environment)
    wait_until_written(tmp_path)
    second = search(root, environment)
    assert "being written in the background" in notes(first)
    assert "being written in the background" not in notes(second)
    assert len(places(first)) == 8
    assert sorted(places(first)) == sorted(places(second))  # some have vectors by now, and another order
    assert first["freshness"]["text"] == second["freshness"]["text"] == 1.0  # type: ignore[index]


def test_a_search_at_once_after_the_first_waits_for_the_index_and_misses_nothing(
    root: Path, environment: dict[str, str]
) -> None:
    first, second = search(root, environment), search(root, environment)
    assert len(places(first)) == 8
    assert sorted(places(first)) == sorted(places(second))  # some have vectors by now, and another order


def test_without_writing_behind_the_index_is_there_with_the_answer(
    root: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    answer = search(root, environment | {"CODELOUPE_SEARCH_WRITE_BEHIND": "false"})
    assert "background" not in notes(answer)
    assert written(tmp_path)


def test_where_no_index_can_be_kept_there_is_an_answer_and_a_word_why(
    root: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("no directory", encoding="utf-8")
    nowhere = environment | {"CODELOUPE_STORAGE_DIRECTORY": str(tmp_path / "taken")}
    command = [*COMMAND, "search", "--root", str(root), "moor ship"]
    done = subprocess.run(command, env=nowhere, capture_output=True, text=True, timeout=MOST_S, check=False)
    assert done.returncode == 0
    assert "moor" in done.stdout
    assert "cannot be kept" in done.stderr


def test_where_the_writer_was_killed_before_it_began_the_next_search_writes_the_index(
    root: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    settings = load(None, [f"storage.directory={kept}"], {}).settings
    note_root(index_directory(settings, root), root)  # all that the first search leaves behind by itself
    answer = search(root, environment | {"CODELOUPE_STORAGE_DIRECTORY": str(kept)})
    assert len(places(answer)) == 8
    assert list(kept.glob("*/index.json"))
