"""examples/typescript and its page: compiled as strictly as TypeScript does, and run against a real server."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest

from mcp_server import requests
from tests.e2e.homes import FILES, Home, Launch, plant, script
from tests.e2e.node_clients import SOURCES, Node, installed

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "typescript"
PAGE = ROOT / "docs" / "clients" / "typescript.md"
OURS = SOURCES / "typescript"
ERAS = {"legacy": "2025-11-25", "auto": "2026-07-28"}


@pytest.fixture(scope="module")
def node() -> Node:
    return installed()


@pytest.fixture(scope="module")
def built(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, the tests' own programs and what the page shows, compiled as one; the package's directory."""
    package = tmp_path_factory.mktemp("typescript") / "client"
    shutil.copytree(EXAMPLE, package, ignore=shutil.ignore_patterns("node_modules", "dist"))
    for path in OURS.glob("*.ts"):
        shutil.copy(path, package / "src")
    *snippets, first_sdk = shown("ts")
    for number, snippet in enumerate(snippets):
        (package / "src" / f"page_{number}.ts").write_text(snippet, encoding="utf-8")
    (package / "node_modules").symlink_to(node.directory / "node_modules", target_is_directory=True)
    compile_package(node, package)
    (package / "src" / "first_sdk.ts").write_text(first_sdk, encoding="utf-8")
    compile_package(node, package, "--skipLibCheck")
    return package


@pytest.fixture(scope="module")
def launch(models: Path, indexed: Launch, tmp_path_factory: pytest.TempPathFactory) -> Launch:
    """A server of this module's own, whose project may be changed and whose vectors are known."""
    directory = tmp_path_factory.mktemp("typescript")
    return Launch(Home(directory / "home", models, indexed.home.directory / "cache"), (plant(directory / "harbour"),))


@pytest.fixture(scope="module")
def saw(node: Node, built: Path, launch: Launch) -> Callable[[str], dict[str, Any]]:
    """What behaviour.ts saw of servers of its own, by the way of MCP that it asked for; each is run once."""
    command, *arguments = launch.command
    asked = {"command": command, "args": [*arguments, "serve"], "root": str(launch.roots[0]), "env": launch.environment}

    @cache
    def seen(era: str) -> dict[str, Any]:
        return dict(json.loads(run(node, built, "behaviour", json.dumps(asked | {"era": era}))))

    return seen


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def seen(saw: Callable[[str], dict[str, Any]], era: str) -> dict[str, Any]:
    return saw(era)


