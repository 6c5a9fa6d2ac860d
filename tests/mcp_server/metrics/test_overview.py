"""An overview for programs and for readers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import platformdirs
import psutil
import pytest
from click.testing import CliRunner

from mcp_server.cli import main
from mcp_server.metrics import families
from mcp_server.metrics.counts import Counts
from mcp_server.metrics.figures import ServerFigures, ServerProcess
from mcp_server.metrics.meter import Meter
from mcp_server.metrics.notes import Noted, Notes, notes_directory
from mcp_server.metrics.overview import counts_json, descendants, gather, model_label, overview
from mcp_server.metrics.table import NOBODY, line, sentence
from tests.mcp_server.metrics import samples
from tests.mcp_server.metrics.samples import MIB, ROOT, SERVICE, counted, server


def this_server(counts: Counts) -> ServerFigures:
    return replace(server(1, counts), process=ServerProcess.this())


def test_totals_have_what_ended_and_figures_of_its_own_take_the_place_of_a_servers_note() -> None:
    own = this_server(counted(searches=5))
    noted = Noted((this_server(counted(searches=4)), server(2, counted(searches=2))), counted(searches=1))
    seen = overview(noted, (), own)
    assert seen.totals.time(families.SEARCH, "auto").count == 8
    assert [one.figures.process.pid for one in seen.servers] == [own.process.pid, 2]


def test_memory_is_that_of_the_process_now() -> None:
    (seen,) = overview(Noted(), (), this_server(Counts())).servers
    assert 10 * MIB < seen.memory.private < 4000 * MIB


class Process:
    """One of psutil's, as far as it is looked at."""

    def __init__(self, pid: int, parent: int) -> None:
        self.pid, self.info = pid, {"ppid": parent}


def test_descendants_in_a_ring_are_each_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows keeps a dead parent's number, and may give it to a descendant."""
    ring = [Process(1, 3), Process(2, 1), Process(3, 2), Process(4, 3), Process(5, 2), Process(0, 0)]
    monkeypatch.setattr(psutil, "process_iter", lambda _: ring)
    assert descendants([1, 0], leaving_out={5}) == {1: [2, 3, 4], 0: []}


def test_a_service_of_a_servers_own_is_told_beside_the_shared_ones() -> None:
    own = replace(server(1), service=replace(SERVICE, pid=1, model="/home/somebody/models/small.gguf"))
    assert [one.model for one in overview(Noted(), (SERVICE,), own).services] == [SERVICE.model, "small.gguf"]


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("all-minilm-l6-v2", "all-minilm-l6-v2"),
        ("owner/repo:Q8_0", "owner/repo:Q8_0"),
        ("./models/small.gguf", "small.gguf"),
        ("~/small.gguf", "small.gguf"),
        (str(Path("/home/somebody/small.gguf").absolute()), "small.gguf"),
    ],
)
def test_a_models_name_tells_no_directory(name: str, label: str) -> None:
    assert model_label(name) == label


def test_json_has_latencies_hits_and_errors() -> None:
    meter = Meter()
    for _ in range(20):
        meter.observe(families.SEARCH, 0.011, "auto")
    meter.observe(families.SEARCH, 2.0, "regex")
    meter.count(families.VECTOR_CACHE, "hit", by=3)
    meter.count(families.VECTOR_CACHE, "miss")
    meter.count(families.ERRORS, "embedding", "BusyError")
    meter.count(families.TOOL_CALLS, "search", "ok", by=21)
    told = json.loads(json.dumps(counts_json(meter.counts())))
    assert told["searches"]["auto"]["count"] == 20
    assert told["searches"]["all"]["count"] == 21
    assert 0.010 <= told["searches"]["auto"]["p50_s"] <= 0.0125
    assert told["searches"]["all"]["buckets"][-1] == [None, 21]
    assert told["embeddings"]["query"] | {"buckets": []} == {
        "count": 0, "sum_s": 0.0, "mean_s": None, "p50_s": None, "p95_s": None, "p99_s": None, "buckets": []
    }  # fmt: skip
    assert told["vector_cache"] == {"hits": 3, "misses": 1, "ratio": 0.75}
    assert told["query_cache"]["ratio"] is None
    assert told["errors"] == {"embedding: BusyError": 1}
    assert told["tools"] == {"search": {"ok": 21, "refused": 0, "failed": 0, "cancelled": 0}}


def test_a_server_is_told_with_its_roots_and_what_it_takes() -> None:
    told = json.loads(json.dumps(samples.overview(server(1, port=9464)).as_json()))
    assert (told["format"], told["taken"]) == (1, "1970-01-01T00:16:50Z")
    (one,) = told["servers"]
    assert (one["pid"], one["metrics_port"], one["age_s"]) == (1, 9464, 10.0)
    assert one["memory"]["server"] == {"private_bytes": 74 * MIB, "shared_bytes": 30 * MIB}
    assert one["roots"][0]["coverage"] == {"text": 1.0, "sketch": 1.0, "vectors": 0.5}
    assert one["roots"][0]["indexing"] is None
    assert told["services"][0]["waiting"] == 4
    assert told["totals"] == one["counts"]


def test_a_run_that_goes_on_is_told_with_how_far_it_is() -> None:
    running = replace(ROOT, state="indexing", phase="vectors", done=3, total=9)
    assert running.as_json()["indexing"] == {"phase": "vectors", "done": 3, "total": 9}


def test_a_reader_sees_a_line_a_server_a_root_and_a_service_and_says_what_percentiles_are_worth() -> None:
    said = sentence(samples.overview(server(1, port=9464)))
    assert "server 1 (1.2.3, since 1970-01-01T00:16:41Z, metrics at port 9464): 74 MiB of its own, 30 MiB" in said
    assert "  harbour: current, 12 files, 300 chunks, text 100 %, sketch 100 %, vectors 50 %" in said
    assert "model all-minilm-l6-v2: pid 99, 2 clients" in said
    assert "search, auto" in said
    assert "errors: 1 tool: RequestError" in said
    assert "out of buckets" in said


def test_one_line_for_a_status() -> None:
    said = line(counted(searches=3))
    assert said.startswith("since its start: 3 searches (p95 ")
    assert said.endswith("1 error")
    assert "\n" not in said
    assert line(Counts()) == "since its start: 0 searches, 0 errors"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(platformdirs, "user_data_dir", lambda *_, **__: str(tmp_path / "data"))
    return tmp_path / "data"


def test_where_no_server_runs_that_is_said_with_exit_code_1(data: Path) -> None:
    result = CliRunner().invoke(main, ["metrics"])
    assert (result.exit_code, result.output) == (1, f"{NOBODY}\n")
    told = json.loads(CliRunner().invoke(main, ["metrics", "--json"]).output)
    assert (told["servers"], told["services"], told["totals"]["searches"]["all"]["count"]) == ([], [], 0)
    assert not data.exists()


def test_a_server_that_runs_is_found_by_its_note(data: Path) -> None:
    Notes(notes_directory(data)).write(this_server(counted(searches=6)))
    told = json.loads(CliRunner().invoke(main, ["metrics", "--json"]).output)
    assert told == json.loads(json.dumps(gather(data).as_json())) | {
        "taken": told["taken"], "servers": told["servers"]
    }  # fmt: skip
    assert told["servers"][0]["counts"]["searches"]["all"]["count"] == 6
    assert CliRunner().invoke(main, ["metrics"]).exit_code == 0
