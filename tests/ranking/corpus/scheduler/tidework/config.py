"""Settings: read from YAML, checked before anything starts."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from tidework.retry import RetryPolicy


class ConfigError(Exception):
    """A configuration that cannot be used."""


@dataclass(frozen=True)
class DatabaseConfig:
    """Where the queue is."""

    url: str = "postgresql://localhost/tidework"
    pool_size: int = 8
    connect_timeout: float = 5.0


@dataclass(frozen=True)
class WorkerConfig:
    """How much one process does."""

    queues: tuple[str, ...] = ("default",)
    concurrency: int = 4
    grace_period: float = 30.0
    heartbeat_interval: float = 10.0


@dataclass(frozen=True)
class Config:
    """Everything a worker needs to know."""

    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    worker: WorkerConfig = field(default_factory=WorkerConfig)
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    webhook_url: str = ""
    mail_to: str = ""


def load_config(path: str) -> Config:
    """The settings in a YAML file, over the defaults, under ``TIDEWORK_DATABASE_URL``."""
    try:
        raw = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        raise ConfigError(f"no configuration file at {path}; copy config/default.yaml there") from None
    if url := os.environ.get("TIDEWORK_DATABASE_URL"):
        raw.setdefault("database", {})["url"] = url
    return Config(
        database=_section(DatabaseConfig, raw.get("database", {})),
        worker=_section(WorkerConfig, raw.get("worker", {})),
        retry=_section(RetryPolicy, raw.get("retry", {})),
    )


def _section(kind: type[Any], values: dict[str, Any]) -> Any:
    unknown = set(values) - {one.name for one in fields(kind)}
    if unknown:
        raise ConfigError(f"unknown setting {min(unknown)!r} in {kind.__name__}")
    return kind(**values)
