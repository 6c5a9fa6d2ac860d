"""What processes that are gone left behind, and what others run: downloads, services of another build."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from embedding.errors import EmbeddingError
from embedding.machine.budget import in_words
from embedding.process import PACKAGE_ROOT
from embedding.shared.running import Service, services
from embedding.sources import models_directory
from mcp_server.checks.findings import Finding, error, warning, well
from mcp_server.home import data_directory
from mcp_server.settings import Settings

PARTS, LOCK = ".parts", ".lock"


def downloads(settings: Settings) -> Iterator[Finding]:
    """Models whose fetching has begun and not ended: under way, or broken off."""
    for staging in sorted(models_directory(settings.model, data_directory()).rglob(f".*{PARTS}")):
        name = staging.name[1 : -len(PARTS)]
        fetched = in_words(sum(_sizes(staging)))
        if _held(staging.with_name(f".{name}{LOCK}")):
            yield well("download", f"{name} is being fetched by another process, {fetched} so far")
        else:
            said = f"{name} was being fetched, {fetched} of it are there, and nobody goes on: that process is gone"
            yield warning("download", said, f"codeloupe models pull goes on with it; or delete {staging}")


def _sizes(staging: Path) -> Iterator[int]:
    """Of the files that are still there when they are looked at."""
    for path in staging.rglob("*"):
        with suppress(OSError):
            seen = path.stat()
            if stat.S_ISREG(seen.st_mode):
                yield seen.st_size


def _held(lock: Path) -> bool:
    """Whether a living process has the lock."""
    if not lock.exists():
        return False
    try:
        with FileLock(lock, timeout=0, mode=0o600):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def embedding_services() -> list[Finding]:
    """The embedding services of this user: each answers, leaves no model alone, and is of this build."""
    there = [service for service in services(data_directory()) if service.pid or service.left_alone]
    return [finding for service in there for finding in _service(service)]


def _service(service: Service) -> Iterator[Finding]:
    try:
        state = service.state()
    except EmbeddingError as failed:
        yield error("service", str(failed).rstrip("."), "codeloupe service stop")
        return
    if said := state.left_alone if state else service.left_alone:
        yield error("service", said.rstrip("."), "codeloupe service reset")
    elif state is None:
        yield well("service", f"none; pid {service.pid} was killed, and the next one takes its place")
    else:
        memory = f"{in_words(state.private_bytes)} of its own, {in_words(state.shared_bytes)} shared"
        said = f"{state.model} answers (pid {state.pid}); {memory}; pressure {state.level}"
        other = other_build(service.pid)
        yield warning("service", f"{said}; {other.why}", other.mend) if other else well("service", said)


@dataclass(frozen=True, slots=True)
class OtherBuild:
    """Why a service is not of the code that is installed here, and what to do."""

    why: str
    mend: str


def other_build(pid: int) -> OtherBuild | None:
    """A service runs in the directory of its packages; one that began before they were written has older ones."""
    with suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        home = Path(process.cwd())
        if home != PACKAGE_ROOT:
            why = f"it is of another codeloupe, at {home}, and has the model in memory for that one alone"
            return OtherBuild(why, "codeloupe service stop, and use one of the two")
        newest = max(path.stat().st_mtime for path in Path(PACKAGE_ROOT, "embedding").rglob("*.py"))
        if process.create_time() < newest:
            return OtherBuild(
                "it was started before codeloupe was updated", "codeloupe service stop; the next text starts another"
            )
    return None
