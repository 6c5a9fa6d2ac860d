"""The machine: strangers among our packages, git that refuses, a clock that is wrong, few open files, little memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.limited_group import LimitedGroup, NoGroupError, limited_group
from benchmarks.shapes import TINY, write_model
from mcp_server.checks.findings import Finding, Level
from mcp_server.checks.machine import PACKAGES, clock, git
from tests.mcp_server.checks.faults import CHECKOUT, PATIENCE_S, python

FUTURE = 10 * 86_400


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """Our packages where pip puts packages: in one directory, with those of others."""
    site = tmp_path / "site-packages"
    for name in PACKAGES:
        shutil.copytree(CHECKOUT / name, site / name, ignore=shutil.ignore_patterns("__pycache__", "tables"))
    return site


def packages_of(site: Path) -> str:
    code = "from importlib.metadata import distributions; from mcp_server.checks.machine import packages\n"
    done = python(f"import sys; sys.path.insert(0, {str(site)!r})\n{code}print(packages(distributions()).line)")
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_packages_that_are_all_our_own_are_well(installation: Path) -> None:
    assert packages_of(installation).startswith("ok       packages: mcp_server, indexer, embedding, storage are ")


def test_another_package_that_was_installed_into_ours_is_named(installation: Path, tmp_path: Path) -> None:
    """As pip unpacks a wheel: its files beside those that are there, and a record of them."""
    wheel = tmp_path / "storage-9-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        made.writestr("storage/buckets.py", "")
        made.writestr("storage-9.dist-info/METADATA", "Metadata-Version: 2.1\nName: storage\nVersion: 9\n")
        made.writestr("storage-9.dist-info/RECORD", "storage/buckets.py,,\nstorage-9.dist-info/METADATA,,\n")
    with zipfile.ZipFile(wheel) as made:
        made.extractall(installation)
    told = packages_of(installation)
    assert told.startswith("error    packages: the package storage 9 has put ")
    assert "pip uninstall storage" in told


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    subprocess.run(["git", "init", "-q", str(root)], check=True, timeout=60)
    return root


def test_git_that_answers_is_well_and_no_repository_needs_none(repository: Path, tmp_path: Path) -> None:
    assert [finding.level for finding in git(repository)] == [Level.OK]
    assert git(tmp_path) == []


def test_where_git_is_missing_what_is_unknown_without_it_is_told(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (found,) = git(repository)
    assert (found.level, found.mend) == (Level.WARNING, "install git")
    assert "tracked files that a pattern ignores" in found.found


@pytest.mark.skipif(not hasattr(os, "chown") or os.getuid() != 0, reason="only root can give a directory away")
def test_a_repository_that_git_does_not_trust_is_told_with_the_setting(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (repository, repository / ".git"):
        os.chown(path, 4321, 4321)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    (found,) = git(repository)
    assert (found.level, found.mend) == (Level.WARNING, f"git config --global --add safe.directory {repository}")


def test_a_repository_that_git_cannot_read_is_told_in_its_own_words(repository: Path) -> None:
    (repository / ".git" / "config").write_text("[core\n", encoding="utf-8")
    (found,) = git(repository)
    assert (found.level, "git refuses (" in found.found) == (Level.WARNING, True)


def test_a_file_that_is_dated_in_the_future_shows_a_clock_that_is_wrong(tmp_path: Path) -> None:
    assert clock([tmp_path]).level is Level.OK
    (tmp_path / "index.json").touch()
    os.utime(tmp_path / "index.json", (time.time() + FUTURE, time.time() + FUTURE))
    found = clock([tmp_path])
    assert (found.level, str(tmp_path / "index.json") in found.found) == (Level.WARNING, True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_few_open_files_are_a_warning_that_names_the_limit() -> None:
    look = "from mcp_server.checks.machine import _open_files\nprint(_open_files()[0].line)"
    limit = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({0}, {0}))\n"
    few, many = (python(limit.format(number) + look).stdout for number in (100, 4096))
    assert few.startswith("warning  open files: 100 at once")
    assert "ulimit -n 1024" in few
    assert many.startswith("ok       open files: 4,096 at once")


def test_a_finding_is_one_line_that_names_the_thing_how_it_is_and_the_mend() -> None:
    assert (
        Finding("git", "it is not there", "install git", Level.WARNING).line
        == "warning  git: it is not there -> install git"
    )
    assert Finding("git", "answers").line == "ok       git: answers"


LIMITED = 120_000_000  # bytes; Python with numpy takes half of it


@pytest.fixture
def limited() -> Iterator[LimitedGroup]:
    """A container's limit of memory, as the kernel keeps it."""
    try:
        with limited_group(LIMITED) as group:
            yield group
    except NoGroupError as refused:
        pytest.skip(str(refused))


def said_in(group: LimitedGroup, code: str) -> str:
    process = group.start([sys.executable, "-c", code], os.environ | {"PYTHONPATH": str(CHECKOUT)})
    said, _ = process.communicate(timeout=PATIENCE_S)
    return said if isinstance(said, str) else said.decode()


def test_a_container_too_small_for_a_server_is_told_with_its_limit(limited: LimitedGroup) -> None:
    told = said_in(limited, "from mcp_server.checks.machine import _memory\nprint(_memory()[0].line)")
    assert told.startswith("warning  limit of memory: ")
    assert "has 120 MB, and a server that indexes takes 419 MB" in told


def test_a_container_too_small_for_the_model_is_an_error_that_says_what_would_do(
    limited: LimitedGroup, tmp_path: Path
) -> None:
    write_model(TINY, tmp_path / "tiny.gguf")
    code = (
        "from mcp_server.checks.model import _memory; from mcp_server.settings import Settings\n"
        f"print(_memory(Settings.model_validate({{'model': {{'name': {str(tmp_path / 'tiny.gguf')!r}}}}}))[0].line)"
    )
    told = said_in(limited, code)
    assert told.startswith("error    memory: There is too little memory for a process of tiny"), told
    assert "set memory.budget" in told
