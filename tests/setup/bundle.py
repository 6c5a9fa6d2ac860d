"""Packs the .mcpb bundle that Claude Desktop installs: ``python -m tests.setup.bundle``, or `make bundle`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "configs" / "mcpb" / "manifest.json"
PINNED = ROOT / "tests" / "clients" / "node" / "package.json"
TOOL = "@anthropic-ai/mcpb"
PACK_S = 300
# What building the packages needs, and the part of llama.cpp that is compiled.
BESIDE = ("pyproject.toml", "README.md", "LICENSE", "requirements/llama.cmake")


def stage(directory: Path) -> Path:
    """Put what the bundle holds into a directory, which must not be there yet."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    directory.mkdir(parents=True)
    for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        shutil.copytree(ROOT / package, directory / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BESIDE:
        (directory / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, directory / name)
    shutil.copy(MANIFEST, directory)
    return directory


def pack(tool: Sequence[str], staged: Path, bundle: Path) -> str:
    """Check and pack a staged directory with the official tool; what it said."""
    said = ""
    bundle.parent.mkdir(parents=True, exist_ok=True)
    for step in (("validate", str(staged / "manifest.json")), ("pack", str(staged), str(bundle))):
        done = subprocess.run(
            [*tool, *step], capture_output=True, encoding="utf-8", timeout=PACK_S, stdin=subprocess.DEVNULL, check=False
        )
        said += done.stdout + done.stderr
        if done.returncode:
            raise RuntimeError(f"{TOOL} refuses the bundle; mend what it says: {said}")
    return said


def main() -> None:
    """Leave the bundle in dist/, under the version's name."""
    version = json.loads(MANIFEST.read_text(encoding="utf-8"))["version"]
    pinned = json.loads(PINNED.read_text(encoding="utf-8"))["dependencies"][TOOL]
    npx = shutil.which("npx")
    if npx is None:
        sys.exit("The bundle is packed by a program on Node, and there is no npx; install Node 20 or later.")
    bundle = ROOT / "dist" / f"codeloupe-{version}.mcpb"
    with tempfile.TemporaryDirectory() as place:
        sys.stdout.write(pack([npx, "--yes", f"{TOOL}@{pinned}"], stage(Path(place) / "codeloupe"), bundle))


if __name__ == "__main__":
    main()
