"""Pulling by hub name, and through everything that a network and a disk do to a download."""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from embedding import sources
from embedding.errors import ModelInvalidError, ModelMissingError
from embedding.files.digest import read_record, remembered_sha256
from embedding.local import LocalEmbedder
from embedding.model import HubSource, ModelSpec, Part, Pooling, spec_for
from embedding.settings import ModelSettings
from embedding.sources import WAITING, locate, obtain
from tests.embedding.hub_server import Hub, forget_connections
from tests.embedding.model_files import model_file
from tests.embedding.waiting import LIMIT_S


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    """A small model."""
    rows = np.random.default_rng(7).normal(size=(64, 32)).astype(np.float32)
    return model_file(tmp_path / "source.gguf", [f"w{number}" for number in range(64)], rows).read_bytes()


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def filled(hub: Hub, content: bytes) -> Hub:
    """The hub with one small model, ``m-Q8_0.gguf``."""
    return put(hub, {"m-Q8_0.gguf": content})


def put(hub: Hub, files: dict[str, bytes]) -> Hub:
    hub.files = files
    hub.published = {name: hashlib.sha256(held).hexdigest() for name, held in files.items()}
    return hub


def small(content: bytes, **changes: object) -> ModelSpec:
    part = Part("m-Q8_0.gguf", hashlib.sha256(content).hexdigest(), len(content))
    spec = ModelSpec("small", "m.gguf", 32, Pooling.MEAN, 256, parts=(part,), sources=(HubSource("o/r"),))
    return replace(spec, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["o/r", "o/r:q8_0", "o/r/m-Q8_0.gguf"])
def test_a_file_of_the_hub_is_fetched_and_found_again_by_each_of_its_names(
    filled: Hub, models: Path, content: bytes, name: str
) -> None:
    path = obtain(spec_for(name), models)
    assert path == models / "o" / "r" / "m-Q8_0.gguf"
    assert path.read_bytes() == content
    for other in ("o/r", "o/r:Q8_0", "o/r/m-Q8_0.gguf"):
        assert locate(spec_for(other), models) == path
    assert locate(spec_for("o/r:Q4_0"), models) is None
    asked = filled.seen.total()
    assert obtain(spec_for(name), models) == path
    assert filled.seen.total() == asked  # nobody was asked again


def test_a_model_of_the_hub_says_itself_what_it_is_and_is_one_under_all_its_names(filled: Hub, models: Path) -> None:
    path = obtain(spec_for("o/r"), models)
    opened = [LocalEmbedder(spec_for(name), path, ModelSettings()) for name in ("o/r", "o/r:Q8_0")]
    assert (opened[0].dim, opened[0].spec.pooling, opened[0].spec.name) == (32, Pooling.MEAN, "o/r/m-Q8_0.gguf")
    assert opened[0].fingerprint == opened[1].fingerprint
    for one in opened:
        one.close()


def test_files_in_folders_of_a_repository_keep_their_folders(hub: Hub, models: Path, content: bytes) -> None:
    put(hub, {"Q8_0/m-Q8_0.gguf": content, "Q4_0/m-Q4_0.gguf": content})
    assert obtain(spec_for("o/r:Q4_0"), models) == models / "o" / "r" / "Q4_0" / "m-Q4_0.gguf"
    assert locate(spec_for("o/r"), models) == models / "o" / "r" / "Q4_0" / "m-Q4_0.gguf"  # the only one here
    obtain(spec_for("o/r:Q8_0"), models)
    with pytest.raises(ModelMissingError, match="may be any of 2 files"):
        locate(spec_for("o/r"), models)


def test_a_repository_of_several_files_is_answered_with_their_names(hub: Hub, models: Path, content: bytes) -> None:
    put(hub, {"m-Q8_0.gguf": content, "m-Q4_0.gguf": content})
    with pytest.raises(ModelMissingError, match=r"name one: o/r/m-Q8_0\.gguf, o/r/m-Q4_0\.gguf"):
        obtain(spec_for("o/r"), models)
    assert not models.exists()


