"""`codeloupe map` as a user runs it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.homes import FILES, MODULE, Home, plant
from tests.map.test_page import content

WAIT_S = 120


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home without a model: sketches alone."""
    return Home(tmp_path / "home", tmp_path / "models")


def map_of(home: Home, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = home.environment(CODELOUPE_MODEL_NAME="none", **settings)
    line = [*MODULE, "map", *arguments]
    return subprocess.run(
        line, env=environment, capture_output=True, encoding="utf-8", timeout=WAIT_S, check=False, cwd=home.directory
    )


def test_a_directory_that_was_never_indexed_is_indexed_and_drawn(home: Home, tmp_path: Path) -> None:
    harbour = plant(tmp_path / "harbour")
    done = map_of(home, str(harbour), "-o", str(tmp_path / "map.html"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "map.html")
    assert "Laid out by sketches" in done.stderr
    found = content((tmp_path / "map.html").read_bytes())
    assert len(found["files"]) == FILES
    assert found["root"] == harbour.as_posix()
    assert found["figures"]["sizes"]["chunks"] == len(found["x"]) == found["total"]
    assert "never_to_be_found" not in found["called"]


@pytest.mark.skipif(sys.platform == "win32", reason="other rights there")
def test_the_page_is_for_its_user_alone_and_not_in_the_project(home: Home, tmp_path: Path) -> None:
    harbour = plant(tmp_path / "harbour")
    done = map_of(home, "--root", str(harbour))
    page = Path(done.stdout.strip())
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert home.directory in page.parents
    assert not list(harbour.rglob("*.html"))


def test_a_second_map_takes_the_place_of_the_first_and_sees_what_changed(home: Home, tmp_path: Path) -> None:
    harbour = plant(tmp_path / "harbour")
    first = Path(map_of(home, str(harbour)).stdout.strip())
    before = content(first.read_bytes())
    (harbour / "anchor.py").write_text("def weigh_the_anchor():\n    return 'up'\n", encoding="utf-8")
    assert Path(map_of(home, str(harbour)).stdout.strip()) == first
    after = content(first.read_bytes())
    assert "weigh_the_anchor" in after["called"]
    assert "weigh_the_anchor" not in before["called"]


def test_a_directory_without_code_has_no_map(home: Home, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = map_of(home, str(tmp_path / "empty"), "-o", str(tmp_path / "map.html"))
    assert done.returncode == 1
    assert "nothing to draw" in done.stderr
    assert not (tmp_path / "map.html").exists()


def test_without_vectors_and_sketches_the_mend_is_said(home: Home, tmp_path: Path) -> None:
    done = map_of(home, str(plant(tmp_path / "harbour")), CODELOUPE_MODEL_TABLE="none")
    assert done.returncode == 2
    assert "codeloupe models pull" in done.stderr
    assert done.stdout == ""


def test_a_page_that_cannot_be_written_is_said_in_one_sentence(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = map_of(home, str(plant(tmp_path / "harbour")), "-o", str(tmp_path / "file" / "map.html"))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("codeloupe: The map cannot be written to")


@pytest.mark.skipif(sys.platform == "win32", reason="no pipes among files there")
def test_what_is_no_file_is_not_replaced(home: Home, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = map_of(home, str(plant(tmp_path / "harbour")), "-o", str(tmp_path / "pipe"))
    assert done.returncode == 2
    assert "it is no file" in done.stderr
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.skipif(sys.platform == "win32", reason="BROWSER is not asked there")
def test_a_page_in_the_project_and_a_browser_that_does_not_come_are_said(home: Home, tmp_path: Path) -> None:
    harbour = plant(tmp_path / "harbour")
    done = map_of(home, str(harbour), "-o", str(harbour / "map.html"), "--open", BROWSER="/bin/false %s")
    assert done.returncode == 0
    assert "indexed in its turn" in done.stderr
    assert "no browser could be opened" in done.stderr


def test_cleaning_the_cache_removes_maps(home: Home, tmp_path: Path) -> None:
    page = Path(map_of(home, str(plant(tmp_path / "harbour"))).stdout.strip())
    line = [*MODULE, "clean", "--cache"]
    subprocess.run(line, env=home.environment(), check=True, timeout=WAIT_S, capture_output=True)
    assert not page.exists()
