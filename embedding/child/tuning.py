"""Whether repacked weights pay, and how many threads a lone query should have: chosen, and remembered.

It depends on the processor and the model's quantisation, and cannot be known beforehand: repacking makes Q4_0 nearly
twice as fast and Q4_K_M slower on one and the same machine (docs/models.md). trial.py measures; what was
chosen lies beside the model file, for the same file on the same processor with the same llama.cpp.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from embedding.files.digest import remembered_sha256
from embedding.files.publish import publish

_log = logging.getLogger(__name__)

WORTH = 0.85  # of what the plainer way takes: less does not pay for a private copy of the weights, or for a barrier


@dataclass(frozen=True, slots=True)
class Tuning:
    """How a model is run on this machine."""

    repack: bool
    query_threads: int


@dataclass(frozen=True, slots=True)
class Measurements:
    """What was tried; what is missing was not, for want of memory, time, or prospect."""

    token_s: Mapping[bool, float]  # processor seconds a token of documents in one thread, by whether repacked
    query_s: Mapping[int, float]  # median seconds of a query, by threads
    sound: bool  # whether there was time for all threads worth trying, and other programs left them their cores

    @property
    def complete(self) -> bool:
        """Whether it is worth remembering."""
        return self.sound and bool(self.token_s) and bool(self.query_s)


def choose(measured: Measurements, otherwise: Tuning) -> Tuning:
    """The plainer way unless another is clearly quicker; ``otherwise`` where nothing, or in vain, was measured."""
    plain, repacked = measured.token_s.get(False), measured.token_s.get(True)
    repack = otherwise.repack if plain is None else repacked is not None and repacked <= WORTH * plain
    threads = quickest(measured.query_s) if measured.sound and measured.query_s else otherwise.query_threads
    return Tuning(repack, threads)


def quickest(query_s: Mapping[int, float]) -> int:
    """The number of threads that no smaller one comes near."""
    best = min(query_s)
    for threads in sorted(query_s):
        if query_s[threads] <= WORTH * query_s[best]:
            best = threads
    return best


def note_path(path: Path) -> Path:
    """Where the tuning of a model file is remembered."""
    return path.with_name(path.name + ".tuning.json")


def remembered(path: Path, cores: int) -> Tuning | None:
    """What was chosen for this file on this machine; None where nothing was, or nothing that can be read."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        note = json.loads(note_path(path).read_text(encoding="utf-8"))
        known = Tuning(bool(note["repack"]), int(note["query_threads"]))
        lasts = note["until"] is None or time.time() < float(note["until"])
        if lasts and note["for"] == _circumstances(path, cores) and 1 <= known.query_threads <= cores:
            return known
    return None


def remember(path: Path, cores: int, tuning: Tuning, until: float | None = None) -> None:
    """Write it beside the model file; where that cannot be, it is measured again next time.

    ``until``, in seconds since the epoch, is when it is to be measured again.
    """
    try:
        note = asdict(tuning) | {"until": until, "for": _circumstances(path, cores)}
        publish(note_path(path), json.dumps(note, indent=1).encode())
    except OSError as error:
        _log.info("The tuning of %s is not remembered: %s.", path, error.strerror)


def _circumstances(path: Path, cores: int) -> dict[str, str | int]:
    """What makes a tuning somebody else's."""
    import importlib.metadata  # 20 ms; a client of the service has no use for it

    return {
        "sha256": remembered_sha256(path),
        "processor": _processor(),
        "cores": cores,
        "llama_cpp": importlib.metadata.version("llama-cpp-python"),
    }


def _processor() -> str:
    """Stands for the processor and what it can do."""
    import platform

    words = [platform.machine(), platform.processor()]
    with suppress(OSError):  # on Linux, where platform knows no more than the family
        first, _, _ = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").partition("\n\n")
        words += [
            line for line in first.splitlines() if line.startswith(("model name", "flags", "Features", "CPU part"))
        ]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]
