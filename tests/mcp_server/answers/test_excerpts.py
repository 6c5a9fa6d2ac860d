"""Which lines of a hit come first."""

import pytest

from mcp_server.answers.excerpts import MAX_LINE_CHARS, TELLING_LINES, cut, excerpt, signature_line
from storage.chunk import Hit
from tests.mcp_server.samples import chunk

BODY = "\n".join(["def parse(text):", *[f"    line_{n} = {n}" for n in range(30)], "    return date_of(text)"])


def hit(content: str, matched: tuple[int, ...] = (), **changes: str) -> Hit:
    return Hit(chunk(content, **changes), 1.0, ("text",), matched)


@pytest.mark.parametrize(
    ("content", "name", "line"),
    [
        ("# how to parse\n@cached\ndef parse(text):\n    pass", "parse", 2),
        ('@doc """\nPushes.\n\n    push(socket)\n"""\ndef push(socket) do', "Channel/push", 5),
        ("/**\n * @return Fee\n */\npublic int fee() {", "Crane/fee", 3),
        ("#[derive(Debug)]\npub struct Buoy {", "Buoy", 1),
        ("#define LIMIT 3\nint x;", "LIMIT", 0),
        ("-- | Docs\nparse :: Text -> Date", "parse", 1),
        ("\n\nconst a = 1", "", 2),
        ("// only words here", "", 0),
        ("int refees;\nint fees_of;\nint fees;", "fees", 2),
        ("{- a\n b -}\nmodule Main where", "Main", 2),
        ("def f():\n    '''Docs.\n    f(1)\n    '''", "f", 0),
    ],
)
def test_the_signature_is_the_line_that_defines_the_name(content: str, name: str, line: int) -> None:
    assert signature_line(chunk(content, name=name)) == line


def test_a_section_s_signature_is_its_heading() -> None:
    assert signature_line(chunk("# Usage\n\nwords", name="Usage", kind="section")) == 0


def test_the_signature_comes_first_then_the_lines_of_the_query() -> None:
    lines = excerpt(hit(BODY), "which date")
    assert lines.lines[:2] == ((10, "def parse(text):"), (41, "    return date_of(text)"))
    assert lines.telling == 1


def test_lines_with_more_of_the_query_come_first_and_few_count_as_telling() -> None:
    body = "\n".join(["def parse():", *["    date = 1" for _ in range(9)], "    date = parse_time(zone)"])
    lines = excerpt(hit(body), "date and time zone")
    assert lines.lines[1] == (20, "    date = parse_time(zone)")
    assert lines.telling == TELLING_LINES


def test_a_matched_line_is_the_evidence_and_the_signature_follows_the_others() -> None:
    lines = excerpt(hit(BODY, (20, 25)), "line_9")
    assert [number for number, _ in lines.lines[: 1 + lines.telling]] == [20, 25, 10]


def test_a_hit_without_a_word_of_the_query_shows_what_follows_its_signature() -> None:
    lines = excerpt(hit(BODY), "zebra")
    assert [number for number, _ in lines.lines[: 1 + lines.telling]] == [10, 11, 12, 13]


def test_every_line_is_there_once() -> None:
    for matched in ((), (12, 20), (10, 12)):
        numbers = [number for number, _ in excerpt(hit(BODY, matched), "date line", whole=True).lines]
        assert sorted(numbers) == list(range(10, 42))


def test_of_an_exact_match_its_lines_and_its_signature_are_all() -> None:
    assert [number for number, _ in excerpt(hit(BODY, tuple(range(12, 30))), "line_").lines] == [*range(12, 30), 10]


def test_a_very_long_line_is_cut() -> None:
    assert len(cut("x" * 5000)) == MAX_LINE_CHARS + 1
