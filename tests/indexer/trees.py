"""Trees of files to walk, and git to compare with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.settings import IndexSettings
from indexer.source import Skip, SkipReason, SourceFile
from indexer.walker import walk

if TYPE_CHECKING:
    import pytest

SETTINGS = IndexSettings()


def keep_git_private(patch: pytest.MonkeyPatch, home: Path) -> None:
    """No configuration of the machine's user or of a surrounding hook reaches git."""
    for variable in [name for name in os.environ if name.startswith("GIT_")]:
        patch.delenv(variable)
    patch.setenv("HOME", str(home))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    patch.delenv("XDG_CONFIG_HOME", raising=False)


def plant(root: Path, files: Mapping[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def git(directory: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "protocol.file.allow=always", *arguments]
    done = subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=60)
    return os.fsdecode(done.stdout)


def git_repository(root: Path, files: Mapping[str, str | bytes]) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    git(root, "init", "-q", "--template=")
    return plant(root, files)


def listed_by_git(directory: Path) -> set[str]:
    return set(git(directory, "ls-files", "-z", "-co", "--exclude-standard").split("\0")) - {""}


def files_of(root: Path, settings: IndexSettings = SETTINGS) -> list[str]:
    return [found.path for found in walk(root, settings) if isinstance(found, SourceFile)]


def skips_of(root: Path, settings: IndexSettings = SETTINGS) -> dict[str, SkipReason]:
    return {found.path: found.reason for found in walk(root, settings) if isinstance(found, Skip)}
