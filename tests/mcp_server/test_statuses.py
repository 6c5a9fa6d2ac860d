"""How the model does, by what its service says: states in a fixed order, and memory beside the budget."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from embedding.shared.state import ServiceState, state_of
from mcp_server.statuses import ModelStatus, Status, served_model

MIB = 1 << 20
AT_WORK = ServiceState(
    pid=4711,
    model="nomic-embed-code",
    clients=3,
    children=2,
    children_allowed=4,
    level="medium",
    why="70 % of the budget",
    paused="",
    left_alone="",
    waiting=12,
    queries=5,
    documents=100,
    tokens=20_000,
    restarts=0,
    private_bytes=900 * MIB,
    shared_bytes=4200 * MIB,
    budget_bytes=8000 * MIB,
    seconds=60.0,
)


@pytest.mark.parametrize(
    ("changes", "state", "reason"),
    [
        ({}, "ready", ""),
        ({"children": 0}, "loading", ""),
        ({"children": 0, "waiting": 0}, "not loaded", ""),
        ({"paused": "memory is critical"}, "paused", "memory is critical"),
        ({"left_alone": "it died", "paused": "memory is critical"}, "left alone", "it died"),
    ],
)
def test_the_state_of_the_model_follows_from_its_service(changes: dict[str, object], state: str, reason: str) -> None:
    model = served_model("nomic-embed-code", replace(AT_WORK, **changes))  # type: ignore[arg-type] - by name
    assert (model.state, model.reason) == (state, reason)


def test_a_model_that_nobody_runs_is_not_loaded() -> None:
    assert served_model("nomic-embed-code", None) == ModelStatus("nomic-embed-code", "not loaded")


def test_the_lines_for_a_reader_have_memory_beside_the_budget_and_the_level_with_its_reason() -> None:
    said = Status((), served_model("nomic-embed-code", AT_WORK), 120 * MIB, 80 * MIB).sentence()
    model, service, own = said.splitlines()
    assert model == "model: nomic-embed-code (ready)"
    assert "pid 4711, 3 clients, 2 processes of the model, 12 waiting" in service
    assert "memory 900 MiB of its own of at most 8,000 MiB, 4,200 MiB shared" in service
    assert "pressure medium (70 % of the budget)" in service
    assert own == "memory: server 120 MiB, its children 80 MiB"


def test_vectors_that_are_cut_are_never_passed_over_in_silence() -> None:
    cut = ModelStatus("nomic-embed-code", "paused", "memory is short", 768, note="768 of 3584 components are kept")
    line = "model: nomic-embed-code (paused, 768 dimensions): memory is short; 768 of 3584 components are kept"
    assert cut.sentence() == line
    assert cut.as_json()["note"] == "768 of 3584 components are kept"


def test_the_state_of_a_service_of_another_build_is_read_as_far_as_it_goes() -> None:
    told = AT_WORK.as_json()
    assert state_of(told | {"of_a_later_build": 1}) == AT_WORK
    del told["restarts"], told["paused"]
    assert state_of(told) == replace(AT_WORK, restarts=0, paused="")


def test_the_json_has_the_whole_state_of_the_service_or_null() -> None:
    with_service = Status((), served_model("nomic-embed-code", AT_WORK), 1, 2).as_json()
    assert state_of(json.loads(json.dumps(with_service))["service"]) == AT_WORK
    without = Status((), ModelStatus("none", "off", "turned off"), 1, 2).as_json()
    assert without["service"] is None
    assert without["model"] == {"name": "none", "state": "off", "reason": "turned off", "dimension": 0, "note": ""}
