"""The image is made by the README's make targets, from files that are there; no Docker engine is needed to see it."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of the Dockerfile, continuation lines joined."""

    word: str
    rest: str


def _steps() -> list[Step]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Step(*line.split(maxsplit=1)) for line in joined.splitlines()]


def _context() -> list[str]:
    """What .dockerignore lets through: it refuses everything and names the exceptions."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


STEPS = _steps()
CONTEXT = _context()


def _copied(step: Step) -> list[str]:
    """The files and folders of the build context that a COPY takes; none where it copies between stages."""
    words = step.rest.split()
    if step.word != "COPY" or words[0].startswith("--from"):
        return []
    return CONTEXT if words[0] == "." else words[:-1]


def _make_targets(step: Step) -> list[str]:
    return re.findall(r"\bmake ([\w./-]+)", step.rest) if step.word == "RUN" else []


def test_everything_is_installed_by_make_and_nothing_beside_it() -> None:
    runs = " && ".join(step.rest for step in STEPS if step.word == "RUN")
    assert re.findall(r"\bmake \S+", runs.replace("g++ make", "g++")) == ["make .venv/run.installed", "make model"]
    assert "pip install" not in runs


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on this machine")
def test_each_make_step_finds_what_it_needs_among_the_files_copied_before_it(tmp_path: Path) -> None:
    for step in STEPS:
        for source in _copied(step):
            _copy(ROOT / source, tmp_path / source)
        for target in _make_targets(step):
            assert "requirements/install.sh run" in _plan(target, tmp_path)


def _plan(target: str, folder: Path) -> str:
    """What make would do; a prerequisite that is not there ends it."""
    planned = subprocess.run(
        ["make", "-n", target], check=False, cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert planned.returncode == 0, planned.stderr
    return planned.stdout


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    else:
        shutil.copy(source, target)


def test_the_build_context_is_what_runs_and_nothing_else() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    packages = wheel["wheel"]["packages"]
    assert sorted(CONTEXT) == sorted([*packages, "LICENSE", "Makefile", "README.md", "pyproject.toml", "requirements"])
    assert all((ROOT / name).exists() for name in CONTEXT)


def test_every_package_is_known_before_anything_is_installed() -> None:
    """An editable install of packages that are not there yet succeeds, and finds none of them later."""
    before = []
    for step in STEPS:
        if _make_targets(step):
            break
        before += _copied(step)
    missing = [
        name for name in CONTEXT if (ROOT / name / "__init__.py").exists() and f"{name}/__init__.py" not in before
    ]
    assert not missing


def test_the_container_serves_stdio_and_not_as_root() -> None:
    words = [step.word for step in STEPS]
    last = {step.word: step.rest for step in STEPS}
    assert words.count("FROM") == 2
    assert last["USER"] not in ("root", "0")
    assert words.index("USER") > len(words) - 1 - words[::-1].index("RUN")
    assert (last["ENTRYPOINT"], last["CMD"]) == ('["codeloupe"]', '["serve"]')


def test_both_stages_look_for_the_model_in_the_same_place() -> None:
    environments = [step.rest for step in STEPS if step.word == "ENV"]
    places = [re.findall(r"CODELOUPE_MODEL_\w+=\S+", text) for text in environments]
    assert len(places) == 2
    assert places[0] == places[1]
