"""The clients that editors are built on: TypeScript SDK 1 and 2, and Inspector's command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import psutil
import pytest

from tests.e2e.homes import FILES, Home, Launch
from tests.e2e.node_clients import SOURCES, Node, installed


@pytest.fixture(scope="session")
def node() -> Node:
    return installed()


@pytest.mark.parametrize("flavour", ["v1", "v2-legacy", "v2-auto", "v2-modern"])
def test_a_typescript_client_has_a_whole_session(node: Node, home: Home, harbour: Path, flavour: str) -> None:
    seen = node.run("session.mjs", Launch(home, (harbour,)), flavour=flavour)

    assert seen["tools"] == ["search", "index", "embed", "status"]
    assert seen["indexed"]["content"][0]["text"].startswith(f"Indexed {FILES} files")
    assert seen["progress"]
    assert all(step["message"].startswith("Indexing: ") for step in seen["progress"])
    assert "tides/forecast.py" in seen["found"]["content"][0]["text"]
    assert "structuredContent" not in seen["found"]
    assert seen["parsed"]["structuredContent"]["hits"][0]["file_path"] == "tides/forecast.py"
    assert seen["refused"]["isError"] is True
    assert "from 1 to 100" in seen["refused"]["content"][0]["text"]
    assert seen["outcome"] != "answered"
    assert not seen["after"].get("isError")
    assert seen["many"] == ["berths/fees.py"] * 45
    assert seen["trouble"] == []
    assert seen["log"] == ""
    assert not psutil.pid_exists(seen["pid"])


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_inspector_finds_no_fault_with_the_tools(node: Node, indexed: Launch, era: str) -> None:
    done = node.inspect(indexed, "--method", "tools/list", "--strict", "--protocol-era", era)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"\b(error|warning|invalid)\b", done.stderr, re.IGNORECASE), done.stderr
    assert [tool["name"] for tool in json.loads(done.stdout)["tools"]] == ["search", "index", "embed", "status"]


OFFERED = {
    "the status": (("resources/list",), "codeloupe://status"),
    "the template": (("resources/templates/list",), "code://{+path}{?start,end}"),
    "lines": (("resources/read", "--uri", "code://tides/forecast.py?start=1&end=2"), "text/x-python"),
    "prompts": (("prompts/list",), "where_to_change"),
    "a prompt": (("prompts/get", "--prompt-name", "explain", "--prompt-args", "topic=tides"), "search(query="),
}


@pytest.mark.parametrize("era", ["legacy", "modern"])
@pytest.mark.parametrize("what", OFFERED)
def test_inspector_finds_no_fault_with_what_else_is_offered(node: Node, indexed: Launch, era: str, what: str) -> None:
    asked, words = OFFERED[what]
    done = node.inspect(indexed, "--method", *asked, "--protocol-era", era)
    assert done.returncode == 0, done.stderr
    assert not re.search(r"\b(error|warning|invalid)\b", done.stderr, re.IGNORECASE), done.stderr
    assert json.loads(done.stdout)
    assert words in done.stdout


def test_inspector_calls_a_tool(node: Node, indexed: Launch) -> None:
    call = ("--method", "tools/call", "--tool-name", "search", "--tool-arg", "query=passage_window")
    done = node.inspect(indexed, *call)
    assert done.returncode == 0, done.stderr
    assert "tides/forecast.py" in json.loads(done.stdout)["content"][0]["text"]


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_no_call_fails_under_inspectors_load(node: Node, indexed: Launch, era: str) -> None:
    call = ("--method", "tools/call", "--tool-name", "search", "--tool-arg", "query=mooring fee")
    load = ("--load", "--load-requests", "100", "--load-concurrency", "10", "--protocol-era", era)
    done = node.inspect(indexed, *call, *load)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["ok"], summary["toolErrors"], summary["errors"]) == (100, 0, 0), summary


def test_the_pinned_list_names_exact_versions_with_hashes_and_no_addresses() -> None:
    wanted = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))
    for version in (wanted["dependencies"] | wanted["optionalDependencies"]).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    locked = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all(package.get("integrity") for place, package in locked.items() if place)
    assert all("resolved" not in package for package in locked.values())
