"""`codeloupe models`: what there is, fetching it, checking it, deleting it, choosing it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from embedding.errors import EmbeddingError, ModelInvalidError, ModelMissingError
from embedding.files.kept import KeptModel, State, kept_model, models_kept, remove
from embedding.files.verify import verify
from embedding.model import ModelSpec, spec_for
from embedding.open import NO_MODEL
from embedding.settings import ModelSettings
from embedding.sources import locate, models_directory, obtain, source_name
from mcp_server.command_line.pulling import reading, shown
from mcp_server.command_line.settings_file import write_setting
from mcp_server.errors import RequestError
from mcp_server.home import data_directory
from mcp_server.settings import load, user_file

_NEW_VECTORS = (
    "Indexes get new vectors from the next start on; those of the model before stay in the vector cache, so that going "
    "back costs little."
)
_VARIABLE = "CODELOUPE_MODEL_NAME"


def show(overrides: Sequence[str], *, as_json: bool) -> int:
    """List the known models and whatever else is here; the chosen one is marked."""
    settings = _settings(overrides)
    directory = _directory(settings)
    kept = models_kept(directory)
    chosen = _chosen(settings, directory)
    if chosen is not None and not any(_same(one, chosen) for one in kept):
        kept.append(chosen)
    if as_json:
        click.echo(json.dumps([_as_json(one, chosen) for one in kept]))
    else:
        click.echo(_table(kept, chosen, directory))
    return 0


def pull(overrides: Sequence[str], name: str, *, as_json: bool) -> int:
    """Fetch one model; says where it is. What is damaged is fetched again."""
    settings = _settings(overrides)
    if not name and settings.name.lower() == NO_MODEL:
        _say({"name": NO_MODEL, "path": None}, "model.name is none: nothing to fetch.", as_json=as_json)
        return 0
    spec, directory = spec_for(name or settings.name), _directory(settings)
    had = kept_model(spec, directory)
    with shown(as_json=as_json) as progress:
        path = obtain(spec, directory, progress, again=had.state is State.DAMAGED and spec.path is None)
    kept = kept_model(spec, directory)
    if kept.state is State.DAMAGED:
        raise ModelInvalidError(kept.fault)
    done = "is" if had.state is State.HERE else "was fetched and is"
    sizes = f"{_size(kept.bytes)}, {_size(kept.memory_bytes)} of memory at work"
    said = f"{kept.name} {done} at {path} ({sizes}).{_said_of_prefixes(kept.spec)}"
    _say(
        {"event": "done", "fetched": had.state is not State.HERE, **_as_json(kept, _chosen(settings, directory))},
        said,
        as_json=as_json,
    )
    return 0


def check(overrides: Sequence[str], name: str, *, as_json: bool) -> int:
    """Read a whole model file and say what was found; 1 where it is not as it should be."""
    settings = _settings(overrides)
    spec, path = _here(settings, name)
    try:
        with reading(path.name):
            checks = verify(spec, path)
    except OSError as error:
        raise ModelInvalidError(
            f"The model file {path} cannot be read: {error.strerror or error}; mend that."
        ) from error
    well = all(one.well for one in checks)
    lines = [f"{'ok' if one.well else 'FAULT':5}  {one.what}: {one.found}" for one in checks]
    lines.append(f"{path} is whole." if well else f"{path} is not as it should be; {_mend(spec, name)}")
    facts = {"name": spec.name, "path": str(path), "well": well, "checks": [asdict(one) for one in checks]}
    _say(facts, "\n".join(lines), as_json=as_json)
    return 0 if well else 1


def delete(overrides: Sequence[str], name: str, *, as_json: bool) -> int:
    """Delete a model's file; it can be fetched again."""
    settings = _settings(overrides)
    spec, directory = spec_for(name), _directory(settings)
    path = locate(spec, directory) or directory / (spec.file_name or spec.name)
    if directory.absolute() not in path.absolute().parents:
        raise RequestError(f"{path} does not lie in {directory}, where models are kept; delete it yourself.")
    chosen = _chosen(settings, directory)
    if chosen is not None and chosen.path is not None and chosen.path.absolute() == path.absolute():
        raise RequestError(
            f"{name} is the model that model.name chooses; choose another first, or none: 'codeloupe models use NAME'."
        )
    pid = _service_of(spec, path)
    if pid:
        raise RequestError(
            f"{name} is run by the embedding service (process {pid}); end that first: 'codeloupe service stop'."
        )
    freed = remove(path, directory)
    _say(
        {"name": name, "path": str(path), "freed": freed},
        f"{name} was deleted at {path}; {_size(freed)} are free.",
        as_json=as_json,
    )
    return 0


def use(overrides: Sequence[str], name: str, *, as_json: bool) -> int:
    """Write the choice into the user's settings and say what follows from it. Fetches nothing."""
    settings = _settings(overrides)
    wanted = _as_written(name)
    write_setting(user_file(), "model", "name", wanted)
    notes = _notes(settings, wanted)
    said = f"model.name is {wanted} in {user_file()}."
    facts = {"name": wanted, "was": settings.name, "file": str(user_file()), "notes": notes}
    _say(facts, "\n".join([said, *notes]), as_json=as_json)
    return 0


def _as_written(name: str) -> str:
    """The name as the settings are to have it: a known one in its own letters, a path from the root."""
    if name.lower() == NO_MODEL:
        return NO_MODEL
    spec = spec_for(name)
    if spec.path is None:
        return str(spec.hub or spec.name)
    if spec.path.parent == Path() and not spec.path.exists():
        return str(spec.path)  # one in the directory of models
    if not spec.path.is_file():
        raise ModelMissingError(f"There is no model file at {spec.path.absolute()}; check the path.")
    return str(spec.path.absolute())


