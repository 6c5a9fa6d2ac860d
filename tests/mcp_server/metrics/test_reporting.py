"""When a server notes what it counted, and what becomes of the port it wants."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest

from embedding.shared.state import ServiceState
from mcp_server.metrics import families, reporting
from mcp_server.metrics.figures import RootFigures
from mcp_server.metrics.notes import Notes, notes_directory
from mcp_server.metrics.overview import gather
from mcp_server.metrics.reporting import Reporting
from mcp_server.settings import load
from tests.mcp_server.metrics.samples import ROOT, SERVICE, server


class Engine:
    """What there is to be told."""

    def __init__(self) -> None:
        self.roots: tuple[RootFigures, ...] = (ROOT,)
        self.changes: object = 0
        self.service: ServiceState | None = None

    def figures(self) -> tuple[RootFigures, ...]:
        return self.roots

    def own_service(self) -> ServiceState | None:
        return self.service


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_, **__: str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def told(data: Path, engine: Engine) -> Reporting:
    return reporting_of(engine)


def reporting_of(engine: Engine | None, port: int = -1) -> Reporting:
    settings = load(None, [f"serve.metrics_port={port}"], {}).settings
    return Reporting([Path("/code/harbour")], settings, "1.2.3", lambda: engine)


def noted(data: Path) -> dict[str, object]:
    (one,) = gather(data).as_json()["servers"]
    return dict(one)


def test_a_server_notes_what_is_new_and_nothing_while_nothing_happens(told: Reporting, engine: Engine) -> None:
    assert told.is_due
    told.note()
    assert not told.is_due
    told.meter.count(families.FILES)
    assert told.is_due
    told.note()
    engine.changes = 1
    assert told.is_due
    told.note()
    assert not told.is_due


def test_what_was_noted_in_passing_is_looked_at_again_until_it_is_over(
    told: Reporting, engine: Engine, data: Path
) -> None:
    engine.roots = (replace(ROOT, state="indexing"),)
    told.note()
    assert told.is_due  # though nothing says that it has changed
    engine.roots = (ROOT,)
    told.note()
    assert not told.is_due
    assert noted(data)["roots"] == [ROOT.as_json()]


def test_before_its_engine_is_made_a_server_tells_the_names_of_its_roots(data: Path) -> None:
    reporting_of(None).note()
    (root,) = noted(data)["roots"]  # type: ignore[misc] - a list
    assert (root["name"], root["state"]) == ("harbour", "unchecked")


def test_the_last_note_has_what_was_counted_since_the_one_before(told: Reporting, data: Path) -> None:
    told.close()
    assert not data.exists()  # who never noted anything has nobody to tell
    told.note()
    told.meter.count(families.FILES, by=7)
    told.close()
    assert noted(data)["counts"]["indexed"]["files"] == 7  # type: ignore[index] - an object


def test_a_service_of_the_servers_own_is_noted_with_it(told: Reporting, engine: Engine, data: Path) -> None:
    engine.service = SERVICE
    told.note()
    assert [one.pid for one in gather(data).services] == [SERVICE.pid]


def test_its_own_json_is_of_now_and_needs_no_note(told: Reporting, data: Path) -> None:
    told.meter.count(families.FILES, by=3)
    said = told.as_json()
    assert (said["counts"]["indexed"]["files"], said["roots"][0]["name"]) == (3, "harbour")
    assert not data.exists()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def tried(told: Reporting, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many tries, each when it is due."""
    clock = [0.0]
    monkeypatch.setattr(reporting, "monotonic", lambda: clock[0])
    for _ in range(times):
        told.listen()
        told.listen()  # before it is due again: nothing
        clock[0] += reporting.TRY_S


def test_a_port_that_another_program_has_is_said_once(
    data: Path, engine: Engine, taken: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = reporting_of(engine, taken)
    with caplog.at_level(logging.WARNING):
        tried(told, 1, monkeypatch)
        assert not caplog.messages  # perhaps by one of ours that has not noted it yet
        tried(told, 4, monkeypatch)
    (said,) = caplog.messages
    assert f"port {taken} is taken by another program" in said
    assert told.own().metrics_port is None


def test_a_port_that_another_server_of_ours_has_is_said_to_be_in_good_hands(
    data: Path, engine: Engine, taken: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = reporting_of(engine, taken)
    Notes(notes_directory(data)).write(replace(other.own(), metrics_port=taken))
    with caplog.at_level(logging.WARNING):
        tried(reporting_of(engine, taken), 3, monkeypatch)
    (said,) = caplog.messages
    assert "another codeloupe server's of yours, which shows this one as well" in said


def test_a_service_is_not_looked_at_again_before_it_could_have_gone(
    told: Reporting, engine: Engine, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Path] = []
    monkeypatch.setattr("mcp_server.metrics.overview.running_services", lambda data: looks.append(data) or [])
    clock = [100.0]
    monkeypatch.setattr(reporting, "monotonic", lambda: clock[0])
    for _ in range(30):
        told.overview()
        clock[0] += 1.0
    assert looks == [data, data]  # it lingers for ten seconds


def test_a_scrape_has_this_server_as_it_is_now_and_others_as_they_noted(told: Reporting, data: Path) -> None:
    lives = Notes(notes_directory(data), lambda _: True)
    lives.write(server(1 << 23))  # beyond what a process can be numbered
    told.meter.observe(families.SEARCH, 0.01, "auto")
    seen = told.overview()
    assert len(seen.servers) == 1  # the other has ended
    assert seen.totals.time(families.SEARCH, "auto").count == 1 + 3
