"""Searching a complete index through the SDK's Python client, in both eras."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from mcp_server.answers.tokens import estimated_tokens
from tests.e2e.clients import MODES, complete, connected, data, text, until
from tests.e2e.homes import FILES, Launch

if TYPE_CHECKING:
    from mcp import Client

pytestmark = pytest.mark.anyio

HIT = {
    "file_path",
    "start_line",
    "end_line",
    "language",
    "kind",
    "name_path",
    "score",
    "found_by",
    "content",
    "signals",
}


@pytest.fixture(scope="module", params=MODES)
async def client(
    request: pytest.FixtureRequest, indexed: Launch, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client]:
    async with connected(indexed, request.param, tmp_path_factory.mktemp("search") / "log") as client:
        yield client


# Questions that share few or no words with the code that answers them: only meaning finds it.
MEANING = [
    ("ocean height from astronomy", "tides/forecast.py"),
    ("wait longer after every failed request", "web/retry.ts"),
    ("price for staying overnight at the dock", "berths/fees.py"),
    ("has a navigation mark floated away from where it belongs", "buoys/drift.rs"),
    ("how much weight may be hoisted in a storm", "crane/Crane.java"),
]


@pytest.mark.parametrize(("question", "path"), MEANING)
async def test_a_question_in_other_words_finds_the_code(client: Client, question: str, path: str) -> None:
    hits = (await data(client, "search", query=question, mode="semantic", limit=3, format="json"))["hits"]
    assert path in [hit["file_path"] for hit in hits]
    assert any("vector" in hit["found_by"] for hit in hits)


@pytest.mark.parametrize(
    ("name", "path", "name_path"),
    [
        ("passage_window", "tides/forecast.py", "passage_window"),
        ("ArrivalsBoard", "web/board.ts", "ArrivalsBoard"),
        ("emergencyStop", "crane/Crane.java", "Crane/emergencyStop"),
        ("parse_sentence", "buoys/parser.rs", "parse_sentence"),
    ],
)
async def test_a_name_finds_its_definition_first(client: Client, name: str, path: str, name_path: str) -> None:
    hit = (await data(client, "search", query=name, format="json"))["hits"][0]
    assert hit["file_path"] == path
    assert name in hit["content"]
    assert name_path.split("/", maxsplit=1)[0] in hit["name_path"]


async def test_a_hit_says_where_what_and_why_and_its_lines_are_the_file_s(client: Client, indexed: Launch) -> None:
    answer = await data(client, "search", query="mooring fee", format="json", detail="full")
    for hit in answer["hits"]:
        assert set(hit) == HIT
        lines = (indexed.roots[0] / hit["file_path"]).read_text(encoding="utf-8").split("\n")
        assert hit["content"].split("\n") == lines[hit["start_line"] - 1 : hit["end_line"]]
    assert answer["hits"] == sorted(answer["hits"], key=lambda hit: -hit["score"])


async def test_a_complete_index_says_so(client: Client) -> None:
    async def says() -> bool:
        said = await text(client, "search", query="crane")
        return said.endswith("[current; text 100 %, sketch 100 %, vectors 100 %]")

    await until(says, "a refresh that finds nothing, as one may at first, is over")
    answer = await complete(client)
    assert (answer["freshness"]["text"], answer["freshness"]["vectors"]) == (1.0, 1.0)


async def test_text_and_json_name_the_same_places_in_the_same_order(client: Client) -> None:
    asked = {"query": "containers on a ship", "limit": 7}
    hits = (await data(client, "search", **asked, format="json"))["hits"]
    lines = (await text(client, "search", **asked, detail="locations")).split("\n")
    places = [re.split("[:-]", line.split()[1]) for line in lines if line[:1].isdigit()]  # neighbours are one place

    def place_of(hit: dict[str, Any]) -> int:
        return next(
            number
            for number, (path, first, last) in enumerate(places)
            if path == hit["file_path"] and int(first) <= hit["start_line"] and hit["end_line"] <= int(last)
        )

    assert list(dict.fromkeys(map(place_of, hits))) == list(range(len(places)))


async def test_the_text_of_a_json_answer_is_the_same_object(client: Client) -> None:
    result = await client.call_tool("search", {"query": "fog", "format": "json"})
    assert json.loads(result.content[0].text) == result.structured_content  # type: ignore[union-attr]


async def test_a_text_answer_carries_no_structured_content(client: Client) -> None:
    assert (await client.call_tool("search", {"query": "fog"})).structured_content is None


async def test_pages_follow_each_other_without_gap_or_repetition(client: Client) -> None:
    whole = (await data(client, "search", query="ship", limit=12, format="json", detail="locations"))["hits"]
    pages = [
        await data(client, "search", query="ship", limit=4, offset=offset, format="json", detail="locations")
        for offset in (0, 4, 8)
    ]
    assert len(whole) == 12
    assert [hit for page in pages for hit in page["hits"]] == whole
    assert [page["next_offset"] for page in pages[:2]] == [4, 8]


async def test_max_tokens_bounds_the_answer_and_says_how_to_get_the_rest(client: Client) -> None:
    answer = await text(client, "search", query="ship", limit=20, max_tokens=300, detail="full")
    assert estimated_tokens(answer) <= 300
    assert "left out" in answer
    assert "offset=" in answer


async def test_a_json_answer_counts_what_max_tokens_left_out(client: Client) -> None:
    answer = await data(client, "search", query="ship", limit=20, max_tokens=300, detail="full", format="json")
    assert estimated_tokens(json.dumps(answer)) <= 300
    assert answer["omitted"] + len(answer["hits"]) == 20
    assert answer["next_offset"] == len(answer["hits"])


async def test_an_answer_is_about_two_thousand_tokens_unless_asked_otherwise(client: Client) -> None:
    assert 1_900 <= estimated_tokens(await text(client, "search", query="harbour", limit=100)) <= 2_000
    whole = await text(client, "search", query="harbour", limit=100, detail="full")
    assert 2_000 < estimated_tokens(whole) <= 4_000


async def test_a_budget_without_a_limit_names_more_hits_where_it_has_room(client: Client) -> None:
    small, large = [await text(client, "search", query="harbour", max_tokens=tokens) for tokens in (600, 1_800)]
    assert "ask with offset=10" in small
    assert "ask with offset=18" in large


async def test_a_score_is_explained_in_text_and_in_json(client: Client) -> None:
    told = (await text(client, "search", query="mooring fee", limit=1, explain=True)).split("\n")
    (hit,) = (await data(client, "search", query="mooring fee", limit=1, format="json"))["hits"]
    names = [name for name, worth in hit["signals"].items() if worth]
    assert all(f"{name} " in told[1] for name in names)
    assert told[1].endswith(f"{hit['score']:.3f}".removeprefix("0"))


async def test_more_like_a_place_finds_its_kin_and_not_itself(client: Client) -> None:
    answer = await data(client, "search", like="tides/forecast.py:10", limit=5, format="json")
    (itself,) = (await data(client, "search", query="tides/forecast.py", limit=1, format="json"))["hits"]
    assert itself["file_path"] == "tides/forecast.py"
    assert len(answer["hits"]) == 5
    places = [(hit["file_path"], hit["start_line"] <= 10 <= hit["end_line"]) for hit in answer["hits"]]
    assert ("tides/forecast.py", True) not in places
    assert any(path.startswith("tides/") for path, _ in places)
    assert any("vector" in hit["found_by"] for hit in answer["hits"])


async def test_exact_mode_finds_every_literal_occurrence(client: Client, indexed: Launch) -> None:
    answer = await data(client, "search", query="harbour/gateway", mode="exact", format="json")
    assert [hit["file_path"] for hit in answer["hits"]] == ["deploy/compose.yaml"]
    assert "harbour/gateway" in answer["hits"][0]["content"]


async def test_regex_mode_matches_line_by_line(client: Client) -> None:
    answer = await data(client, "search", query=r"^func \w+\(", mode="regex", format="json")
    assert {hit["file_path"] for hit in answer["hits"]} == {"gateway/main.go", "gateway/watch.go"}


async def test_filters_apply_before_the_limit(client: Client) -> None:
    only = {"query": "ship", "limit": 3, "format": "json"}
    by_language = (await data(client, "search", **only, languages=["ruby", "lua"]))["hits"]
    by_path = (await data(client, "search", **only, paths=["berths/**", "!**/fees.py"]))["hits"]
    by_kind = (await data(client, "search", **only, kinds=["function"]))["hits"]
    assert {hit["language"] for hit in by_language} == {"ruby", "lua"}
    assert len(by_path) == 3
    assert all(hit["file_path"].startswith("berths/") and "fees" not in hit["file_path"] for hit in by_path)
    assert {hit["kind"] for hit in by_kind} == {"function"}


async def test_a_floor_of_similarity_keeps_strangers_out(client: Client) -> None:
    asked = {"query": "quantum chromodynamics lattice", "mode": "semantic", "format": "json"}
    assert (await data(client, "search", **asked, min_similarity=0.95))["hits"] == []


async def test_nothing_found_is_an_answer_and_no_error(client: Client) -> None:
    answer = await text(client, "search", query="zzyzx_nowhere", mode="exact")
    assert answer.startswith("Nothing found for 'zzyzx_nowhere'.")


async def test_what_git_ignores_is_not_found(client: Client) -> None:
    assert (await data(client, "search", query="never_to_be_found", mode="exact", format="json"))["hits"] == []


async def test_embedding_gives_vectors_of_norm_one_and_names_the_model(client: Client) -> None:
    answer = await data(client, "embed", texts=["the tide comes in", "the tide comes in", "a bill was paid"])
    first, again, other = answer["vectors"]
    assert first == again
    assert answer["dimension"] == len(first) == len(other)
    assert sum(number * number for number in first) == pytest.approx(1.0, abs=1e-4)
    assert "minilm" in answer["model"].lower()


async def test_embedding_without_the_cache_gives_the_same_vector(client: Client) -> None:
    texts = ["the lamp on the mole"]
    cached = (await data(client, "embed", texts=texts))["vectors"][0]
    fresh = (await data(client, "embed", texts=texts, cache=False))["vectors"][0]
    assert sum(one * two for one, two in zip(cached, fresh, strict=True)) == pytest.approx(1.0, abs=1e-3)


async def test_a_query_and_a_document_close_in_meaning_are_close_as_vectors(client: Client) -> None:
    question = (await data(client, "embed", texts=["when does the water rise"], kind="query"))["vectors"][0]
    near, far = (await data(client, "embed", texts=["the tide is coming in", "a tax on spices"]))["vectors"]

    def closeness(other: list[float]) -> float:
        return float(sum(one * two for one, two in zip(question, other, strict=True)))

    assert closeness(near) > closeness(far)


async def test_status_says_everything_about_the_root(client: Client, indexed: Launch) -> None:
    await data(client, "embed", texts=["load the model"])
    await complete(client)
    state = await data(client, "status", format="json")
    (root,) = state["roots"]
    assert root["root"] == str(indexed.roots[0].resolve())
    assert (root["state"], root["files"]) == ("current", FILES)
    assert root["coverage"] == {"text": 1.0, "vectors": 1.0}
    assert (root["running"], root["last_error"]) == ("", "")
    assert state["model"]["state"] == "ready"
    assert state["model"]["dimension"] == 384
    assert state["memory"]["server_bytes"] > 10 * 2**20
    assert "vectors 100 %" in await text(client, "status")


async def test_exact_mode_takes_tabs_and_line_ends_as_they_are(client: Client) -> None:
    lines = "\tdefer b.mu.Unlock()\n\tif b.tokens == 0 {"
    (hit,) = (await data(client, "search", query=lines, mode="exact", format="json"))["hits"]
    assert hit["file_path"] == "gateway/limiter.go"


async def test_blank_texts_embed_to_a_vector_like_any_other(client: Client) -> None:
    first, second = (await data(client, "embed", texts=["", " \n\t"]))["vectors"]
    assert first == second
    assert sum(number * number for number in first) == pytest.approx(1.0, abs=1e-4)
