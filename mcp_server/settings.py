"""One typed tree of settings, and where each value came from.

Layers, later ones win: defaults, the user's file, the project's file, ``CODELOUPE_SECTION_KEY`` in the environment,
``--set section.key=value``. A project's file comes with somebody's repository, so it may say how to index and search
that repository, and nothing about models, places on disk or memory.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from embedding.settings import MemorySettings, ModelSettings
from indexer.settings import IndexSettings
from mcp_server.errors import ConfigError
from storage.settings import StorageSettings

PROJECT_FILE = ".codeloupe.toml"
PROJECT_SECTIONS = frozenset({"index", "search"})
ENV_PREFIX = "CODELOUPE_"
# The owner's names for two settings, honoured beside their systematic ones.
ENV_ALIASES = {"STORAGE_BACKEND": "storage.backend"}

Tree = dict[str, dict[str, Any]]


class SearchSettings(BaseModel):
    """How answers are made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: int = Field(default=10, ge=1, le=100, description="hits in an answer when the caller names no number")
    max_tokens: int = Field(
        default=2_000, ge=100, le=12_000, description="most tokens in an answer when the caller names no number"
    )
    first_answer_wait_s: float = Field(
        default=5.0, ge=0, le=60, description="how long a search waits for the first index of a root, in seconds"
    )
    write_behind: bool = Field(
        default=True,
        description="whether the first search of a small directory in a terminal leaves writing its index to the "
        "background; false: it writes first and answers then",
    )
    model_wait_s: float = Field(
        default=5.0, ge=0, le=60, description="how long a search waits for its query's vector, in seconds"
    )
    min_similarity: float = Field(
        default=-1.0, ge=-1, le=1, description="floor for hits by meaning; -1: the model's own"
    )


class ServeSettings(BaseModel):
    """What a server does beside answering."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics_port: int = Field(
        default=-1,
        ge=-1,
        le=65_535,
        description="port of the loopback addresses where metrics can be scraped (docs/metrics.md), the same for all "
        "servers; -1: none, 0: any free one",
    )


class Settings(BaseModel):
    """Everything that can be set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: ModelSettings = Field(default_factory=ModelSettings)
    storage: StorageSettings = Field(default_factory=StorageSettings)
    memory: MemorySettings = Field(default_factory=MemorySettings)
    index: IndexSettings = Field(default_factory=IndexSettings)
    search: SearchSettings = Field(default_factory=SearchSettings)
    serve: ServeSettings = Field(default_factory=ServeSettings)


@dataclass(frozen=True, slots=True)
class Layer:
    """Values from one place; ``source`` is what a message calls that place."""

    source: str
    values: Tree


@dataclass(frozen=True, slots=True)
class Sourced:
    """Settings, and for each ``section.key`` the place its value came from."""

    settings: Settings
    sources: Mapping[str, str]


def user_file() -> Path:
    """Where a user's own settings live on this system."""
    return Path(platformdirs.user_config_dir("codeloupe", appauthor=False)) / "config.toml"


def load(root: Path | None = None, overrides: Iterable[str] = (), environ: Mapping[str, str] | None = None) -> Sourced:
    """Settings for ``root``: every layer that exists, merged and validated.

    Raises ConfigError naming the file, variable or flag at fault.
    """
    layers = [file_layer(user_file())]
    if root is not None:
        layers.append(project_layer(root / PROJECT_FILE))
    layers += env_layers(os.environ if environ is None else environ)
    layers += [flag_layer(flag) for flag in overrides]
    return merge(layers)


def file_layer(path: Path) -> Layer:
    """The values of a TOML file; a missing file has none."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        values = {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as TOML ({error}); mend or remove it.") from error
    for section, content in values.items():
        if not isinstance(content, dict):
            raise ConfigError(f"{path}: {section!r} stands outside a section; put it under one of {_sections()}.")
    return Layer(str(path), values)


def project_layer(path: Path) -> Layer:
    """A repository's own file: how to index and search it, nothing else."""
    layer = file_layer(path)
    for section in layer.values:
        if section in Settings.model_fields and section not in PROJECT_SECTIONS:
            raise ConfigError(f"{path}: [{section}] may not be set by a repository; move it to {user_file()}.")
    return layer


def env_layers(environ: Mapping[str, str]) -> list[Layer]:
    """One layer a variable, so that a bad one can be named."""
    layers = []
    for name, value in sorted(environ.items()):
        dotted = ENV_ALIASES.get(name)
        if name.startswith(ENV_PREFIX):
            dotted = name.removeprefix(ENV_PREFIX).lower().replace("_", ".", 1)
        if dotted:
            layers.append(_single(dotted, value, f"environment variable {name}"))
    return layers


def flag_layer(flag: str) -> Layer:
    """``section.key=value`` from the command line."""
    dotted, equals, value = flag.partition("=")
    if not equals:
        raise ConfigError(f"--set {flag!r} has no value; write --set section.key=value.")
    return _single(dotted.strip(), value, f"--set {dotted.strip()}")


def merge(layers: Iterable[Layer]) -> Sourced:
    """Lay the layers over each other and validate the whole; a bad value is traced to its layer."""
    tree: Tree = {section: {} for section in Settings.model_fields}
    sources: dict[str, str] = {}
    for layer in layers:
        for section, content in layer.values.items():
            for key, value in content.items():
                tree.setdefault(section, {})[key] = value
                sources[f"{section}.{key}"] = layer.source
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(_sentence(error, sources)) from error
    defaults = dict.fromkeys(_keys(), "default")
    return Sourced(settings, defaults | sources)


def _single(dotted: str, value: str, source: str) -> Layer:
    section, dot, key = dotted.partition(".")
    if not dot:
        raise ConfigError(f"{source}: {dotted!r} names no setting; write section.key, section one of {_sections()}.")
    return Layer(source, {section: {key: _plain(section, key, value)}})


def _plain(section: str, key: str, value: str) -> Any:
    """A string as pydantic wants it; list settings take JSON or commas."""
    model = _models().get(section)
    field = model.model_fields.get(key) if model else None
    if field is None or "tuple" not in str(field.annotation):
        return value
    if value.startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return [part.strip() for part in value.split(",") if part.strip()]


def _models() -> dict[str, type[BaseModel]]:
    return {section: cast("type[BaseModel]", field.annotation) for section, field in Settings.model_fields.items()}


def _keys() -> list[str]:
    return [f"{section}.{key}" for section, model in _models().items() for key in model.model_fields]


def _sections() -> str:
    return ", ".join(Settings.model_fields)


def _sentence(error: ValidationError, sources: Mapping[str, str]) -> str:
    """The first fault, with its place and what would be allowed."""
    fault = error.errors()[0]
    section, key = str(fault["loc"][0]), ".".join(str(part) for part in fault["loc"][1:2])
    dotted = f"{section}.{key}" if key else section
    place = sources.get(dotted) or next(
        (sources[name] for name in sources if name.startswith(f"{section}.")), "defaults"
    )
    if fault["type"] == "extra_forbidden":
        known = ", ".join(name for name in _keys() if name.startswith(f"{section}.")) or _sections()
        return f"{place}: {dotted} is no setting; known here: {known}."
    why = fault["msg"].removeprefix("Value error, ").rstrip(".")  # what pydantic puts before a validator's own words
    return f"{place}: {dotted} = {fault['input']!r} is not allowed ({why}); correct or remove it there."
