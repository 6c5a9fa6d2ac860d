"""Settings of walking and cutting files; mcp_server/settings.py says where values come from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class IndexSettings(BaseModel):
    """Which files are indexed and how they are cut."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_file_kb: int = Field(default=1024, ge=1, le=1 << 20, description="larger files are skipped, in KiB")
    max_chunk_chars: int = Field(default=1500, ge=200, le=20_000, description="a chunk's length, in characters")
    exclude: tuple[str, ...] = Field(default=(), description="more ignore patterns, in .gitignore's syntax")
    include_vendored: bool = Field(default=False, description="index node_modules, vendor and their kin")
