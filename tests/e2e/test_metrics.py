"""Metrics of real servers: what a scrape says is what clients asked, and nobody listens who was not told to."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mcp_server.metrics.overview import gather
from tests.e2e.homes import MODULE, Home, Launch, plant_forest
from tests.e2e.processes import eventually, family
from tests.e2e.wire import ERAS, PATIENCE_S, Wire

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def launch(indexed: Launch, tmp_path: Path) -> Launch:
    """The invented project, whose index is complete, of a user of whom nobody has counted anything yet."""
    return replace(indexed, settings={"XDG_DATA_HOME": str(tmp_path / "data")})


def with_port(launch: Launch, port: int) -> Launch:
    return replace(launch, settings={**launch.settings, "CODELOUPE_SERVE_METRICS_PORT": str(port)})


def scrape(port: int) -> Samples:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for metric in text_string_to_metric_families(text)
        for sample in metric.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples.get((f"codeloupe_{name}", frozenset(labels.items())), 0.0)


def searches(samples: Samples) -> float:
    return sum(number for (name, _), number in samples.items() if name == "codeloupe_search_seconds_count")


def noted(launch: Launch) -> dict[str, Any]:
    """What is known of the user's servers, read in this process."""
    return gather(Path(launch.environment["XDG_DATA_HOME"]) / "codeloupe").as_json()


def told(launch: Launch) -> dict[str, Any]:
    """The same by the command."""
    line = [*MODULE, "metrics", "--json"]
    done = subprocess.run(
        line, env=launch.environment, cwd=launch.directory, capture_output=True, timeout=PATIENCE_S, check=False
    )
    return dict(json.loads(done.stdout))


def listeners(pid: int) -> list[str]:
    """The addresses at which a process and its descendants listen for TCP."""
    return [
        f"{one.laddr.ip}:{one.laddr.port}"
        for process in family(pid)
        for one in process.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN
    ]


@pytest.mark.parametrize("era", ERAS)
def test_a_scrape_while_searches_go_on_counts_each_of_them_once(launch: Launch, log: Path, era: str) -> None:
    port, modes = free_port(), ("auto", "text", "exact")
    with Wire(with_port(launch, port), log, era) as wire:
        wire.text("status")  # in the new era nothing is said before
        asked = [wire.call("search", {"query": "tide", "mode": modes[number % 3]}) for number in range(30)]
        seen = [searches(scrape(port)) for _ in range(5)]
        for number in asked:
            assert "result" in wire.answer(number)
        after = scrape(port)
    assert seen == sorted(seen)
    assert {mode: value(after, "search_seconds_count", mode=mode) for mode in modes} == dict.fromkeys(modes, 10)
    assert value(after, "tool_calls_total", tool="search", outcome="ok") == 30
    assert value(after, "tool_call_seconds_count", tool="search") == 30
    assert value(after, "query_cache_lookups_total", result="hit") >= 1
    assert 0 < value(after, "search_seconds_sum", mode="auto") < value(after, "tool_call_seconds_sum", tool="search")
    assert value(after, "store_seconds_count", leg="pattern") == 10


def test_what_the_indexing_child_does_is_counted_by_its_server(blank_home: Home, tmp_path: Path, log: Path) -> None:
    files, port = 40, free_port()
    launch = with_port(Launch(blank_home, (plant_forest(tmp_path / "forest", files),)), port)
    with Wire(launch, log) as wire:
        assert wire.text("index", {"wait": True}).startswith(f"Indexed {files} files")
        after = scrape(port)
        assert value(after, "files_indexed_total") == value(after, "chunks_indexed_total") == files
        assert value(after, "vectors_stored_total") == files
        assert value(after, "texts_embedded_total", kind="document") == files
        assert value(after, "vector_cache_lookups_total", result="miss") == files
        assert value(after, "embedding_seconds_count", kind="document") >= 1
        assert value(after, "index_runs_total", outcome="finished") >= 1
        assert value(after, "service_documents_total", model="all-minilm-l6-v2") == files
        assert value(after, "root_coverage_ratio", root="forest", tier="vectors") == 1
        assert value(after, "root_files", root="forest") == files
        assert value(after, "memory_bytes", process="children", kind="private") > 1e6


def test_errors_and_cancellations_are_counted_by_what_they_are(launch: Launch, log: Path) -> None:
    port = free_port()
    with Wire(with_port(launch, port), log) as wire:
        wire.result("search", {"query": ""})
        wire.result("search", {"query": "(", "mode": "regex"})
        wire.result("search", {"quarry": "tide"})
        wire.result("search", {"query": 3, "limit": "many"})
        wire.result("embed", {"texts": [str(number) for number in range(2_000)]})
        wire.answer(wire.call("no_such_tool_as_this"))
        waits = wire.call("embed", {"texts": [f"{number} boats" for number in range(900)], "cache": False})
        wire.cancel(waits)
        eventually(
            lambda: value(scrape(port), "tool_calls_total", tool="embed", outcome="cancelled"), "it is cancelled"
        )
        after = scrape(port)
    assert value(after, "tool_calls_total", tool="search", outcome="refused") == 4
    assert value(after, "errors_total", where="tool", error="RequestError") == 2
    assert value(after, "errors_total", where="tool", error="InvalidPatternError") == 1
    assert value(after, "errors_total", where="tool", error="Arguments") == 3
    assert value(after, "tool_calls_total", tool="other", outcome="refused") == 1
    assert not any("no_such_tool" in str(labels) for _, labels in after)


