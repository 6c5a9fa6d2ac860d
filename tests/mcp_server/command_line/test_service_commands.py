"""`codeloupe service`, and what status and doctor say of services: running, killed, hanging, leaving alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs
import psutil
import pytest
from click.testing import CliRunner, Result

from benchmarks.shapes import TINY, write_model
from embedding.lanes.breaker import Breaker
from embedding.open import open_embedder
from embedding.settings import MemorySettings, ModelSettings
from embedding.shared.place import Place, ServiceNote, services_directory
from embedding.shared.running import services
from mcp_server.checks.doctor import Wish, inside
from mcp_server.cli import main
from mcp_server.engine import children_bytes
from mcp_server.served import uncached
from mcp_server.settings import load
from tests.embedding.waiting import until

PATIENCE_S = 60


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "tiny.gguf"
    write_model(TINY, path)
    return path


@pytest.fixture
def data(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's data directory, with nobody else's services; those that the test starts end with it."""
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_, **__: str(tmp_path / "data"))
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *_, **__: str(tmp_path / "cache"))
    monkeypatch.setenv("CODELOUPE_MODEL_NAME", str(model))
    monkeypatch.setenv("CODELOUPE_MODEL_LINGER_S", "60")  # a slow machine takes its time between two commands
    yield tmp_path / "data"
    for service in services(tmp_path / "data"):
        service.stop()


@pytest.fixture
def place(data: Path, model: Path) -> Place:
    """Where the service of the model is found."""
    embedder = uncached(open_embedder(ModelSettings(name=str(model)), MemorySettings(), data, data))
    place: Place = embedder.place  # type: ignore[attr-defined] - of a shared one
    embedder.close()
    place.make()
    return place


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    (root / "pier.py").write_text("def moor(ship):\n    return ship\n", encoding="utf-8")
    return root


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


def doctor(root: Path, *overrides: str) -> str:
    """What doctor says of what is inside: no server is started, which would be another user's."""
    wish = Wish([root], overrides, "0")
    return "\n".join(finding.line for finding in inside(wish, load(root, overrides).settings))


def told(*words: str) -> Any:
    return json.loads(run(*words).output)


def left_alone() -> str:
    breaker = Breaker()
    for _ in range(3):
        breaker.failed(time.time(), "the model died of signal 11.")
    return breaker.as_json()


def test_where_nobody_runs_the_model_that_is_said_with_exit_code_1(data: Path) -> None:
    for command in ("status", "stop"):
        result = run("service", command)
        assert (result.exit_code, result.output) == (
            1,
            "No embedding service runs; the first text for a model starts one.\n",
        )
    assert told("service", "status", "--json") == {"running": False, "services": []}
    assert run("service", "reset").output == "No model is left alone: nothing to reset.\n"


def test_where_the_model_is_not_shared_nobody_is_promised_a_service(data: Path) -> None:
    assert "model.shared is false" in run("--set", "model.shared=false", "service", "status").output


def clients() -> int:
    (one,) = told("service", "status", "--json")["services"]
    return int(one["state"]["clients"])


def test_a_service_that_runs_is_told_with_its_memory_and_ends_when_asked(data: Path) -> None:
    assert run("embed", "moor a ship").exit_code == 0
    until(lambda: clients() == 0)  # it hears of a hang-up a moment after it; who asks is none
    result = run("service", "status")
    assert result.exit_code == 0
    assert "model: tiny (ready)" in result.output
    assert "1 process of the model" in result.output
    (one,) = told("service", "status", "--json")["services"]
    assert one["state"]["documents"] == 1
    assert 0 < one["state"]["private_bytes"] < one["state"]["budget_bytes"]
    assert Path(one["log"]).is_file()
    assert run("service", "stop").exit_code == 0
    assert not any(service.runs for service in services(data))
    assert run("service", "status").exit_code == 1


def test_status_and_doctor_tell_of_the_service_as_well(data: Path, root: Path) -> None:
    assert told("status", "--root", str(root), "--json")["model"]["state"] == "not loaded"
    assert not services_directory(data).exists(), "a question starts nothing"
    assert run("embed", "moor a ship").exit_code == 0
    status = told("status", "--root", str(root), "--json")
    assert (status["model"]["state"], status["service"]["documents"]) == ("ready", 1)
    own = status["service"]["pid"]
    assert children_bytes(leaving_out=0) - children_bytes(leaving_out=own) > 10 << 20, "it is a child of this process"
    assert f"answers (pid {status['service']['pid']})" in doctor(root)


