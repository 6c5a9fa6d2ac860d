"""Settings of the index's storage; mcp_server/settings.py says where values come from."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class StorageSettings(BaseModel):
    """How chunks and vectors are kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: Literal["lancedb", "memory"] = Field(
        default="lancedb", description="lancedb keeps the index on disk; memory forgets it at exit"
    )
    directory: str = Field(default="", description="where indexes are kept; empty: the user's data directory")
    vector_index: Literal["auto", "ivf_pq", "ivf_rq", "ivf_hnsw_sq", "exact"] = Field(
        default="auto", description="auto scans exactly while rows are few and builds IVF-PQ above"
    )
