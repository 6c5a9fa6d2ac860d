"""Settings of the model and its processes; mcp_server/settings.py says where values come from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from embedding.machine.budget import Budget


class ModelSettings(BaseModel):
    """Which model gives meaning, and how it runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        default="all-minilm-l6-v2",
        description="a known model, one of the hub (owner/repo:Q8_0), a path to a GGUF file, or none",
    )
    directory: str = Field(default="", description="where model files are kept; empty: the user's data directory")
    table: str = Field(
        default="",
        description="the lookup table for sketches: a path, or none; empty: the model's own, else the shipped one",
    )
    processes: int = Field(default=0, ge=0, le=64, description="children that embed; 0: one for each core")
    query_threads: int = Field(
        default=0,
        ge=0,
        le=64,
        description="threads for a lone query; 0: one for a small model, else as many as cores, at most 4",
    )
    dimensions: int = Field(
        default=0,
        ge=0,
        description="components kept of each vector, the first ones, at a loss (docs/models.md); 0: all",
    )
    shared: bool = Field(
        default=True,
        description="whether all servers and commands share one embedding service; false: each runs the model itself",
    )
    idle_unload_s: float = Field(
        default=300.0, gt=0, description="after so long without work a process of the model ends, in seconds"
    )
    linger_s: float = Field(
        default=10.0,
        ge=0,
        description="how long the embedding service waits for another user when the last has gone, in seconds",
    )
    idle_exit_s: float = Field(
        default=900.0, gt=0, description="after so long without work the embedding service itself ends, in seconds"
    )


class MemorySettings(BaseModel):
    """What may be kept in memory and in caches."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: str = Field(
        default="50%",
        description="memory the model and its processes may take at any time: bytes (6GB, 512MiB) or a share of what "
        "this machine or container has (50%)",
    )
    considerate: bool = Field(
        default=True,
        description="whether the model steps back behind other work, and is half as large on battery or a busy machine",
    )
    vector_cache_mb: int = Field(
        default=512, ge=0, description="disk the shared vector cache may take, in MiB; 0 turns it off"
    )

    @field_validator("budget")
    @classmethod
    def _means_something(cls, budget: str) -> str:
        Budget.parse(budget)
        return budget