def test_a_repository_that_is_not_there_and_one_that_wants_a_token_are_said_to_be_so(hub: Hub, models: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"files of x/y cannot be listed \(Hugging Face hub: it is not there\)"):
        obtain(spec_for("x/y"), models)
    hub.status = 401
    with pytest.raises(ModelMissingError, match=r"it wants a token \(HF_TOKEN\)"):
        obtain(spec_for("x/y"), models)


def test_a_page_in_place_of_the_hubs_answer_is_no_list_of_files(hub: Hub, models: Path) -> None:
    for page in (b"<html>Please log in to this network</html>", b"[]", b'"no"'):
        hub.page = page
        with pytest.raises(ModelMissingError, match="its answer is not understood"):
            obtain(spec_for("o/r"), models)


def test_what_was_fetched_is_recorded_with_its_source_and_licence(filled: Hub, models: Path, content: bytes) -> None:
    filled.licence = "apache-2.0"
    record = read_record(obtain(spec_for("o/r"), models))
    assert record is not None
    assert record.sha256 == hashlib.sha256(content).hexdigest()
    assert (record.origin, record.licence) == ("Hugging Face hub, o/r", "apache-2.0")


def test_a_fetched_file_that_is_another_one_later_is_refused_by_name(filled: Hub, models: Path, content: bytes) -> None:
    path = obtain(spec_for("o/r"), models)
    path.write_bytes(content[:-4] + b"\0\0\0\0")
    with pytest.raises(ModelInvalidError, match=r"m-Q8_0\.gguf was not loaded: it is not the file that came from"):
        LocalEmbedder(spec_for("o/r"), path, ModelSettings())
    path.write_bytes(content)  # touched, and the same
    assert remembered_sha256(path) == hashlib.sha256(content).hexdigest()


def test_a_file_put_there_by_hand_may_be_replaced_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"one")
    first = remembered_sha256(path)
    path.write_bytes(b"another")
    assert remembered_sha256(path) != first


def test_fetching_again_replaces_a_damaged_file_only_by_a_whole_one(filled: Hub, models: Path, content: bytes) -> None:
    path = obtain(spec_for("o/r"), models)
    path.write_bytes(b"damaged")
    filled.published["m-Q8_0.gguf"] = "0" * 64
    with pytest.raises(ModelMissingError, match="wrong sha256"):
        obtain(spec_for("o/r"), models, again=True)
    assert path.read_bytes() == b"damaged"
    put(filled, {"m-Q8_0.gguf": content})
    assert obtain(spec_for("o/r"), models, again=True).read_bytes() == content
    assert remembered_sha256(path) == hashlib.sha256(content).hexdigest()


def test_a_known_hash_is_asked_of_the_revision_that_has_it(hub: Hub, models: Path, content: bytes) -> None:
    put(hub, {"m-Q8_0.gguf": content})
    hub.revision = "abc123"
    spec = small(content, sources=(HubSource("o/r", revision="abc123"),))
    assert obtain(spec, models).read_bytes() == content
    with pytest.raises(ModelMissingError, match="it is not there"):
        obtain(small(content, file_name="other.gguf"), models)


def test_room_is_asked_for_with_figures_before_the_first_byte(
    filled: Hub, models: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    free = sources.ROOM_LEFT_BYTES + len(content) - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40, 1 << 40, free))
    with pytest.raises(ModelMissingError, match=r"small needs 0 MiB and 256 MiB to spare, and .*models has 256"):
        obtain(small(content), models)
    assert filled.ranges == []
    free += 1
    assert obtain(small(content), models).read_bytes() == content


def test_room_is_asked_only_for_what_is_still_to_come(
    filled: Hub, models: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    free = sources.ROOM_LEFT_BYTES + len(content) - 1_000
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40, 1 << 40, free))
    staging = models / ".m.gguf.parts"
    staging.mkdir(parents=True)
    (staging / "m-Q8_0.gguf").write_bytes(content[:1_000])
    assert obtain(small(content), models).read_bytes() == content
    assert filled.ranges == ["bytes=1000-"]