def test_a_model_that_is_left_alone_is_told_everywhere_and_a_reset_ends_that(place: Place, root: Path) -> None:
    place.breaker.write_text(left_alone(), encoding="utf-8")
    alone = run("service", "status")
    assert alone.exit_code == 1
    assert "is left alone" in alone.output
    assert told("status", "--root", str(root), "--json")["model"]["state"] == "left alone"
    said = doctor(root)
    assert "error    service: The model failed 3 times in a row and is left alone" in said
    assert said.count("-> codeloupe service reset") == 2, "of the service, and of the model"
    refused = run("embed", "moor a ship")
    assert (refused.exit_code, "is left alone" in refused.output) == (2, True)
    assert run("service", "reset").output == "Left alone no longer: 1 model; the next text tries again.\n"
    assert run("embed", "moor a ship").exit_code == 0
    assert run("service", "status").exit_code == 0


def test_what_a_killed_service_left_is_no_fault_and_the_next_takes_its_place(data: Path, root: Path) -> None:
    run("embed", "moor a ship")
    (service,) = services(data)
    pid = service.pid
    killed = psutil.Process(pid)
    killed.kill()
    killed.wait(PATIENCE_S)
    assert run("service", "status").exit_code == 1
    said = doctor(root)
    assert f"ok       service: none; pid {pid} was killed, and the next one takes its place" in said
    assert "model: tiny" in run("service", "status").output, "doctor tried the model, and that started it"
    assert service.pid != pid


@pytest.fixture
def mute(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is signed on as the service and answers nobody."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = psutil.Process(process.pid).create_time()
    place.write(ServiceNote(process.pid, started, str(place.directory / "nobody"), "00" * 32))
    yield process
    process.kill()
    process.wait(PATIENCE_S)
    assert process.stdin
    process.stdin.close()


def test_a_service_that_does_not_answer_is_told_with_its_mend_which_ends_it(
    mute: subprocess.Popen[bytes], place: Place, root: Path
) -> None:
    status = run("service", "status")
    assert status.exit_code == 0, "it runs"
    assert f"(pid {mute.pid}) does not answer; run 'codeloupe service stop'" in status.output
    line = run("status", "--root", str(root)).output
    assert re.search(rf"\(not answering, \d+ dimensions\): The embedding service \(pid {mute.pid}\)", line)
    assert "-> codeloupe service stop" in doctor(root)


def test_stop_ends_one_that_does_not_answer(mute: subprocess.Popen[bytes], data: Path) -> None:
    assert told("service", "stop", "--json") == {"stopped": [mute.pid]}
    assert not psutil.pid_exists(mute.pid)


def test_a_stranger_under_the_number_of_a_dead_service_is_left_in_peace(
    mute: subprocess.Popen[bytes], place: Place
) -> None:
    note = place.note()
    assert note
    place.write(ServiceNote(note.pid, note.started - 3600, note.address, note.key))
    assert run("service", "stop").exit_code == 1
    assert mute.poll() is None


def test_what_is_no_service_among_the_services_is_passed_over(data: Path) -> None:
    directory = services_directory(data)
    (directory / "empty").mkdir(parents=True)
    (directory / "file").touch()
    (directory / "damaged").mkdir()
    (directory / "damaged" / "service.json").write_text('{"pid": "x"', encoding="utf-8")
    (directory / "damaged" / "breaker.json").write_text("[[[", encoding="utf-8")
    assert told("service", "status", "--json") == {"running": False, "services": []}


def test_doctor_says_what_the_model_takes_and_when_it_may_not(data: Path, root: Path) -> None:
    assert "ok       memory: a process of tiny takes" in doctor(root)
    short = doctor(root, "memory.budget=0.01%")
    assert "error    memory: There is too little memory for a process of tiny" in short
    assert "-> set memory.budget higher and run codeloupe service stop, or choose a smaller model" in short
