"""Model files in the user's data directory: where they are, and how one gets there.

``locate`` only looks. ``obtain`` alone may use the network, and does nothing where the file is there already.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from embedding.errors import ModelMissingError, SourceError
from embedding.files.digest import Record, file_sha256, write_record
from embedding.files.hub import Progress, Repository, describe, fetch_part, left_of, look_into
from embedding.files.hub_name import HubName, chosen_file
from embedding.gguf import complete_spec, read_header
from embedding.model import HubSource, ModelSpec, Part, Source
from embedding.settings import ModelSettings

LOCK_TIMEOUT_S = 3600.0  # another process fetches the same file; 4 GB over a slow line take that long
WAITING = "waiting for another process that fetches"
ROOM_LEFT_BYTES = 256 << 20  # what a download leaves free for everything else


@dataclass(frozen=True, slots=True)
class Fetched:
    """Which source gave the published files of a model, and the sha256 of each by its name."""

    source: Source
    sha256: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Staging:
    """A model's own directory beside its file, where parts are gathered; it stays after a failure, to be resumed."""

    directory: Path
    progress: Progress


def models_directory(settings: ModelSettings, data_dir: Path) -> Path:
    """Where model files are kept: the directory of the settings, else ``models`` in the user's data directory."""
    return Path(settings.directory).expanduser() if settings.directory else data_dir / "models"


def locate(spec: ModelSpec, directory: Path) -> Path | None:
    """The model's file, where it is on this machine. Reads no content and fetches nothing.

    A file named without a directory is looked for in ``directory`` first. Raises ModelMissingError where a hub name
    may mean several files that are here.
    """
    if spec.hub is not None and not spec.file_name:
        return _locate_by_hub_name(spec.hub, directory)
    path = spec.path or directory / spec.file_name
    if spec.path is not None and not spec.path.is_absolute() and (directory / spec.path).is_file():
        path = directory / spec.path
    return path if path.is_file() else None


def _locate_by_hub_name(name: HubName, directory: Path) -> Path | None:
    home = directory.joinpath(*name.repo.split("/"))
    files = sorted(path.relative_to(home) for path in home.rglob("*.gguf") if path.is_file())
    here = [path.as_posix() for path in files if not any(part.startswith(".") for part in path.parts)]
    return home / chosen_file(name, here) if any(map(name.means, here)) else None


def staging_of(path: Path) -> Path:
    """Where the parts of the model file at ``path`` are gathered."""
    return path.with_name(f".{path.name}.parts")


def lock_of(path: Path) -> Path:
    """What is locked by the process that fetches the model file at ``path``."""
    return path.with_name(f".{path.name}.lock")


def obtain(spec: ModelSpec, directory: Path, progress: Progress | None = None, *, again: bool = False) -> Path:
    """The model's file, fetched from the first source that answers if it is not there yet (or, with ``again``, anew).

    What is fetched is verified by sha256, converted where need be, checked, and only then given its name; two
    processes that ask at once make one download. ``progress`` hears (what, bytes so far, bytes in all or 0).
    Raises ModelMissingError, which names each source and its cause, or says that the disk is full or closed.
    """
    path = None if again else locate(spec, directory)
    if path is not None:
        return path
    if spec.path is not None:
        raise ModelMissingError(
            f"There is no file at {spec.path}; check the path, or name a known model or one of the hub."
        )
    try:
        return _obtain_locked(spec, directory, progress or _unheard, again=again)
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


