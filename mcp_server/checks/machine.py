"""The machine and this installation: Python, our own packages, git, the clock, open files, memory."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path

from embedding.machine.budget import in_words
from embedding.pressure import Gauge
from mcp_server.checks.findings import Finding, error, warning, well

PACKAGES = ("mcp_server", "indexer", "embedding", "storage")
OWN = "codeloupe"
# A server, and its indexing child, held 32 while 63,575 chunks were indexed and searched; an embedding service holds a
# few for each client and child. Some desktops start programs with 256, which will do.
LEAST_OPEN_FILES = 128
LEAST_MEMORY = 400 << 20  # a server with an index of 10,000 chunks: 232 MiB resident, its indexing child 229 in turn
AHEAD_S = 3_600.0  # two machines that share a disk differ by minutes at most
GIT_S = 10.0


def examine(roots: Sequence[Path], places: Sequence[Path]) -> list[Finding]:
    """All of it. ``places``: directories of ours, whose files were dated by the clock."""
    findings = [_python(), packages(distributions()), *_open_files(), *_memory()]
    return [*findings, clock([*places, *roots]), *(finding for root in roots for finding in git(root))]


def _python() -> Finding:
    return well("python", f"{sys.version.split()[0]} at {sys.executable}")


def packages(installed: Iterable[Distribution]) -> Finding:
    """Whether another distribution has put files into packages of ours: their names are common words."""
    homes = {
        Path(spec.origin).resolve().parent
        for name in PACKAGES
        if (spec := importlib.util.find_spec(name)) and spec.origin
    }
    for other in installed:
        if other.name != OWN and (file := next(_among(other, homes), None)):
            return error(
                "packages",
                f"the package {other.name} {other.version} has put {file} among the files of codeloupe",
                f"pip uninstall {other.name}, then install codeloupe again, best in an environment of its own",
            )
    return well("packages", f"{', '.join(PACKAGES)} are codeloupe's own, in {next(iter(homes)).parent}")


def _among(other: Distribution, homes: set[Path]) -> Iterator[Path]:
    """Files of another distribution that lie in ``homes``."""
    for file in other.files or ():
        if file.parts and file.parts[0] in PACKAGES:
            placed = Path(str(other.locate_file(file))).resolve()
            if any(placed.is_relative_to(home) for home in homes):
                yield placed


def _open_files() -> list[Finding]:
    """How many files a process may have open; Windows has no such limit."""
    if sys.platform == "win32":
        return []
    import resource

    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    said = f"{allowed:,} at once"
    if 0 <= allowed < LEAST_OPEN_FILES:
        more = "" if most < 0 or most >= LEAST_OPEN_FILES else " (as root: the hard limit is lower)"
        mend = f"start the editor or shell with 'ulimit -n {LEAST_OPEN_FILES * 8}'{more}"
        return [warning("open files", f"{said}, and a server may want {LEAST_OPEN_FILES}", mend)]
    return [well("open files", said)]


def _memory() -> list[Finding]:
    """What a server takes without any model; what the model takes is said of the model."""
    reading = Gauge().read([os.getpid()])
    bound = min(reading.bounds, key=lambda bound: bound.limit_bytes)
    if bound.limit_bytes < LEAST_MEMORY:
        said = (
            f"{bound.name} has {in_words(bound.limit_bytes)}, and a server that indexes takes {in_words(LEAST_MEMORY)}"
        )
        return [warning("limit of memory", said, "give it more (docker run --memory 2g), or codeloupe models use none")]
    return [well("limit of memory", f"{in_words(bound.limit_bytes)}, of {bound.name}")]


def clock(directories: Iterable[Path]) -> Finding:
    """Whether anything here is dated later than now: then the clock is wrong, or was."""
    now = time.time()
    dated = [(seen.st_mtime, path) for path, seen in _stamps(directories)]
    newest, path = max(dated, default=(0.0, Path()))
    if newest - now > AHEAD_S:
        return warning(
            "clock",
            f"it says {_date(now)}, and {path} is dated {_date(newest)}: it is slow, or was fast when that was written",
            f"set the clock; if it is right, touch {path}",
        )
    if now < _built():
        return warning("clock", f"it says {_date(now)}, before codeloupe was installed ({_date(_built())})", "set it")
    return well("clock", f"{_date(now)}; nothing here is of the future")


def _stamps(directories: Iterable[Path]) -> Iterator[tuple[Path, os.stat_result]]:
    """Each directory and what lies immediately in it: enough to see a clock that was wrong for a while."""
    for directory in directories:
        try:
            yield directory, directory.stat()
            for entry in os.scandir(directory):
                yield Path(entry.path), entry.stat(follow_symlinks=False)
        except OSError:
            continue  # said where it matters


def _built() -> float:
    return Path(__file__).stat().st_mtime


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def git(root: Path) -> list[Finding]:
    """Whether git answers where there is a repository; without it the walk knows less of what is ignored."""
    if not any((directory / ".git").exists() for directory in (root, *root.parents)):
        return []
    what = f"git in {root}"
    unknown = "global ignore files, and tracked files that a pattern ignores, are unknown"
    program = shutil.which("git")
    if program is None:
        return [warning(what, f"there is no git on the PATH: {unknown}", "install git")]
    said = _asked_git(program, root)
    if "dubious ownership" in said:
        mend = f"git config --global --add safe.directory {root}"
        return [warning(what, f"git does not trust it, since it belongs to another user: {unknown}", mend)]
    if said:
        return [warning(what, f"git refuses ({said}): {unknown}", f"mend what 'git -C {root} status' says")]
    return [well(what, f"answers ({program})")]


def _asked_git(program: str, root: Path) -> str:
    """Why git will not speak of ``root``, in its own first line; "" where it does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"LC_ALL": "C"}
    try:
        done = subprocess.run(
            [program, "-C", str(root), "rev-parse", "--git-dir"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as failed:
        return str(failed)
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return (lines[0] if lines else f"exit code {done.returncode}") if done.returncode else ""
