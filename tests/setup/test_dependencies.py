"""pyproject.toml, the locks and docs/dependencies.md name the same things."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BUILD = re.findall(r"^BUILD_REQUIREMENTS := (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
WANTED = {
    "run": [Requirement(line) for line in PROJECT["project"]["dependencies"]],
    "dev": [Requirement(line) for line in PROJECT["dependency-groups"]["dev"]],
    "build": [Requirement(line) for line in BUILD[0].split()],
}
HEADINGS = {"To run": "run", "To work on it": "dev", "To build it": "build"}


def _described() -> dict[str, list[str]]:
    """The first column of each table that lists dependencies."""
    sections = re.split(r"^## ", (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    tables = {}
    for section in sections:
        name = HEADINGS.get(section.partition("\n")[0])
        if name:
            tables[name] = re.findall(r"^\| ([a-z][\w-]+) \| .+ \| .+ \| [\d.]+ \|$", section, re.MULTILINE)
    return tables


def _pins(name: str) -> dict[str, tuple[Version, int]]:
    """Version and number of hashes by package."""
    pins: dict[str, tuple[Version, int]] = {}
    for entry in re.split(r"\n(?=\S)", (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").strip()):
        requirement = re.match(r"([\w.-]+)==(\S+)", entry)
        assert requirement, entry[:80]
        pins[canonicalize_name(requirement[1])] = (Version(requirement[2]), entry.count("--hash=sha256:"))
    return pins


@pytest.mark.parametrize("name", WANTED)
def test_each_dependency_has_its_line_and_each_line_its_dependency(name: str) -> None:
    assert _described()[name] == sorted(requirement.name for requirement in WANTED[name])


@pytest.mark.parametrize("name", WANTED)
def test_the_lock_pins_every_dependency_as_asked_and_hashes_every_package(name: str) -> None:
    pins = _pins(name)
    for requirement in WANTED[name]:
        version, _ = pins[canonicalize_name(requirement.name)]
        assert version in requirement.specifier, f"{requirement} is locked as {version}; run make lock"
    assert all(hashes for _, hashes in pins.values())


def test_the_locks_agree_with_each_other() -> None:
    run, dev, build = (_pins(name) for name in ("run", "dev", "build"))
    assert dev | run == dev
    assert {name: build[name] for name in build.keys() & dev} == {name: dev[name] for name in build.keys() & dev}


@pytest.mark.parametrize("name", WANTED)
def test_the_locks_name_no_address(name: str) -> None:
    assert "://" not in (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def test_what_packs_the_project_is_pinned() -> None:
    backend = Requirement(PROJECT["build-system"]["requires"][0])
    assert _pins("build")[canonicalize_name(backend.name)][0] in backend.specifier