def _notes(before: ModelSettings, name: str) -> list[str]:
    """What the user should know after a choice."""
    notes = []
    if os.environ.get(_VARIABLE):
        notes.append(f"The environment variable {_VARIABLE} is set and goes before it; remove that.")
    if name == NO_MODEL:
        return [*notes, "Search goes on by words and names."]
    chosen = before.model_copy(update={"name": name})
    spec, directory = spec_for(name), _directory(chosen)
    kept = kept_model(spec, directory)
    if kept.state is State.DAMAGED:
        notes.append(f"Its file is damaged: {kept.fault}")
    elif kept.path is None:
        way = f"put it into {directory}" if spec.path is not None else f"run 'codeloupe models pull {name}'"
        notes.append(f"It is not here yet: {way}.")
    elif kept.memory_bytes:
        notes.append(f"At work it takes {_size(kept.memory_bytes)} of memory.")
    if kept.spec.dim and before.dimensions >= kept.spec.dim:
        notes.append(f"model.dimensions is {before.dimensions}, and it has {kept.spec.dim}: remove that setting.")
    if name != before.name:
        notes.append(_NEW_VECTORS)
    return notes + ([_said_of_prefixes(kept.spec).strip()] if not kept.spec.prefixes_known else [])


def _settings(overrides: Sequence[str]) -> ModelSettings:
    return load(None, overrides).settings.model


def _directory(settings: ModelSettings) -> Path:
    return models_directory(settings, data_directory())


def _here(settings: ModelSettings, name: str) -> tuple[ModelSpec, Path]:
    """The spec and the file of a model that must be here."""
    if not name and settings.name.lower() == NO_MODEL:
        raise RequestError("model.name is none; name a model.")
    spec = spec_for(name or settings.name)
    path = locate(spec, _directory(settings))
    if path is None and spec.path is not None:
        raise ModelMissingError(f"There is no model file at {spec.path.absolute()}; check the path.")
    if path is None:
        raise ModelMissingError(f"{spec.name} is not here; see 'codeloupe models list'.")
    return spec, path


def _chosen(settings: ModelSettings, directory: Path) -> KeptModel | None:
    """What model.name chooses; None for none, and for what cannot be told."""
    if settings.name.lower() == NO_MODEL:
        return None
    try:
        return kept_model(spec_for(settings.name), directory)
    except EmbeddingError:
        return None


def _service_of(spec: ModelSpec, path: Path) -> int:
    """The process that serves this model file, 0 where none does."""
    from embedding.client import place_for  # with all that runs a model; the other commands need none of it

    try:
        note = place_for(spec, path, data_directory()).note()
    except EmbeddingError:
        return 0  # not there, or damaged: nothing can run it
    return note.pid if note is not None and note.is_alive() else 0


def _same(one: KeptModel, other: KeptModel) -> bool:
    return one.path == other.path if one.path or other.path else one.name == other.name


def _as_json(kept: KeptModel, chosen: KeptModel | None) -> dict[str, object]:
    spec = kept.spec
    return {
        "name": kept.name,
        "chosen": chosen is not None and _same(kept, chosen),
        "state": str(kept.state),
        "fault": kept.fault,
        "path": str(kept.path) if kept.path else "",
        "bytes": kept.bytes,
        "memory_bytes": kept.memory_bytes,
        "fetch_bytes": kept.spec.fetch_bytes,
        "dimension": spec.dim,
        "pooling": str(spec.pooling or ""),
        "context": spec.context,
        "window": spec.window,
        "parameters": spec.parameters,
        "licence": spec.licence,
        "query_prefix": spec.query_prefix,
        "document_prefix": spec.document_prefix,
        "prefixes_known": spec.prefixes_known,
        "sources": [source_name(source) for source in spec.sources],
    }


def _table(kept: Sequence[KeptModel], chosen: KeptModel | None, directory: Path) -> str:
    width = max(len(one.name) for one in kept)
    lines = [f"  {'name':{width}}  dimensions     on disk      memory  {'licence':18}  state"]
    for one in kept:
        mark = "*" if chosen is not None and _same(one, chosen) else " "
        dim, licence = f"{one.spec.dim:,}" if one.spec.dim else "?", one.spec.licence or "?"
        size, memory = (_size(count) if count else "-" for count in (one.bytes, one.memory_bytes))
        sizes = f"{dim:>10}  {size:>10}  {memory:>10}"
        lines.append(f"{mark} {one.name:{width}}  {sizes}  {licence:18}  {one.state}{_to_fetch(one)}")
        if one.fault:
            lines.append(f"    {one.fault}")
    lines.append("memory: of a first process at its peak; further ones share the file's part of it.")
    lines.append(f"* is chosen by model.name ('codeloupe models use NAME' changes it); files are kept in {directory}.")
    return "\n".join(lines)


def _to_fetch(kept: KeptModel) -> str:
    left = 0 if kept.path else kept.spec.fetch_bytes - kept.bytes
    return f", {_size(left)} to fetch" if left > 0 else ""


def _mend(spec: ModelSpec, name: str) -> str:
    if spec.path is not None:
        return "put a whole file there, or name another model."
    return f"'codeloupe models pull{' ' + name if name else ''}' fetches it again."


def _said_of_prefixes(spec: ModelSpec) -> str:
    if spec.prefixes_known:
        return ""
    return (
        " Whether its makers want words before queries or documents is not known here, so none are put there; "
        "a floor for its hits is set with search.min_similarity."
    )


def _size(count: int) -> str:
    return f"{count / 2**30:,.1f} GiB" if count >= 2**30 else f"{count / 2**20:,.0f} MiB"


def _say(facts: Mapping[str, object], sentence: str, *, as_json: bool) -> None:
    click.echo(json.dumps(facts) if as_json else sentence)
