"""Bad input: each is one sentence that names the next step, marked as an error, and the server goes on."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.clients import MODES, connected, data, refusal, text
from tests.e2e.homes import MODULE, Home, Launch
from tests.e2e.wire import PATIENCE_S

if TYPE_CHECKING:
    from mcp import Client

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module", params=MODES)
async def client(
    request: pytest.FixtureRequest, indexed: Launch, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client]:
    async with connected(indexed, request.param, tmp_path_factory.mktemp("errors") / "log") as client:
        yield client


# Tool, arguments, and words of the sentence: what is wrong, and what to do.
REFUSED: dict[str, tuple[str, dict[str, Any], tuple[str, str]]] = {
    "an empty query": ("search", {"query": ""}, ("query is empty", "say in words")),
    "a blank query": ("search", {"query": " \t\n "}, ("query is empty", "say in words")),
    "a query of control characters": ("search", {"query": "\x00\x07\x1b"}, ("query is empty", "say in words")),
    "a query of a megabyte": ("search", {"query": "ship " * 200_000}, ("query has 1,000,000", "send its telling part")),
    "limit -1": ("search", {"query": "ship", "limit": -1}, ("limit is -1", "from 1 to 100")),
    "limit 10^9": ("search", {"query": "ship", "limit": 10**9}, ("limit is 1,000,000,000", "from 1 to 100")),
    "a limit in words": ("search", {"query": "ship", "limit": "ten"}, ("limit", "integer")),
    "a negative offset": ("search", {"query": "ship", "offset": -1}, ("offset is -1", "from 0")),
    "a huge offset": ("search", {"query": "ship", "offset": 10**9}, ("offset is 1,000,000,000", "from 0")),
    "an unknown mode": ("search", {"query": "ship", "mode": "semantics"}, ("mode 'semantics'", "'semantic'")),
    "an unknown language": ("search", {"query": "ship", "languages": ["pyton"]}, ("language 'pyton'", "'python'")),
    "an unknown kind": ("search", {"query": "ship", "kinds": ["functoin"]}, ("kind 'functoin'", "'function'")),
    "an unknown detail": ("search", {"query": "ship", "detail": "everything"}, ("detail 'everything'", "use one of")),
    "an unknown format": ("search", {"query": "ship", "format": "yaml"}, ("format 'yaml'", "use one of")),
    "a similarity of 7": ("search", {"query": "ship", "min_similarity": 7}, ("min_similarity is 7", "-1 to 1")),
    "too few tokens": ("search", {"query": "ship", "max_tokens": 5}, ("max_tokens is 5", "from 100")),
    "an invalid regular expression": (
        "search",
        {"query": "(", "mode": "regex"},
        ("'(' is not a regular expression", "correct it, or search in exact mode"),
    ),
    "an invalid glob": (
        "search",
        {"query": "ship", "paths": ["src/[a-"]},
        ("'src/[a-' is not a path glob", "write it as in .gitignore"),
    ),
    "no such place": ("search", {"like": "berths/fee.py:3"}, ("berths/fee.py is not in the index", "berths/fees.py")),
    "an unknown argument": ("search", {"query": "ship", "top_k": 5}, ("no argument 'top_k'", "limit")),
    "neither query nor place": ("search", {}, ("query is empty", "say in words")),
    "a directory outside the roots": ("index", {"path": "/"}, ("outside the allowed roots", "--root")),
    "a way out of the root": ("index", {"path": "../.."}, ("outside the allowed roots", "--root")),
    "a missing directory": ("index", {"path": "no/such/place"}, ("is not a directory", "name a directory")),
    "a file for a directory": ("index", {"path": "tides/gauge.py"}, ("is not a directory", "name a directory")),
    "a path with a zero byte": ("index", {"path": "a\x00b"}, ("null byte", "name a directory")),
    "nothing to embed": ("embed", {"texts": []}, ("texts is empty", "at least one")),
    "10,000 texts": ("embed", {"texts": ["tide"] * 10_000}, ("10,000", "send them in parts")),
    "a text of a megabyte": ("embed", {"texts": ["tide " * 200_000]}, ("texts[0] has 1,000,000", "cut it up")),
    "an unknown kind of text": ("embed", {"texts": ["tide"], "kind": "passage"}, ("kind 'passage'", "use one of")),
    "no time to embed": ("embed", {"texts": ["tide"], "timeout": -1}, ("timeout", "seconds")),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_bad_input_is_refused_in_one_sentence_with_the_next_step(client: Client, case: str) -> None:
    tool, arguments, (wrong, next_step) = REFUSED[case]
    said = await refusal(client, tool, **arguments)
    assert wrong in said
    assert next_step in said
    assert "\n" not in said
    assert len(said) < 600
    assert "Traceback" not in said
    assert "Error executing tool" not in said
    assert (await data(client, "search", query="crane", format="json"))["hits"]


async def test_control_characters_within_a_query_are_blanks(client: Client) -> None:
    dirty = await data(client, "search", query="passage\x00\x1bwindow\r\n", format="json")
    clean = await data(client, "search", query="passage  window", format="json")
    assert dirty["hits"] == clean["hits"] != []


async def test_an_expression_that_would_run_for_ever_is_cut_short_and_says_so(client: Client) -> None:
    said = await text(client, "search", query=r"h(a|aa)+$", mode="regex")
    assert "cut short by its time limit" in said
    assert "narrow by paths or simplify the pattern" in said


async def test_an_unknown_tool_is_an_error_that_names_it(client: Client) -> None:
    result = await client.call_tool("find", {"query": "ship"})
    assert result.is_error
    assert "find" in result.content[0].text  # type: ignore[union-attr]


def refused_start(launch: Launch) -> str:
    """Start a server that must not come up; its one line on stderr."""
    done = subprocess.run(
        launch.line,
        input=b"",
        capture_output=True,
        cwd=launch.directory,
        env=launch.environment,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 2, done.stderr.decode()
    assert done.stdout == b""
    (line,) = done.stderr.decode().strip().split("\n")
    return line


def test_a_missing_root_is_refused_before_serving(home: Home, tmp_path: Path) -> None:
    assert "does not exist; check the path" in refused_start(Launch(home, (tmp_path / "nowhere",)))


def test_a_file_as_root_is_refused_before_serving(home: Home, harbour: Path) -> None:
    assert "is a file, not a directory" in refused_start(Launch(home, (harbour / "README.md",)))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CODELOUPE_SEARCH_COLOUR", "blue", "search.colour is no setting"),
        ("CODELOUPE_SEARCH_LIMIT", "many", "search.limit = 'many' is not allowed"),
        ("CODELOUPE_NONSENSE", "1", "CODELOUPE_NONSENSE"),
        ("STORAGE_BACKEND", "postgres", "storage.backend = 'postgres' is not allowed"),
    ],
)
def test_a_bad_setting_is_refused_with_its_place(home: Home, harbour: Path, name: str, value: str, words: str) -> None:
    said = refused_start(Launch(home, (harbour,), settings={name: value}))
    assert words in said
    assert name in said


def test_an_unknown_key_in_the_project_s_file_is_refused_with_its_file(home: Home, harbour: Path) -> None:
    (harbour / ".codeloupe.toml").write_text('[index]\ncolour = "blue"\n', encoding="utf-8")
    said = refused_start(Launch(home, (harbour,)))
    assert ".codeloupe.toml" in said
    assert "index.colour is no setting" in said


async def test_an_index_that_cannot_be_written_is_said_in_a_sentence(home: Home, harbour: Path, log: Path) -> None:
    blocked = home.directory / "blocked"
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file where a directory is wanted", encoding="utf-8")
    launch = Launch(home, (harbour,), settings={"CODELOUPE_STORAGE_DIRECTORY": str(blocked / "indexes")})
    async with connected(launch, MODES[0], log) as client:
        said = await refusal(client, "index", wait=True)
        assert str(blocked) in said
        assert "\n" not in said
        assert (await client.list_tools()).tools


async def test_without_a_model_sketches_give_meaning_and_every_answer_says_that_it_is_rough(
    home: Home, harbour: Path, tmp_path: Path, log: Path
) -> None:
    launch = Launch(home, (harbour,), settings={"CODELOUPE_MODEL_DIRECTORY": str(tmp_path / "empty")})
    async with connected(launch, MODES[0], log) as client:
        assert "codeloupe models pull" in await text(client, "index", wait=True)
        said = await text(client, "search", query="when does a vessel get permission to enter", mode="semantic")
        assert "text 100 %, sketch 100 %, vectors 0 %" in said
        assert "meaning is rough, by sketches" in said
        assert "codeloupe models pull" in said


async def test_without_model_and_table_words_are_searched_and_every_answer_says_that_meaning_is_off(
    home: Home, harbour: Path, tmp_path: Path, log: Path
) -> None:
    nothing = {"CODELOUPE_MODEL_DIRECTORY": str(tmp_path / "empty"), "CODELOUPE_MODEL_TABLE": "none"}
    launch = Launch(home, (harbour,), settings=nothing)
    async with connected(launch, MODES[0], log) as client:
        assert "codeloupe models pull" in await text(client, "index", wait=True)
        said = await text(client, "search", query="passage_window")
        assert "tides/forecast.py" in said
        assert "meaning is off" in said
        assert "codeloupe models pull" in said
        assert "meaning is off" in (await refusal(client, "search", query="ship", mode="semantic")).lower()
        assert "codeloupe models pull" in await refusal(client, "embed", texts=["tide"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    ("device", "mode", "why"),
    [("/dev/full", "wb", "No space left on device"), ("/dev/null", "rb", "Bad file descriptor")],
)
@pytest.mark.parametrize("arguments", [["--help"], ["config", "show"], ["models", "list", "--json"]], ids=" ".join)
def test_an_output_that_cannot_be_written_is_one_sentence(
    arguments: list[str], device: str, mode: str, why: str, home: Home
) -> None:
    with Path(device).open(mode) as output:
        ran = subprocess.run(
            [*MODULE, *arguments],
            env=home.environment(),
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert ran.returncode == 2
    assert ran.stderr == f"codeloupe: The output cannot be written: {why}; send it elsewhere.\n"