def test_a_disk_that_fills_up_meanwhile_is_said_and_what_came_is_kept(
    filled: Hub, models: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("huggingface_hub.file_download.http_get", full)
        with pytest.raises(ModelMissingError, match=r"no space left on device; make room or set model\.directory"):
            obtain(small(content), models)
    assert (models / ".m.gguf.parts").is_dir()
    assert obtain(small(content), models).read_bytes() == content


def test_a_damaged_file_that_is_in_use_is_left_and_what_was_fetched_is_kept(
    filled: Hub, models: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = obtain(small(content), models)
    path.write_bytes(b"damaged")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Access is denied")

    with monkeypatch.context() as patched:
        patched.setattr("embedding.files.digest.Path.replace", refuse)
        with pytest.raises(ModelMissingError, match="is in use and cannot be replaced; end what has it loaded"):
            obtain(small(content), models, again=True)
    filled.ranges.clear()
    assert obtain(small(content), models, again=True).read_bytes() == content
    assert filled.ranges == []


def test_a_hub_that_falls_silent_is_asked_for_the_rest(
    filled: Hub, models: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.2)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1_000)
    filled.stall_after = 5_000
    assert obtain(small(content), models).read_bytes() == content
    assert filled.ranges == ["", "bytes=5000-"]


def test_files_that_moved_are_followed(filled: Hub, models: Path, content: bytes) -> None:
    filled.moved = True
    assert obtain(small(content), models).read_bytes() == content
    assert filled.seen["GET /new/r/resolve/main/m-Q8_0.gguf"] == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_hub_in_trouble_is_not_taken_for_one_without_the_file(
    hub: Hub, models: Path, content: bytes, status: int
) -> None:
    hub.status = status
    with pytest.raises(ModelMissingError, match=f"it answered with status {status}"):
        obtain(small(content), models)


def test_a_user_who_wants_no_network_gets_none(
    filled: Hub, models: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    forget_connections()
    for spec in (small(content), spec_for("o/r")):
        with pytest.raises(ModelMissingError, match="it is not asked, for HF_HUB_OFFLINE is set"):
            obtain(spec, models)
    assert filled.seen.total() == 0


def test_the_proxy_of_the_environment_is_asked_in_place_of_the_hub(
    filled: Hub, models: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")  # nobody's name: only the proxy can answer
    monkeypatch.setenv("HTTP_PROXY", filled.address)
    monkeypatch.setenv("http_proxy", filled.address)
    monkeypatch.delenv("no_proxy")
    monkeypatch.delenv("NO_PROXY", raising=False)
    forget_connections()
    assert obtain(spec_for("o/r"), models).read_bytes() == content
    assert set(filled.hosts) == {"hub.invalid"}


def test_a_second_pull_says_that_it_waits_and_takes_what_the_first_one_brings(
    filled: Hub, models: Path, content: bytes
) -> None:
    filled.gate = gate = Event()
    news: list[str] = []
    begun = Event()

    def first(*_: object) -> None:
        begun.set()

    def heard(what: str, done: int, total: int) -> None:
        news.append(what)
        gate.set()  # only now does the first one get its content

    fetching = Thread(target=obtain, args=(small(content), models, first))
    fetching.start()
    while not filled.ranges and fetching.is_alive():
        begun.wait(0.01)  # until the first one holds the lock and asks for content
    assert obtain(small(content), models, heard).read_bytes() == content
    fetching.join(LIMIT_S)
    assert news == [f"{WAITING} small"]
    assert len(filled.ranges) == 1


def test_a_file_named_by_its_path_is_never_fetched_there(filled: Hub, tmp_path: Path) -> None:
    with pytest.raises(ModelMissingError, match=r"There is no file at .*Q4_K_M\.gguf; check the path"):
        obtain(spec_for(str(tmp_path / "nomic-embed-code.Q4_K_M.gguf")), tmp_path)
    assert filled.seen.total() == 0


def test_a_bare_file_name_is_looked_for_where_models_are_kept(models: Path, content: bytes) -> None:
    models.mkdir()
    (models / "mine.gguf").write_bytes(content)
    assert locate(spec_for("mine.gguf"), models) == models / "mine.gguf"