def test_by_default_nobody_listens(launch: Launch, log: Path) -> None:
    with Wire(launch, log) as wire:
        wire.text("search", {"query": "tide"})
        assert listeners(wire.process.pid) == []


def test_what_only_a_scrape_needs_is_not_imported_by_a_server_that_starts() -> None:
    heavy = ("prometheus_client", "http.server", "psutil")
    asked = f"import sys, mcp_server.server; print([name for name in sys.modules if name in {heavy}])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", asked], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert done.stdout == "[]\n"


def test_the_port_is_reached_over_loopback_and_by_no_other_address(launch: Launch, log: Path) -> None:
    port = free_port()
    others = [
        one.address
        for addresses in psutil.net_if_addrs().values()
        for one in addresses
        if one.family == socket.AF_INET and not one.address.startswith("127.")
    ]
    with Wire(with_port(launch, port), log) as wire:
        assert set(listeners(wire.process.pid)) <= {f"127.0.0.1:{port}", f"::1:{port}"}
        assert searches(scrape(port)) == 0
        for address in others:
            with pytest.raises(OSError), socket.create_connection((address, port), timeout=PATIENCE_S):
                pass


def test_a_port_of_any_number_is_said_on_stderr_and_stdout_stays_clean(launch: Launch, log: Path) -> None:
    with Wire(with_port(launch, 0), log) as wire:
        said = log.read_text(encoding="utf-8")
        port = int(said.partition("http://127.0.0.1:")[2].partition("/")[0])
        assert scrape(port)
    assert wire.garbage == []


def test_a_port_of_another_program_is_left_to_it_and_the_server_goes_on(launch: Launch, log: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with Wire(with_port(launch, port), log) as wire:
            assert "harbour" in wire.text("status")
            eventually(lambda: "taken by another program" in log.read_text(encoding="utf-8"), "it says so")
            assert wire.text("search", {"query": "tide"})
    assert log.read_text(encoding="utf-8").count("metrics port") == 1


def test_one_scrape_shows_all_servers_and_the_next_one_takes_over(launch: Launch, tmp_path: Path) -> None:
    port = free_port()
    launch = with_port(launch, port)
    log = tmp_path / "second.log"
    with Wire(launch, tmp_path / "first.log") as first:
        first.text("search", {"query": "tide"})
        with Wire(launch, log) as second:
            second.text("search", {"query": "crane"})
            second.text("search", {"query": "crane"})
            eventually(lambda: searches(scrape(port)) == 3, "the second is seen in the scrape of the first")
            assert value(scrape(port), "servers") == 2
            eventually(lambda: "another codeloupe server's of yours" in log.read_text(encoding="utf-8"), "it says so")
            first.close_input()
            assert first.end() == 0
            eventually(lambda: _answers(port), "the second has the port")
            assert searches(scrape(port)) == 3
            assert value(scrape(port), "servers") == 1
    assert noted(launch)["totals"]["searches"]["all"]["count"] == 3


def _answers(port: int) -> bool:
    try:
        return bool(scrape(port))
    except OSError:
        return False


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_what_a_killed_server_noted_is_kept_and_its_note_goes(launch: Launch, log: Path) -> None:
    with Wire(launch, log) as wire:
        wire.text("search", {"query": "tide"})
        eventually(lambda: noted(launch)["totals"]["searches"]["all"]["count"] == 1, "it is noted")
        os.kill(wire.process.pid, signal.SIGKILL)
        wire.process.wait(PATIENCE_S)
    after = noted(launch)
    assert (after["servers"], after["totals"]["searches"]["all"]["count"]) == ([], 1)


def test_the_command_and_the_status_tell_the_same_of_a_server(launch: Launch, log: Path) -> None:
    with Wire(launch, log) as wire:
        wire.text("search", {"query": "tide"})
        own: Mapping[str, Any] = wire.result("status", {"format": "json"})["structuredContent"]["metrics"]
        eventually(lambda: noted(launch)["servers"][0]["counts"]["tools"].get("status"), "its note is written")
        (theirs,) = told(launch)["servers"]
        text = wire.text("status")
    assert own["pid"] == theirs["pid"] == wire.process.pid
    assert own["counts"]["searches"]["auto"] == theirs["counts"]["searches"]["auto"]
    assert own["counts"]["searches"]["all"]["count"] == 1
    assert own["roots"][0]["name"] == "harbour"
    assert own["roots"][0]["coverage"] == {"text": 1.0, "sketch": 1.0, "vectors": 1.0}
    assert str(launch.roots[0]) not in json.dumps(own)
    assert text.splitlines()[-1].startswith("since its start: 1 search (p95 ")
