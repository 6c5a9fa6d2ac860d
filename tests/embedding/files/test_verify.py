"""What `models verify` reads and finds, what is kept of models, and deleting one."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from embedding.child.tuning import note_path
from embedding.errors import EmbeddingError, ModelInvalidError, ModelMissingError
from embedding.files.digest import Record, read_record, record_path, remembered_sha256, write_record
from embedding.files.kept import State, kept_model, models_kept, remove
from embedding.files.verify import verify
from embedding.model import KNOWN_MODELS, ModelSpec, Part, spec_for
from embedding.sources import lock_of, staging_of
from tests.embedding.model_files import model_file


def put(path: Path, seed: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = np.random.default_rng(seed).normal(size=(3, 32)).astype(np.float32)
    return model_file(path, ["[PAD]", "a", "b"], rows)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def mine(models: Path) -> Path:
    return put(models / "mine.gguf")


def spec_of(path: Path) -> ModelSpec:
    return spec_for(str(path))


def faults(path: Path, spec: ModelSpec | None = None) -> list[str]:
    return [check.what for check in verify(spec or spec_of(path), path) if not check.well]


def rot(path: Path) -> None:
    """Change the last byte, as a disk does that forgets: the file's time stays."""
    stat = path.stat()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))


def test_a_sound_file_is_said_to_be_sound_with_what_was_looked_at(mine: Path) -> None:
    format_, model, content = verify(spec_of(mine), mine)
    size = f"{mine.stat().st_size:,}"
    assert format_.found.endswith(f"1 tensors that end at byte {size} of {size}")
    assert "32 dimensions, pooling mean" in model.found
    assert content.found.endswith("recorded now, at first sight")
    assert verify(spec_of(mine), mine)[2].found.endswith("as recorded at first sight")


def test_a_byte_that_changed_by_itself_is_found_and_the_file_is_not_loaded_any_more(mine: Path, models: Path) -> None:
    remembered_sha256(mine)
    rot(mine)
    assert remembered_sha256(mine)  # its length and age are believed at loading
    assert faults(mine) == ["sha256"]
    with pytest.raises(ModelInvalidError, match="though nobody wrote to it"):
        remembered_sha256(mine)
    kept = kept_model(spec_for("mine.gguf"), models)
    assert kept.state is State.DAMAGED
    assert "though nobody wrote to it" in kept.fault
    put(mine)
    assert faults(mine) == []
    assert remembered_sha256(mine)


def test_a_fetched_file_that_is_another_one_is_damaged_whatever_its_age(mine: Path) -> None:
    stat = mine.stat()
    write_record(mine, Record(stat.st_size, stat.st_mtime_ns, remembered_sha256(mine), "the hub, o/r"))
    assert faults(mine) == []
    put(mine, seed=4)
    assert faults(mine) == ["sha256"]
    with pytest.raises(ModelInvalidError, match="not the file that came from the hub, o/r"):
        remembered_sha256(mine)


def test_a_file_replaced_by_hand_is_recorded_anew(mine: Path) -> None:
    remembered_sha256(mine)
    put(mine, seed=4)
    os.utime(mine, ns=(1, 1))
    checks = verify(spec_of(mine), mine)
    assert checks[2].well
    assert "replaced since it was seen" in checks[2].found


def test_what_was_published_is_known_better_than_what_was_recorded(mine: Path) -> None:
    spec = replace(spec_of(mine), parts=(Part("mine.gguf", "0" * 64),))
    remembered_sha256(mine)
    assert faults(mine, spec) == ["sha256"]
    with pytest.raises(ModelInvalidError, match="whose sha256 is 000"):
        remembered_sha256(mine)


def test_a_file_that_is_cut_fails_in_its_tensors(mine: Path) -> None:
    remembered_sha256(mine)
    mine.write_bytes(mine.read_bytes()[:-1])
    assert faults(mine)[0] == "header and tensors"


def test_another_model_under_a_known_name_fails_as_that_model(models: Path) -> None:
    path = put(models / KNOWN_MODELS["coderankembed"].file_name)
    assert faults(path, KNOWN_MODELS["coderankembed"]) == ["model"]


def test_an_early_conversion_without_its_last_layers_is_refused(models: Path) -> None:
    spec = replace(KNOWN_MODELS["embeddinggemma-300m"], dim=32, parts=())
    path = put(models / spec.file_name)
    assert faults(path, spec) == ["model"]
    assert "lacks dense_2.weight, dense_3.weight" in verify(spec, path)[1].found


def test_everything_that_is_kept_is_listed_by_the_name_that_chooses_it(models: Path) -> None:
    put(models / "mine.gguf")
    put(models / "o" / "r" / "sub" / "f.gguf")
    put(models / "folder" / "other.gguf")
    put(models / ".hidden" / "x.gguf")
    (models / "broken.gguf").write_bytes(b"GGUF")
    kept = {one.name: one for one in models_kept(models)}
    others = {name: one.state for name, one in kept.items() if name not in KNOWN_MODELS}
    assert others == {
        "broken.gguf": State.DAMAGED,
        str(models / "folder" / "other.gguf"): State.HERE,
        "mine.gguf": State.HERE,
        "o/r/sub/f.gguf": State.HERE,
    }
    assert list(kept)[: len(KNOWN_MODELS)] == list(KNOWN_MODELS)
    for name in others:
        assert kept_model(spec_for(name), models).path == kept[name].path
    assert kept["mine.gguf"].spec.dim == 32


def test_a_model_that_is_partly_here_says_how_much(models: Path) -> None:
    staging = staging_of(models / KNOWN_MODELS["coderankembed"].file_name)
    staging.mkdir(parents=True)
    (staging / "part").write_bytes(bytes(1_234))
    kept = kept_model(KNOWN_MODELS["coderankembed"], models)
    assert (kept.state, kept.bytes) == (State.PARTLY, 1_234)
    assert kept_model(KNOWN_MODELS["nomic-embed-code"], models).state is State.MISSING


def test_removing_a_model_leaves_nothing_of_it_and_counts_the_bytes(models: Path) -> None:
    path = put(models / "o" / "r" / "f.gguf")
    remembered_sha256(path)
    note_path(path).write_text("{}")
    staging_of(path).mkdir()
    (staging_of(path) / "part").write_bytes(bytes(1_000))
    size = path.stat().st_size + record_path(path).stat().st_size + 2 + 1_000
    assert remove(path, models) == size
    assert list(models.rglob("*")) == []


def test_removing_one_model_leaves_the_others(models: Path) -> None:
    path, other = put(models / "o" / "r" / "f.gguf"), put(models / "o" / "r" / "f.gguf.old.gguf")
    remembered_sha256(other)
    remove(path, models)
    assert other.is_file()
    assert read_record(other) is not None


def test_a_model_that_is_being_fetched_or_is_not_there_is_not_removed(models: Path) -> None:
    path = put(models / "f.gguf")
    with FileLock(lock_of(path)), pytest.raises(EmbeddingError, match="being fetched by another process"):
        remove(path, models)
    assert path.is_file()
    with pytest.raises(ModelMissingError, match="nothing of a model"):
        remove(models / "other.gguf", models)


def test_a_file_that_the_system_will_not_delete_is_said_to_be_in_use(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(models / "f.gguf")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "The process cannot access the file because it is being used by another process")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(EmbeddingError, match=r"used by another process\); where a process has it loaded, end it"):
        remove(path, models)
