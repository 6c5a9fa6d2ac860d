"""What `status` says, as values with a sentence and a JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from embedding.shared.state import ServiceState
from mcp_server.freshness import Freshness, counted

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RootStatus:
    """One root."""

    root: str
    freshness: Freshness
    running: str  # what runs now, "" for nothing
    skipped: Mapping[str, int] = field(default_factory=dict)
    vector_index: str = "none"
    text_index: str = "none"
    disk_bytes: int = 0
    last_error: str = ""
    watched: str = ""  # how much of it is listened to for changes, or why it is not

    def sentence(self) -> str:
        """A few lines for a reader."""
        fresh = self.freshness
        sizes = f"{counted(fresh.files, 'file')}, {counted(fresh.chunks, 'chunk')}, {counted(fresh.vectors, 'vector')}"
        kinds = f"indexes: text {self.text_index}, vectors {self.vector_index}; {self.disk_bytes / MIB:.1f} MiB on disk"
        lines = [f"{self.root}: {fresh.sentence()}", f"  {sizes}; {kinds}"]
        if self.skipped:
            lines.append(
                "  skipped: " + ", ".join(f"{count:,} {reason}" for reason, count in sorted(self.skipped.items()))
            )
        if self.running:
            lines.append(f"  now: {self.running}")
        where = f"branch {fresh.branch}; " if fresh.branch else ""
        lines.append(f"  {where}watching for changes: {self.watched}")
        if self.last_error:
            lines.append(f"  last error: {self.last_error}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        fresh = self.freshness
        return {
            "root": self.root,
            "state": fresh.state,
            "files": fresh.files,
            "chunks": fresh.chunks,
            "coverage": {"text": round(fresh.text_share, 4), "vectors": round(fresh.vector_share, 4)},
            "changed_files": fresh.changed_files,
            "skipped": dict(self.skipped),
            "index_kind": {"text": self.text_index, "vectors": self.vector_index},
            "disk_bytes": self.disk_bytes,
            "branch": fresh.branch,
            "watching": self.watched,
            "running": self.running,
            "last_error": self.last_error,
            "notes": list(fresh.notes),
        }


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """The model of this server, and the service that runs it."""

    name: str
    state: str  # "ready", "loading", "not loaded", "paused", "left alone", "not answering", "off"
    reason: str = ""
    dim: int = 0
    service: ServiceState | None = None
    note: str = ""  # what a reader must know of its vectors, as that they are cut

    def sentence(self) -> str:
        """One line for a reader, two where a service runs."""
        dim = f", {self.dim:,} dimensions" if self.dim else ""
        said = "; ".join(part for part in (self.reason, self.note) if part)
        line = f"model: {self.name} ({self.state}{dim})" + (f": {said}" if said else "")
        return f"{line}\nmodel service: {service_sentence(self.service)}" if self.service else line

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            "name": self.name,
            "state": self.state,
            "reason": self.reason,
            "dimension": self.dim,
            "note": self.note,
        }


def served_model(name: str, service: ServiceState | None) -> ModelStatus:
    """How a model that is on this machine does, by what its service says; without one none runs."""
    if service is None:
        return ModelStatus(name, "not loaded")
    if service.left_alone:
        return ModelStatus(name, "left alone", service.left_alone, service=service)
    if service.paused:
        return ModelStatus(name, "paused", service.paused, service=service)
    loaded = "ready" if service.children else "loading" if service.waiting else "not loaded"
    return ModelStatus(name, loaded, service=service)


def service_sentence(service: ServiceState) -> str:
    """What a service has and does, in one line."""
    private, shared, budget = (
        f"{size / MIB:,.0f} MiB" for size in (service.private_bytes, service.shared_bytes, service.budget_bytes)
    )
    children = counted(service.children, "process", "processes")
    work = f"{counted(service.clients, 'client')}, {children} of the model, {service.waiting:,} waiting"
    memory = f"memory {private} of its own of at most {budget}, {shared} shared"
    return f"pid {service.pid}, {work}; {memory}; pressure {service.level}" + (
        f" ({service.why})" if service.why else ""
    )


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `status` says."""

    roots: tuple[RootStatus, ...]
    model: ModelStatus
    memory_bytes: int  # resident, this process
    children_bytes: int  # resident, its children, those of a service that others use as well left out

    def sentence(self) -> str:
        """For a reader."""
        memory = f"memory: server {self.memory_bytes / MIB:.0f} MiB, its children {self.children_bytes / MIB:.0f} MiB"
        return "\n".join([*(root.sentence() for root in self.roots), self.model.sentence(), memory])

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            "roots": [root.as_json() for root in self.roots],
            "model": self.model.as_json(),
            "service": self.model.service.as_json() if self.model.service else None,
            "memory": {"server_bytes": self.memory_bytes, "children_bytes": self.children_bytes},
        }
