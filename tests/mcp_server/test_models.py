"""`codeloupe models`, as it is typed, in directories of its own and against a hub on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from embedding.client import place_for
from embedding.model import spec_for
from embedding.shared.place import ServiceNote
from mcp_server import settings
from mcp_server.cli import main
from mcp_server.command_line import model_commands
from tests.embedding.hub_server import Hub, running_hub
from tests.embedding.model_files import model_file


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's directories, none of them the real ones."""
    user_file = tmp_path / "config" / "config.toml"
    monkeypatch.setattr(settings, "user_file", lambda: user_file)
    monkeypatch.setattr(model_commands, "user_file", lambda: user_file)
    monkeypatch.setattr(model_commands, "data_directory", lambda: tmp_path / "data")
    monkeypatch.delenv("CODELOUPE_MODEL_NAME", raising=False)
    return tmp_path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    rows = np.random.default_rng(7).normal(size=(64, 32)).astype(np.float32)
    content = model_file(tmp_path / "source.gguf", [f"w{number}" for number in range(64)], rows).read_bytes()
    with running_hub(monkeypatch) as hub:
        hub.files = {"m-Q8_0.gguf": content}
        hub.published = {"m-Q8_0.gguf": hashlib.sha256(content).hexdigest()}
        yield hub


def run(*words: str) -> Result:
    return CliRunner().invoke(main, ["models", *words])


def told(*words: str) -> dict[str, object]:
    """The last object that a command prints with --json."""
    ran = run(*words, "--json")
    assert ran.exit_code == 0, ran.output
    last: dict[str, object] = json.loads(ran.stdout.splitlines()[-1])
    return last


def test_without_a_command_models_are_listed_and_the_chosen_one_is_marked() -> None:
    lines = run().stdout.splitlines()
    assert lines == run("list").stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("* ") and "not here" in line] == ["all-minilm-l6-v2"]
    rows = json.loads(run("--json").stdout)
    assert [row["name"] for row in rows if row["chosen"]] == ["all-minilm-l6-v2"]
    assert {row["name"]: row["dimension"] for row in rows}["nomic-embed-code"] == 3584


def test_a_model_of_the_hub_is_pulled_chosen_verified_and_removed(hub: Hub, home: Path) -> None:
    fetched = told("pull", "o/r")
    path = home / "data" / "models" / "o" / "r" / "m-Q8_0.gguf"
    size = path.stat().st_size
    assert (fetched["event"], fetched["fetched"], fetched["path"], fetched["bytes"]) == ("done", True, str(path), size)
    assert (fetched["name"], fetched["dimension"], fetched["licence"]) == ("o/r/m-Q8_0.gguf", 32, "mit")
    assert told("pull", "o/r")["fetched"] is False
    assert [row["memory_bytes"] > size for row in json.loads(run("--json").stdout) if row["path"]] == [True]
    chosen = told("use", "o/r:Q8_0")
    assert chosen["name"] == "o/r:Q8_0"
    assert "of memory" in str(chosen["notes"])
    assert [row["name"] for row in json.loads(run("--json").stdout) if row["chosen"]] == ["o/r/m-Q8_0.gguf"]
    assert told("verify")["well"] is True
    refused = run("remove", "o/r")
    assert refused.exit_code == 2
    assert "o/r is the model that model.name chooses; choose another first" in refused.stderr
    told("use", "none")
    freed = told("remove", "o/r")["freed"]
    assert isinstance(freed, int)
    assert freed > size
    assert list((home / "data" / "models").rglob("*")) == []


def test_a_model_that_a_service_runs_is_not_removed_until_that_has_ended(hub: Hub, home: Path) -> None:
    path = Path(str(told("pull", "o/r")["path"]))
    place = place_for(spec_for("o/r"), path, home / "data")
    note = ServiceNote.of_this_process("nowhere", b"key")
    place.make()
    place.write(note)
    refused = run("remove", "o/r:Q8_0")
    assert refused.exit_code == 2
    assert f"o/r:Q8_0 is run by the embedding service (process {note.pid}); end that first" in refused.stderr
    assert path.is_file()
    place.clear(note)
    assert run("remove", "o/r").exit_code == 0


