"""The model files of a user: which there are, in which state, and deleting one. Fetches nothing, loads nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from filelock import FileLock, Timeout

from embedding.child.tuning import note_path
from embedding.errors import EmbeddingError, ModelInvalidError, ModelMissingError
from embedding.files.digest import read_record, record_path
from embedding.files.footprint import estimate
from embedding.files.header import GgufHeader
from embedding.gguf import complete_spec, read_header
from embedding.model import KNOWN_MODELS, ModelSpec, spec_for
from embedding.sources import locate, lock_of, staging_of

_BATCH = 256  # tokens of a call while memory is not short (embedding/governor.py)


class State(StrEnum):
    """What is on this machine of a model."""

    HERE = "here"
    DAMAGED = "damaged"
    PARTLY = "partly fetched"
    MISSING = "not here"


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model and what there is of it: ``spec`` is completed by its file where that can be read."""

    spec: ModelSpec
    state: State
    path: Path | None = None  # None where there is no file
    bytes: int = 0  # on disk: of the file, or of what has been fetched so far
    fault: str = ""  # why it is damaged
    memory_bytes: int = 0  # that its first process takes at its peak; 0 where the file is not here to say it

    @property
    def name(self) -> str:
        """What to write in model.name to choose it."""
        return str(self.spec.path or self.spec.name)


def models_kept(directory: Path) -> list[KeptModel]:
    """The known models, here or not, then every other GGUF file in ``directory``, by name."""
    known = [kept_model(spec, directory) for spec in KNOWN_MODELS.values()]
    taken = {kept.path for kept in known}
    return known + [kept_model(_spec_of(path, directory), directory) for path in _files(directory) if path not in taken]


def kept_model(spec: ModelSpec, directory: Path) -> KeptModel:
    """What there is of one model. Its header is read, its weights are not (embedding/files/verify.py)."""
    path = locate(spec, directory)
    if path is None:
        so_far = _fetched_so_far(spec, directory)
        return KeptModel(spec, State.PARTLY if so_far else State.MISSING, bytes=so_far)
    size, record = path.stat().st_size, read_record(path)
    if record is not None:
        spec = replace(spec, licence=spec.licence or record.licence)
    try:
        header = read_header(path)
        whole = complete_spec(spec, header, path)
    except ModelInvalidError as error:
        return KeptModel(spec, State.DAMAGED, path, size, str(error))
    if record is not None and record.damage and record.is_of(path.stat()):
        return KeptModel(whole, State.DAMAGED, path, size, f"'codeloupe models verify' found that {record.damage}.")
    return KeptModel(whole, State.HERE, path, size, memory_bytes=_memory(whole, header))


def _memory(spec: ModelSpec, header: GgufHeader) -> int:
    batch = _BATCH if header.is_decoder else max(_BATCH, spec.window)
    return estimate(header, spec.window, batch, repack=spec.repack).total_bytes


def remove(path: Path, directory: Path) -> int:
    """Delete the model file at ``path``, its records and what was fetched of it; the bytes that are free now.

    Folders of a repository that are empty then go as well. Raises ModelMissingError where there is nothing,
    EmbeddingError where it is in use: being fetched, or (on Windows) loaded.
    """
    belongings = [path, record_path(path), note_path(path), staging_of(path)]
    freed = sum(map(_size, belongings))
    if not any(thing.exists() for thing in belongings):
        raise ModelMissingError(f"There is nothing of a model at {path}; see 'codeloupe models list'.")
    try:
        with FileLock(lock_of(path), timeout=0, mode=0o600):
            for thing in belongings:
                shutil.rmtree(thing) if thing.is_dir() else thing.unlink(missing_ok=True)
            with suppress(PermissionError):  # Windows: it is open; an empty file stays
                lock_of(path).unlink(missing_ok=True)  # held: whoever waits for it sees that it is gone, and makes one
    except Timeout:
        raise EmbeddingError(f"{path} is being fetched by another process; end that first.") from None
    except OSError as error:
        raise EmbeddingError(
            f"{path} cannot be deleted ({error.strerror or error}); where a process has it loaded, end it "
            "('codeloupe service stop', and editors that run codeloupe) and try again."
        ) from error
    _tidy(path.parent, directory)
    return freed


def _spec_of(path: Path, directory: Path) -> ModelSpec:
    """The spec by which a file in ``directory`` can be named: its hub name, its bare name, else its path."""
    parts = path.relative_to(directory).parts
    if len(parts) > 2:
        spec = spec_for("/".join(parts))
        return spec if spec.hub else spec_for(str(path))
    return spec_for(parts[0] if len(parts) == 1 else str(path))


def _files(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.rglob("*.gguf")):
        hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
        if path.is_file() and not hidden:
            yield path


def _fetched_so_far(spec: ModelSpec, directory: Path) -> int:
    return _size(staging_of(directory / spec.file_name)) if spec.file_name and spec.path is None else 0


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(inner.stat().st_size for inner in path.rglob("*") if inner.is_file())
    return path.stat().st_size if path.is_file() else 0


def _tidy(folder: Path, directory: Path) -> None:
    while folder != directory and directory in folder.parents and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
