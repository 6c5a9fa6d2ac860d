"""ModelRun: which model a service runs, and within what."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from embedding.child.tuning import Tuning
from embedding.files.header import GgufHeader
from embedding.gguf import read_header
from embedding.machine.busyness import allowed_cores
from embedding.machine.cgroups import ControlGroups
from embedding.settings import MemorySettings, ModelSettings
from embedding.wire import Load

DOCUMENT_NICE = 5  # the user's own work gets about three times the share of a core
_QUERY_BATCH = 64  # tokens a call: a query seldom has more, and 256 take a 7B model 25 MB more (docs/models.md)
_QUERY_THREADS = 4  # more do not shorten a query of a few tokens
# MiniLM answers a query in 4 ms with one thread and in 3.5 with two on a quiet machine: nothing to gain, and on a busy
# one two threads wait for each other (seen, but not measured like for like). A model this large takes most of a
# second, and halves it with two.
LARGE_FILE_BYTES = 500_000_000
MOST_CHILDREN = 8  # the governor's most


@dataclass(frozen=True, slots=True)
class ModelRun:
    """A model on disk, how it is loaded, and what it may take of the machine."""

    name: str
    load: Load  # of one thread, at nice 0
    settings: ModelSettings
    memory: MemorySettings

    @property
    def path(self) -> Path:
        """The model's file."""
        return Path(self.load.path)

    @property
    def is_large(self) -> bool:
        """Whether a few thousand letters keep a child busy for long."""
        return self.path.is_file() and self.path.stat().st_size > LARGE_FILE_BYTES

    @property
    def most_children(self) -> int:
        """Document children there may ever be."""
        return min(self.settings.processes or usable_cores(), MOST_CHILDREN)

    @property
    def default_tuning(self) -> Tuning:
        """How it runs while nobody has tried what is quickest (embedding/child/tuner.py)."""
        size = self.path.stat().st_size if self.path.is_file() else 0
        return Tuning(self.load.repack, query_threads(size, usable_cores()))

    def for_documents(self, tuning: Tuning) -> Load:
        """How a document child is started."""
        nice = DOCUMENT_NICE if self.memory.considerate else 0
        return replace(self.load, threads=1, nice=nice, repack=tuning.repack)

    def for_queries(self, tuning: Tuning) -> Load:
        """How the query child is started."""
        threads = self.settings.query_threads or tuning.query_threads
        return replace(self.load, threads=threads, nice=0, repack=tuning.repack, batch=_QUERY_BATCH)

    def header(self) -> GgufHeader:
        """What the file says of itself. Raises ModelMissingError, ModelInvalidError."""
        return read_header(self.path)

    def as_json(self) -> dict[str, Any]:
        """For the process that is to run it."""
        return {
            "name": self.name,
            "load": asdict(self.load),
            "settings": self.settings.model_dump(),
            "memory": self.memory.model_dump(),
        }


def run_of(fields: dict[str, Any]) -> ModelRun:
    """What ``as_json`` wrote. Raises KeyError, TypeError, ValueError for anything else."""
    return ModelRun(
        fields["name"],
        Load(**fields["load"]),
        ModelSettings.model_validate(fields["settings"]),
        MemorySettings.model_validate(fields["memory"]),
    )


def query_threads(file_bytes: int, cores: int) -> int:
    """Threads for one query of a model whose file has that many bytes: one where it is small."""
    return min(cores, _QUERY_THREADS) if file_bytes > LARGE_FILE_BYTES else 1


def usable_cores() -> int:
    """Cores' worth of work that this process may do at once, by affinity and by a container's quota; at least 1."""
    return allowed_cores(ControlGroups())