def test_a_pull_says_what_is_not_known_of_a_model_and_how_far_it_is(hub: Hub) -> None:
    ran = run("pull", "o/r")
    assert "was fetched and is at" in ran.stdout
    assert "Whether its makers want words before queries or documents is not known here" in ran.stdout
    assert "m-Q8_0.gguf: 0 of 0 MiB" in ran.stderr
    events = [json.loads(line) for line in run("pull", "o/r", "--json").stdout.splitlines()]
    assert [event["event"] for event in events] == ["done"]


def test_a_damaged_file_is_told_by_verify_and_the_list_and_fetched_again_by_pull(hub: Hub) -> None:
    path = Path(str(told("pull", "o/r")["path"]))
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    found = run("verify", "o/r")
    assert found.exit_code == 1
    assert "FAULT  sha256" in found.stdout
    assert "'codeloupe models pull o/r' fetches it again" in found.stdout
    assert "it is not the file that came from Hugging Face hub, o/r" in run().stdout
    assert told("pull", "o/r")["fetched"] is True
    assert run("verify", "o/r").exit_code == 0


def test_a_choice_keeps_what_else_is_in_the_settings_and_says_what_follows(home: Path) -> None:
    file = home / "config" / "config.toml"
    file.parent.mkdir()
    file.write_text('# mine\n[model]\nname = "none"  # for now\ndimensions = 4000\n')
    said = run("use", "Nomic-Embed-Code").stdout
    assert file.read_text() == '# mine\n[model]\nname = "nomic-embed-code"  # for now\ndimensions = 4000\n'
    assert "run 'codeloupe models pull nomic-embed-code'" in said
    assert "model.dimensions is 4000, and it has 3584: remove that setting" in said
    assert "Indexes get new vectors from the next start on" in said


def test_a_choice_that_the_environment_overrules_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODELOUPE_MODEL_NAME", "none")
    assert (
        "The environment variable CODELOUPE_MODEL_NAME is set and goes before it" in run("use", "coderankembed").stdout
    )


def test_a_file_is_chosen_by_its_whole_path_and_must_be_there(home: Path, hub: Hub) -> None:
    path = home / "mine.gguf"
    path.write_bytes(hub.files["m-Q8_0.gguf"])
    assert told("use", str(path))["name"] == str(path)
    assert [row["path"] for row in json.loads(run("--json").stdout) if row["chosen"]] == [str(path)]
    refused = run("use", str(home / "gone.gguf"))
    assert (refused.exit_code, "There is no model file at" in refused.stderr) == (2, True)
    kept = run("remove", str(path))
    assert (kept.exit_code, "does not lie in" in kept.stderr) == (2, True)
    assert path.is_file()


@pytest.mark.parametrize("words", [("pull", "x"), ("use", "x"), ("verify", "x"), ("remove", "x")])
def test_a_name_of_nothing_is_refused_with_the_names_there_are(words: tuple[str, ...], home: Path) -> None:
    ran = run(*words)
    assert ran.exit_code == 2
    assert "'x' is no known model; name one of all-minilm-l6-v2" in ran.stderr
    assert not (home / "config").exists()


def test_nothing_is_pulled_or_verified_where_meaning_is_turned_off() -> None:
    told("use", "none")
    assert "nothing to fetch" in run("pull").stdout
    assert "name a model" in run("verify").stderr


def test_pull_says_whether_it_is_the_chosen_model(hub: Hub) -> None:
    assert told("pull", "o/r")["chosen"] is False
    told("use", "o/r")
    assert told("pull", "o/r")["chosen"] is True


def test_a_file_of_ones_own_that_is_not_there_yet_is_to_be_put_there_not_pulled() -> None:
    said = run("use", "mine.gguf").stdout
    assert "models pull" not in said
    assert "It is not here yet: put it into " in said


def test_what_is_not_here_is_neither_verified_nor_removed() -> None:
    assert "nomic-embed-code is not here" in run("verify", "nomic-embed-code").stderr
    nowhere = Path("/nowhere/mine.gguf").absolute()
    assert f"There is no model file at {nowhere}; check the path." in run("verify", str(nowhere)).stderr
    assert "There is nothing of a model" in run("remove", "nomic-embed-code").stderr
