"""A scrape as Prometheus' own parsers read it, and the table of the documentation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from mcp_server.metrics import families
from mcp_server.metrics.counts import Counts
from mcp_server.metrics.exposition import Overviews
from mcp_server.metrics.overview import Overview
from tests.mcp_server.metrics.samples import MIB, SERVICE, counted, overview, renamed, server

if TYPE_CHECKING:
    from prometheus_client.core import Metric

ROOT = Path(__file__).parents[3]


def registry(seen: Overview) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Overviews(lambda: seen))
    return registry


def scraped(seen: Overview) -> dict[str, Metric]:
    text = generate_latest(registry(seen)).decode()
    return {metric.name: metric for metric in parse_text(text)}


def value(found: dict[str, Metric], name: str, **labels: str) -> float:
    (one,) = [
        sample.value
        for metric in found.values()
        for sample in metric.samples
        if (sample.name, sample.labels) == (name, labels)
    ]
    return one


def family_names(found: Iterable[Metric]) -> set[str]:
    return {f"{metric.name}_total" if metric.type == "counter" else metric.name for metric in found}


def test_every_metric_is_there_with_its_kind_and_its_help() -> None:
    found = scraped(overview(server(1)))
    assert family_names(found.values()) == {family.name for family in families.FAMILIES}
    for family in families.FAMILIES:
        metric = found[family.name.removesuffix("_total")]
        assert (metric.type, metric.documentation) == (family.kind, family.help)


def test_names_follow_the_conventions_of_prometheus() -> None:
    for family in families.FAMILIES:
        assert family.name.startswith("codeloupe_")
        assert family.name.endswith("_total") == (family.kind == "counter")
        assert family.kind != "histogram" or family.name.endswith("_seconds")
        assert family.help.endswith(".")


def test_the_newer_format_is_written_as_well() -> None:
    text = openmetrics.generate_latest(registry(overview(server(1)))).decode()
    assert family_names(parse_openmetrics(text)) == {family.name for family in families.FAMILIES}


def test_a_histogram_has_count_sum_and_cumulative_buckets() -> None:
    found = scraped(overview(server(1, counted(searches=3))))
    assert value(found, "codeloupe_search_seconds_count", mode="auto") == 3
    assert value(found, "codeloupe_search_seconds_sum", mode="auto") == pytest.approx(0.024)
    assert value(found, "codeloupe_search_seconds_bucket", mode="auto", le="0.00315") == 0
    assert value(found, "codeloupe_search_seconds_bucket", mode="auto", le="0.004") == 1
    assert value(found, "codeloupe_search_seconds_bucket", mode="auto", le="+Inf") == 3


def test_one_scrape_has_the_sum_of_all_servers() -> None:
    found = scraped(overview(server(1, counted(searches=3)), server(2, counted(searches=4, errors=0))))
    assert value(found, "codeloupe_servers") == 2
    assert value(found, "codeloupe_search_seconds_count", mode="auto") == 7
    assert value(found, "codeloupe_errors_total", where="tool", error="RequestError") == 1
    assert value(found, "codeloupe_memory_bytes", process="server", kind="private") == 148 * MIB
    assert value(found, "codeloupe_memory_bytes", process="server", kind="shared") == 30 * MIB


def test_a_counter_that_never_moved_is_nought_and_not_absent() -> None:
    found = scraped(overview(server(1, Counts())))
    assert value(found, "codeloupe_vector_cache_lookups_total", result="hit") == 0
    assert value(found, "codeloupe_index_runs_total", outcome="failed") == 0


def test_queue_and_governor_of_the_service_are_told() -> None:
    found = scraped(overview(server(1), services=(replace(SERVICE, paused="memory is critical"),)))
    told = {"waiting_requests": 4, "children": 3, "children_allowed": 2, "paused": 1, "left_alone": 0}
    for name, wanted in told.items():
        assert value(found, f"codeloupe_service_{name}", model="all-minilm-l6-v2") == wanted
    levels = {level: value(found, "codeloupe_service_pressure", model=SERVICE.model, level=level) for level in LEVELS}
    assert levels == {"low": 0, "medium": 1, "high": 0, "critical": 0}
    assert value(found, "codeloupe_service_documents_total", model=SERVICE.model) == 100


LEVELS = families.LEVEL.values


def test_a_root_that_two_servers_have_is_told_once_as_it_was_last_seen() -> None:
    older, newer = server(1, at=1_000.0), renamed(server(2, at=1_005.0), files=13)
    found = scraped(overview(newer, older))
    assert value(found, "codeloupe_root_files", root="harbour") == 13
    assert value(found, "codeloupe_root_coverage_ratio", root="harbour", tier="vectors") == 0.5
    assert value(found, "codeloupe_root_state", root="harbour", state="current") == 1


def test_two_roots_of_one_name_are_told_apart_without_a_path() -> None:
    found = scraped(overview(server(1), renamed(server(2), id="ffff000011112222", files=40)))
    assert value(found, "codeloupe_root_files", root="harbour~a1b2c3") == 12
    assert value(found, "codeloupe_root_files", root="harbour~ffff00") == 40


def test_odd_names_of_roots_are_escaped() -> None:
    found = scraped(overview(renamed(server(1), name='quays "north"\n\\old')))
    assert value(found, "codeloupe_root_files", root='quays "north"\n\\old') == 12


def test_labels_have_the_values_that_are_said_and_no_others() -> None:
    found = scraped(overview(server(1), server(2)))
    for family in families.FAMILIES:
        for sample in found[family.name.removesuffix("_total")].samples:
            own: dict[str, Any] = {name: said for name, said in sample.labels.items() if name != "le"}
            assert sorted(own) == sorted(label.name for label in family.labels)
            assert all(own[label.name] in label.values for label in family.labels if label.values)


def test_the_table_of_the_documentation_is_the_one_of_the_code() -> None:
    assert families.described() in (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")


def test_a_root_whose_name_is_no_utf_8_is_shown_by_its_bytes() -> None:
    found = scraped(overview(renamed(server(1), name="ha\udcffrbour")))
    assert value(found, "codeloupe_root_files", root=r"ha\udcffrbour") == 12
