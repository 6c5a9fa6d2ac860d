"""What `status` says, as values with a sentence and a JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
    """The model of this server."""

    name: str
    state: str  # "ready", "not loaded", "off"
    reason: str = ""
    dim: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that `status` says."""

    roots: tuple[RootStatus, ...]
    model: ModelStatus
    memory_bytes: int  # resident, this process
    children_bytes: int  # resident, its children: models and indexing

    def sentence(self) -> str:
        """For a reader."""
        dim = f", {self.model.dim} dimensions" if self.model.dim else ""
        model = f"model: {self.model.name} ({self.model.state}{dim})" + (
            f": {self.model.reason}" if self.model.reason else ""
        )
        memory = f"memory: server {self.memory_bytes / MIB:.0f} MiB, its children {self.children_bytes / MIB:.0f} MiB"
        return "\n".join([*(root.sentence() for root in self.roots), model, memory])

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        return {
            "roots": [root.as_json() for root in self.roots],
            "model": {
                "name": self.model.name,
                "state": self.model.state,
                "reason": self.model.reason,
                "dimension": self.model.dim,
            },
            "memory": {"server_bytes": self.memory_bytes, "children_bytes": self.children_bytes},
        }
