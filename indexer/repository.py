"""What git says about a directory: where its work tree begins, what it excludes privately, what it tracks anyway.

The layout of ``.git`` is read here; git itself is asked twice at most, and the walk goes on without it.
"""

from __future__ import annotations

import logging
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

logger = logging.getLogger(__name__)

_GIT_TIMEOUT_S = 60.0  # listing a million-file index takes seconds; a hung network disk should not stop the walk
SHORT_COMMIT = 8  # letters; git shows 7 and more
_MAX_IGNORE_FILE = 10_000_000  # bytes; git's own limit is 100 MB


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree: its top, the git directory its work trees share, and the one of its own."""

    top: Path
    common_dir: Path
    git_dir: Path

    def branch(self) -> str:
        """What is checked out: the branch's name, or the first letters of the commit where there is none; "" unknown.

        Read from a file, so that every answer can say it.
        """
        head = _first_line(self.git_dir / "HEAD")
        if head.startswith("ref:"):
            name = head.removeprefix("ref:").strip().removeprefix("refs/heads/")
            return "" if name == ".invalid" else name  # what git's reftable format writes there
        return head[:SHORT_COMMIT]

    @property
    def exclude_file(self) -> Path:
        """The repository's private ignore file."""
        return self.common_dir / "info" / "exclude"


@dataclass(frozen=True, slots=True)
class GitSettings:
    """What of git's configuration bears on a walk."""

    excludes_file: Path
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class Tracked:
    """Files that git tracks although a pattern ignores them, and the directories on the way to them."""

    files: frozenset[str] = field(default=frozenset())
    directories: frozenset[str] = field(default=frozenset())

    def leads_to(self, path: str) -> bool:
        """Whether a directory holds a tracked file, or is a tracked submodule."""
        return path in self.directories or path in self.files


def repository_at(directory: Path) -> Repository | None:
    """The repository whose work tree has its top exactly here; ``.git`` may be a directory or a file that names one."""
    git_dir = _git_dir(directory)
    if git_dir is None:
        return None
    shared = _first_line(git_dir / "commondir")  # there in a linked work tree
    return Repository(directory, git_dir / shared, git_dir)


def enclosing_repository(directory: Path) -> Repository | None:
    """The repository whose work tree holds this directory, looking upwards."""
    for candidate in (directory, *directory.parents):
        repository = repository_at(candidate)
        if repository is not None:
            return repository
    return None


def git_settings(directory: Path) -> GitSettings:
    """core.excludesFile (or git's default for it) and core.ignoreCase as git sees them in ``directory``."""
    listed = _git(directory, "config", "-z", "--get-regexp", r"^core\.(excludesfile|ignorecase)$") or ""
    entries = (entry.partition("\n") for entry in listed.split("\0"))
    values = {key: value for key, _, value in entries}
    config_home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    excludes = Path(values.get("core.excludesfile", f"{config_home}/git/ignore"))
    ignore_case = values.get("core.ignorecase", "false").lower() in {"true", "yes", "on", "1", ""}
    return GitSettings(directory / _expanded(excludes), ignore_case)


def tracked_although_ignored(directory: Path, prefix: str) -> Tracked:
    """What of the index below ``directory`` an ignore pattern matches; paths with ``prefix`` before them."""
    listed = _git(directory, "ls-files", "-z", "--cached", "--ignored", "--exclude-standard")
    files = frozenset(prefix + path for path in (listed or "").split("\0") if path)
    return Tracked(files, frozenset(parent for path in files for parent in parents_of(path)))


def read_ignore_file(path: Path, *, in_tree: bool) -> str:
    """The file's text, or "" where there is none; what is not UTF-8 is kept as os.fsdecode keeps it in names.

    In the tree a link is no ignore file, as for git: it could lead anywhere. The user's own may be links.
    """
    try:
        if not path.is_file() or (in_tree and path.is_symlink()):
            return ""
        with path.open("rb") as file:
            return file.read(_MAX_IGNORE_FILE).decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def parents_of(path: str) -> list[str]:
    """The directories on the way to a path that has "/" between its names: "a" and "a/b" for "a/b/c"."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _git_dir(directory: Path) -> Path | None:
    dot_git = directory / ".git"
    try:
        git_dir = dot_git if dot_git.is_dir() else _named_git_dir(dot_git)
        return git_dir if git_dir is not None and (git_dir / "HEAD").exists() else None
    except OSError:  # no permission to look
        return None


def _named_git_dir(dot_git: Path) -> Path | None:
    named = _first_line(dot_git).removeprefix("gitdir:").strip()
    return dot_git.parent / named if named else None


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # no such user, or no home
        return path


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            return file.readline(65_536).strip()
    except OSError:
        return ""


def _git(directory: Path, *arguments: str) -> str | None:
    """What git prints, or None where it is not there or refuses."""
    # A repository's own configuration may name a program as its file-system monitor: never run it.
    command = ["git", "-c", "core.fsmonitor=false", *arguments]
    # Variables such as GIT_DIR, set in hooks, would make git speak about another repository.
    environment = {key: value for key, value in os.environ.items() if not _redirects_git(key)}
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.debug("git %s gave no answer in %s: %s", arguments[0], directory, error)
        return None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None


def _redirects_git(variable: str) -> bool:
    return variable.startswith("GIT_") and not variable.startswith(("GIT_CONFIG", "GIT_TRACE"))
