"""More like this: the place, the example, and clear refusals."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from mcp_server.errors import RequestError
from mcp_server.likeness import TELLING_TERMS, Example, find_example
from storage.memory import MemoryStore
from tests.mcp_server.samples import chunk
from tests.storage.samples import TEXT_ONLY, make_file


@dataclass(frozen=True)
class Root:
    path: Path
    store: MemoryStore

    def open(self) -> MemoryStore:
        return self.store


def root(path, *files):
    store = MemoryStore()
    store.reset(TEXT_ONLY)
    store.replace_files(files)
    return Root(Path(path), store)


def roots(*several):
    return {one.path: one for one in several}


APP = make_file("src/app.py", "def first():\n    pass", "def second():\n    pass")
LOGO = make_file("logo.png", skipped="binary")
ONE = roots(root("/srv/app", APP, LOGO))


@pytest.mark.parametrize(
    "like", ["src/app.py:4", "./src/app.py:4", "/srv/app/src/app.py:4", "src/app.py:3-4", " src\\app.py:4 "]
)
def test_a_place_is_found_however_it_is_written(like):
    assert find_example(like, ONE).chunk == APP.chunks[1]


@pytest.mark.parametrize(
    ("like", "told"),
    [
        ("src/app.py", "is no place; write path:line"),
        ("src/app.py:last", "is no place"),
        ("src/app.py:" + "9" * 5000, "is no place"),
        ("src/app.py:0", "src/app.py has no code at line 0"),
        ("src/app.py:99", "src/app.py has no code at line 99; name a line within it"),
        ("lib/app.py:1", "lib/app.py is not in the index; did you mean src/app.py?"),
        ("nothing:1", "nothing is not in the index; take it from an answer"),
        ("logo.png:1", "logo.png was left out of the index (binary)"),
    ],
)
def test_what_is_no_place_is_refused_in_one_sentence(like, told):
    with pytest.raises(RequestError) as refusal:
        find_example(like, ONE)
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_with_several_roots_the_path_is_as_answers_write_it():
    other = make_file("src/app.py", "def other():\n    pass")
    both = roots(root("/srv/app", APP), root("/srv/lib", other))
    assert find_example("lib/src/app.py:1", both).chunk == other.chunks[0]
    assert find_example("app/src/app.py:1", both).chunk == APP.chunks[0]


def test_the_terms_of_an_example_are_its_name_and_what_it_repeats():
    body = "def parse_date(text):\n" + "    zone = zone_of(text)\n" * 4
    terms = Example(chunk(body, name="parse_date")).terms.split()
    assert set(terms[:4]) == {"zone", "text", "parse", "date"}
    assert "parsedate" not in terms


def test_a_long_example_gives_a_bounded_number_of_terms():
    body = " ".join(f"{a}{b}word" for a in "abcdefghij" for b in "klmnopqrst")
    assert len(Example(chunk(body)).terms.split()) == TELLING_TERMS