def _obtain_locked(spec: ModelSpec, directory: Path, progress: Progress, *, again: bool) -> Path:
    known = spec if spec.file_name else _looked_up(spec)
    path = directory / known.file_name
    before = _written_at(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(spec, path, progress):
        if path.is_file() and (not again or _written_at(path) != before):
            return path  # somebody else has fetched it meanwhile
        staging = _Staging(staging_of(path), progress)
        staging.directory.mkdir(mode=0o700, exist_ok=True)
        _publish(known, path, staging)
        shutil.rmtree(staging.directory, ignore_errors=True)
    return path


def _written_at(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


@contextmanager
def _alone(spec: ModelSpec, path: Path, progress: Progress) -> Iterator[None]:
    lock = FileLock(lock_of(path), timeout=LOCK_TIMEOUT_S, mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        progress(f"{WAITING} {spec.name}", 0, 0)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _looked_up(spec: ModelSpec) -> ModelSpec:
    """The spec of a hub name with the one file that it means, which the hub alone may know."""
    assert spec.hub is not None
    (source,) = (source for source in spec.sources if isinstance(source, HubSource))
    try:
        held: Repository = look_into(source)
    except SourceError as error:
        raise ModelMissingError(
            f"The files of {source.repo} cannot be listed (Hugging Face hub: {error}); check the name, "
            "or try again with a network."
        ) from error
    file = chosen_file(spec.hub, held.files)
    folder, _, name = file.rpartition("/")
    return replace(
        spec,
        name=f"{source.repo}/{file}",
        file_name=f"{source.repo}/{file}",
        licence=spec.licence or held.licence,
        parts=(Part(name),),
        sources=(replace(source, folder=folder),),
    )


def _publish(spec: ModelSpec, path: Path, staging: _Staging) -> None:
    """Gather, make, check and record the file, and give it its name at last."""
    fetched = fetch_parts(spec, staging.directory, staging.progress)
    ready = _make(spec, staging.directory)
    complete_spec(spec, read_header(ready), ready)
    ready.chmod(0o600)
    stat, sha256 = ready.stat(), fetched.sha256.get(ready.name) or file_sha256(ready)
    write_record(path, Record(stat.st_size, stat.st_mtime_ns, sha256, source_name(fetched.source), spec.licence))
    _put_in_place(ready, path)


def _put_in_place(ready: Path, path: Path) -> None:
    try:
        ready.replace(path)
    except PermissionError as error:
        if not path.exists():
            raise
        raise ModelMissingError(  # Windows, where what is mapped cannot be replaced
            f"{path} is in use and cannot be replaced; end what has it loaded ('codeloupe service stop', and editors "
            "that run codeloupe) and pull again: what was fetched is kept."
        ) from error


def fetch_parts(spec: ModelSpec, directory: Path, progress: Progress) -> Fetched:
    """Bring the published files of ``spec`` into ``directory``, verified, from the first source that has them all.

    Raises ModelMissingError, which names each source and its cause, or says what room is wanted.
    """
    causes: list[str] = []
    for source in spec.sources:
        try:
            return Fetched(source, _fetch_from(source, spec, _Staging(directory, progress)))
        except SourceError as error:
            causes.append(f"{source_name(source)}: {error}")
    raise ModelMissingError(
        f"No source gave the model {spec.name} ({'; '.join(causes)}). Search by words and names goes on without it; "
        f"try 'codeloupe models pull {spec.name}' again with a network, or put {spec.file_name} where models are kept "
        "yourself."
    )


def _fetch_from(source: Source, spec: ModelSpec, staging: _Staging) -> dict[str, str]:
    """The sha256 of each part, all of them verified and in the staging directory."""
    made = spec.file_bytes if spec.quantisation else 0
    if isinstance(source, HubSource):
        described = [(part, describe(source, part), staging.directory / part.name) for part in spec.parts]
        to_come = sum(left_of(published, target) for _, published, target in described)
        _want_room(spec, staging.directory, made + to_come)
        for part, published, target in described:
            fetch_part(published, part, target, staging.progress)
        return {part.name: published.sha256 for part, published, _ in described}
    from embedding.files.wheel import fetch_from_wheel

    packed_and_unpacked = 2 * sum(part.bytes for part in spec.parts)
    _want_room(spec, staging.directory, made + packed_and_unpacked)
    staging.progress(source.requirement, 0, 0)
    fetch_from_wheel(source, spec.parts, staging.directory)
    return {part.name: part.sha256 for part in spec.parts}


def _want_room(spec: ModelSpec, directory: Path, needed: int) -> None:
    """Refuse before the first byte what would not fit. Raises ModelMissingError with the figures."""
    free = shutil.disk_usage(directory).free
    if free < needed + ROOM_LEFT_BYTES:
        raise ModelMissingError(
            f"{spec.name} needs {_mib(needed)} and {_mib(ROOM_LEFT_BYTES)} to spare, and {directory.parent} has "
            f"{_mib(free)} free; nothing was fetched: make room or set model.directory."
        )


def _mib(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"


def source_name(source: Source) -> str:
    """A source in words."""
    if isinstance(source, HubSource):
        return f"Hugging Face hub, {source.repo}"
    return f"Python package registry, {source.requirement}"


def _make(spec: ModelSpec, staging: Path) -> Path:
    if not spec.quantisation:
        return staging / spec.parts[0].name
    from embedding.files.convert import BertShape, convert_bert

    weights, vocabulary = (staging / part.name for part in spec.parts)
    target = staging / f"{os.getpid()}.gguf"
    convert_bert(weights, vocabulary, target, BertShape(spec.name, spec.licence), spec.quantisation)
    return target