def compile_package(node: Node, package: Path, *options: str) -> None:
    """Compile a package with its own settings; whatever TypeScript has to say is a failure."""
    compiler = node.directory / "node_modules" / "typescript" / "bin" / "tsc"
    done = node.start(str(compiler), *options, environment={}, cwd=package)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def run(node: Node, package: Path, program: str, *arguments: str, **environment: str) -> str:
    """Run a compiled program to its end; what it printed."""
    done = node.start(f"dist/{program}.js", *arguments, environment=environment, cwd=package)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def shown(language: str) -> list[str]:
    """The page's blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_compiler_is_as_strict_as_it_can_be() -> None:
    options = json.loads((EXAMPLE / "tsconfig.json").read_text(encoding="utf-8"))["compilerOptions"]
    strict = ("strict", "noUncheckedIndexedAccess", "exactOptionalPropertyTypes", "erasableSyntaxOnly")
    assert [name for name in strict if not options[name]] == []
    assert "skipLibCheck" not in options


def test_what_is_wrong_does_not_compile(node: Node, built: Path) -> None:
    """Each line of wrong.ts under a mark is an error of its own: without the marks TypeScript finds as many."""
    source = (OURS / "wrong.ts").read_text(encoding="utf-8")
    marks = source.count("@ts-expect-error")
    unmarked = built / "src" / "unmarked.ts"
    unmarked.write_text(source.replace("@ts-expect-error", ""), encoding="utf-8")
    compiler = built / "node_modules" / "typescript" / "bin" / "tsc"
    done = node.start(str(compiler), "--noEmit", "--skipLibCheck", environment={}, cwd=built)
    unmarked.unlink()
    assert done.returncode != 0
    assert len(re.findall(r"^src/unmarked\.ts\(\d+,\d+\): error", done.stdout, re.MULTILINE)) == marks == 16


def test_it_speaks_the_way_of_mcp_that_was_asked_for(seen: dict[str, Any], era: str) -> None:
    assert seen["version"]["protocol"] == ERAS[era]
    assert seen["protocol"] == "2026-07-28"  # asked for with `modern`
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", seen["version"]["server"])


def test_waiting_for_the_index_tells_of_progress(seen: dict[str, Any]) -> None:
    assert seen["indexed"].startswith(f"Indexed {FILES} files")
    assert seen["progress"] == sorted(seen["progress"])
    assert all(0 <= share <= 1 for share in seen["progress"])


def test_a_search_gives_places_with_how_fresh_they_are(seen: dict[str, Any]) -> None:
    best = seen["result"]["hits"][0]
    assert (best["file_path"], best["name_path"]) == ("tides/forecast.py", "passage_window")
    assert "def passage_window" in best["content"]
    assert seen["result"]["freshness"]["state"] in {"current", "indexing"}  # a refresh that finds nothing may run
    assert seen["result"]["freshness"]["vectors"] == 1


def test_the_next_page_begins_where_the_first_one_ended(seen: dict[str, Any]) -> None:
    assert seen["first"]["next_offset"] == 2
    places = [(hit["file_path"], hit["start_line"]) for page in ("first", "second") for hit in seen[page]["hits"]]
    assert len(set(places)) == 4


def test_filters_hold(seen: dict[str, Any]) -> None:
    assert seen["narrow"]["hits"]
    for hit in seen["narrow"]["hits"]:
        assert hit["file_path"] == "web/board.ts"
        assert (hit["language"], hit["kind"]) == ("typescript", "class")
    assert seen["one"]["hits"]
    assert all(re.fullmatch(r"web/[^/]+\.ts", hit["file_path"]) for hit in seen["one"]["hits"])


def test_lines_are_read_as_they_are_in_the_file(seen: dict[str, Any], launch: Launch) -> None:
    text = (launch.roots[0] / "tides" / "forecast.py").read_text(encoding="utf-8")
    lines = text.splitlines()
    hit = seen["result"]["hits"][0]
    assert seen["whole"] == text
    assert seen["lines"].splitlines() == lines[27:30]
    assert seen["same"].splitlines() == lines[hit["start_line"] - 1 : hit["end_line"]]


def test_an_embedding_has_its_model_and_is_the_same_from_the_cache(seen: dict[str, Any]) -> None:
    made, kept = seen["embedding"], seen["kept"]
    assert len(made["vector"]) == made["dimension"] == 384
    assert sum(value * value for value in made["vector"]) == pytest.approx(1, abs=1e-3)
    assert kept["model"] == made["model"]
    assert kept["vector"] == pytest.approx(made["vector"], abs=1e-3)
    assert seen["several"][0]["vector"] == pytest.approx(made["vector"], abs=1e-3)
    assert len(seen["several"]) == 2


def test_a_text_that_was_cut_within_an_emoji_is_answered(seen: dict[str, Any]) -> None:
    assert seen["cut"]["dimension"] == len(seen["cut"]["vector"])


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("limit", "refused", "limit is 101; give a number from 1 to 100."),
        ("deadline", "refused", "timeout is 0; give seconds, more than 0 and at most 600."),
        ("misspelt", "refused", "/tides/forcast.py is not there, or ignored; did you mean tides/forecast.py?"),
        ("unread", "cancelled", "read was cancelled."),
        ("never", "cancelled", "search was cancelled."),
        ("cancelled", "cancelled", "index was cancelled."),
        ("late", "timeout", "index took longer than its signal allows; ask again, or give it longer."),
        ("unwanted", "cancelled", "connect was cancelled."),
        ("hasty", "timeout", "connect took longer than its signal allows; ask again, or give it longer."),
    ],
)
def test_a_failure_has_a_kind_and_a_sentence(seen: dict[str, Any], name: str, kind: str, sentence: str) -> None:
    assert (seen["failures"][name]["kind"], seen["failures"][name]["message"]) == (kind, sentence)


def test_a_server_that_cannot_be_started_says_why(seen: dict[str, Any]) -> None:
    missing, rootless = seen["failures"]["missing"], seen["failures"]["rootless"]
    assert (missing["kind"], rootless["kind"]) == ("not_started", "not_started")
    assert "no-such-codeloupe is not on the PATH" in missing["message"]
    assert "does not exist; check the path given as root." in rootless["message"]
    assert rootless["caused"]


def test_the_server_goes_on_after_what_was_cancelled(seen: dict[str, Any]) -> None:
    assert seen["after"]["hits"][0]["file_path"].startswith("crane/")


def test_a_killed_server_rejects_what_waits_and_what_comes_after_and_the_next_one_has_its_index(
    seen: dict[str, Any],
) -> None:
    for name in ("killed", "dead", "leaving"):
        assert seen[name]["kind"] == "closed", name
        assert "connect again, its index is kept." in seen[name]["message"]
    assert seen["resumed"]["hits"][0]["name_path"] == "passage_window"


def test_no_server_is_left(seen: dict[str, Any]) -> None:
    assert seen["gone"] is None
    assert not psutil.pid_exists(seen["pid"])


def test_the_types_are_those_of_real_answers(node: Node, built: Path, seen: dict[str, Any]) -> None:
    """Answers written out as literals: a field that the types lack fails, and one they promise that is not sent."""
    answers = built / "src" / "answers.ts"
    lines = ['import type { Embedding, SearchResult, Status } from "./codeloupe.ts";']
    pages = ("result", "first", "second", "narrow")
    lines += [f"export const {name}: SearchResult = {json.dumps(seen[name])};" for name in pages]
    lines.append(f"export const embedding: Embedding = {json.dumps(seen['embedding'])};")
    lines.append(f"const sent = {json.dumps(seen['status'])} as const;\nexport const status: Status = sent;")
    answers.write_text("\n".join(lines), encoding="utf-8")
    compile_package(node, built, "--noEmit", "--skipLibCheck")
    answers.unlink()


def searched() -> dict[str, str]:
    """A PATH on which the installed command is found first."""
    return {"PATH": os.pathsep.join((str(Path(script()[0]).parent), os.environ["PATH"]))}


def test_the_page_shows_what_the_example_prints(node: Node, built: Path, home: Home, harbour: Path) -> None:
    asked = (str(harbour), "when can a ship cross the sill")
    printed = run(node, built, "example", *asked, **Launch(home, (harbour,)).environment | searched())
    [page] = shown("text")
    assert steady(printed) == steady(page)


def steady(printed: str) -> str:
    """Without what differs from one run to the next: times, the last digits of a cosine, a refresh under way."""
    printed = re.sub(r"\d+\.\d s\b|-?\d\.\d\d\b", "N", printed)
    return printed.replace("[indexing:", "[current:")


@pytest.mark.parametrize(
    ("field", "known"),
    [
        ("mode", set(requests.MODES) - {"hybrid"}),  # another name of auto
        ("detail", set(requests.DETAILS)),
        ("kind", set(requests.EMBED_KINDS)),
        ("state", {"current", "indexing", "stale", "empty"}),
        ("found_by", {"text", "sketch", "vector", "exact", "regex"}),
    ],
)
def test_choices_of_the_types_are_those_of_the_server(field: str, known: set[str]) -> None:
    types = (EXAMPLE / "src" / "types.ts").read_text(encoding="utf-8")
    declared = re.search(rf"^  {field}\??: (.*\".*);$", types, re.MULTILINE)
    assert declared is not None
    assert set(re.findall(r'"(\w+)"', declared[1])) == known


def test_a_command_is_found_on_other_systems_too(node: Node, built: Path) -> None:
    places = json.loads(run(node, built, "places"))
    assert places["windows"] == [
        f"{directory}\\codeloupe{ending}"
        for directory in ("C:\\Python311\\Scripts", "C:\\Windows", "C:\\Users\\ada\\.local\\bin")
        for ending in (".com", ".exe", ".cmd")
    ]
    assert places["named"][0] == "C:\\Python311\\Scripts\\codeloupe.exe"
    assert places["absolute"][1] == "D:\\tools\\codeloupe.exe"
    assert places["unset"][1] == "C:\\Users\\ada\\.local\\bin\\codeloupe.exe"
    assert places["mac"] == "/opt/homebrew/bin/codeloupe"
    assert all(refusal.startswith("not_started: ") for refusal in places["refusals"])


def test_both_ways_of_mcp_bring_the_same(saw: Callable[[str], dict[str, Any]]) -> None:
    """Places and sentences to the last letter; of what changes by itself, its shape."""
    older, newer = (saw(era) for era in ERAS)
    for page in ("result", "first", "second", "narrow", "one"):
        assert [placed(hit) for hit in newer[page]["hits"]] == [placed(hit) for hit in older[page]["hits"]]
    assert sentences(newer["failures"]) == sentences(older["failures"])
    for answer in ("result", "embedding"):
        assert shape(newer[answer]) == shape(older[answer])
    assert shape(newer["status"]["roots"]) == shape(older["status"]["roots"])


def placed(hit: dict[str, Any]) -> dict[str, Any]:
    """A hit without the figures, whose last digits are the model's."""
    return {name: value for name, value in hit.items() if name not in ("score", "signals")}


def sentences(failures: dict[str, Any]) -> dict[str, str]:
    return {name: failure["message"] for name, failure in failures.items()}


def shape(value: Any) -> Any:
    """Types in place of values."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value[:1]]
    return type(value).__name__


def test_a_program_on_the_first_sdk_searches_as_the_page_says(node: Node, built: Path, launch: Launch) -> None:
    printed = run(node, built, "first_sdk", str(launch.roots[0]), **launch.environment | searched())
    assert printed.startswith("tides/forecast.py:")


def test_the_example_asks_for_the_versions_that_are_tested() -> None:
    """A caret takes anything up to the next major version, beginning with what is named."""
    pinned = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))["dependencies"]
    package = json.loads((EXAMPLE / "package.json").read_text(encoding="utf-8"))
    for name, wanted in (package["dependencies"] | package["devDependencies"]).items():
        low, tested = (tuple(map(int, version.lstrip("^").split("."))) for version in (wanted, pinned[name]))
        assert wanted.startswith("^")
        assert low[0] == tested[0], name
        assert low <= tested, name
