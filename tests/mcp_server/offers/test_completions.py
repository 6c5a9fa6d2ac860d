"""Completions over real indexes in memory: of the template's path, and of prompts' arguments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mcp_server.engine import Engine
from mcp_server.errors import RequestError
from mcp_server.offers.code_uri import TEMPLATE, parse_code_uri
from mcp_server.offers.completions import MOST, Completions, words_for
from mcp_server.offers.resources import Resources
from mcp_server.offers.supplies import Supplies
from mcp_server.sdk import PromptReference, ResourceTemplateReference
from mcp_server.settings import load
from tests.indexer.trees import plant

MOST_S = 60
PATH = ResourceTemplateReference(uri=TEMPLATE)
EXPLAIN = PromptReference(name="explain")
USAGES = PromptReference(name="find_usages")
FILES = {
    "src/app.py": "one = 1\n", "src/net/retry.go": "package net\n", "a?b#c%41.py": "x = 1\n",
    "[slug]/page.tsx": "export {}\n", "README.md": "# Read\n",
    ".env": "KEY=1\n", "image.png": b"\x89PNG\0\0", "src/other.py": "two = 2\n",
}  # fmt: skip


def opened(*roots: Path) -> Engine:
    settings = load(None, ["storage.backend=memory", "model.name=none"], {}).settings
    return Engine([root.resolve() for root in roots], settings)


def resources_of(engine: Engine) -> Resources:
    return Resources(Supplies(lambda: engine, engine.settings.index, lambda: engine.status().sentence()))


def index(engine: Engine) -> None:
    for root in engine.roots.values():
        job = root.refresh()
        view = job.view()
        while not view.resting:
            changed = job.wait_for_change(view, MOST_S)
            assert changed != view, "indexing a few files took a minute"
            view = changed


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = opened(plant(tmp_path_factory.mktemp("one") / "root", FILES))
    index(engine)
    yield engine
    engine.close()


@pytest.fixture
def completions(engine: Engine) -> Completions:
    return Completions(lambda: engine)


def test_a_path_is_completed_from_what_is_indexed(completions: Completions) -> None:
    found = completions.complete(PATH, "path", "src/")
    assert found.values == ["src/app.py", "src/other.py", "src/net/retry.go"]
    assert (found.total, found.has_more) == (3, False)
    everything = completions.complete(PATH, "path", "").values
    assert not {".env", "image.png"} & set(everything)
    assert len(everything) == 6


@pytest.mark.parametrize("typed", ["code://src/ap", "/src/ap", "src%2Fap", "sap"])
def test_however_a_path_is_begun_it_is_completed(completions: Completions, typed: str) -> None:
    assert completions.complete(PATH, "path", typed).values[0] == "src/app.py"


def test_every_completed_path_can_be_read_as_it_is(engine: Engine) -> None:
    resources = resources_of(engine)
    for value in resources.completions.complete(PATH, "path", "").values:
        assert resources.read(f"code://{value}").content
    assert "/%5Bslug%5D" not in value


def test_at_most_a_hundred_values_are_given_and_the_rest_is_counted(tmp_path: Path) -> None:
    engine = opened(plant(tmp_path / "root", {f"f{number}.py": "x = 1\n" for number in range(130)}))
    index(engine)
    found = Completions(lambda: engine).complete(PATH, "path", "f")
    assert (len(found.values), found.total, found.has_more) == (MOST, 130, True)
    engine.close()


def test_several_roots_stand_before_their_paths(tmp_path: Path) -> None:
    roots = [plant(tmp_path / name, {"a.py": f"{name} = 1\n"}) for name in ("north", "south")]
    engine = opened(*roots)
    index(engine)
    resources = resources_of(engine)
    values = resources.completions.complete(PATH, "path", "a.py").values
    assert values == ["north/a.py", "south/a.py"]
    assert [resources.read(f"code://{value}").content for value in values] == ["north = 1\n", "south = 1\n"]
    engine.close()


def test_where_nothing_is_indexed_an_index_is_begun_and_nothing_waited_for(tmp_path: Path) -> None:
    engine = opened(plant(tmp_path / "root", FILES))
    completions = Completions(lambda: engine)
    assert completions.complete(PATH, "path", "no such").values == []
    (root,) = engine.roots.values()
    job = root.refresh_or_current()
    view = job.view()
    while not view.resting:
        view = job.wait_for_change(view, MOST_S)
    assert view.runs == 1
    engine.close()


def test_languages_of_this_place_come_first(completions: Completions) -> None:
    assert completions.complete(EXPLAIN, "language", "").values[0] == "python"
    assert completions.complete(EXPLAIN, "language", "g").values[0] == "go"
    assert "rust" in completions.complete(EXPLAIN, "language", "ru").values


def test_kinds_and_paths_of_prompts_are_completed_and_free_text_is_not(completions: Completions) -> None:
    assert completions.complete(USAGES, "kind", "me").values[0] == "method"
    assert completions.complete(USAGES, "path", "slug").values == ["[slug]/page.tsx"]
    assert completions.complete(USAGES, "name", "a").values == []
    assert completions.complete(PATH, "start", "1").values == []


@pytest.mark.parametrize(
    ("reference", "argument", "words"),
    [
        (ResourceTemplateReference(uri="file:///{path}"), "path", "is no template of this server; it has code://"),
        (PATH, "file", "has no 'file'; it takes path, start, end"),
        (PromptReference(name="explian"), "topic", "There is no prompt 'explian'"),
        (EXPLAIN, "subject", "has no argument 'subject'; it takes topic, path, language"),
    ],
)
def test_what_is_not_there_is_not_completed(
    completions: Completions, reference: PromptReference | ResourceTemplateReference, argument: str, words: str
) -> None:
    with pytest.raises(RequestError) as refused:
        completions.complete(reference, argument, "x")
    assert words in str(refused.value)


def test_words_that_begin_so_come_before_those_that_hold_it() -> None:
    assert words_for("st", ["rust", "struct", "starlark"]).values == ("struct", "starlark", "rust")


def test_a_wrong_path_is_answered_with_the_one_most_like_it(engine: Engine) -> None:
    resources = resources_of(engine)
    with pytest.raises(RequestError) as refused:
        resources.read("code://source/retry.go")
    assert str(refused.value) == "source/retry.go is not there, or ignored; did you mean src/net/retry.go?"
    assert parse_code_uri("code://src/net/retry.go").path in str(refused.value)


def test_the_status_is_a_resource(engine: Engine) -> None:
    read = resources_of(engine).read("codeloupe://status")
    assert "root" in str(read.content)
    assert read.mime_type == "text/plain"
