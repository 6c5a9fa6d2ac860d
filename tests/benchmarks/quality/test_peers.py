"""How peers are asked and understood, as far as that needs no peer."""

from __future__ import annotations

import json

from benchmarks.quality.peers import LINES_SHOWN, by_distinct_terms, grep_terms


def test_words_that_nobody_would_grep_for_are_left_out() -> None:
    assert grep_terms("How does the router match paths of the router") == ["router", "match", "paths"]
    assert grep_terms("HttpClient") == ["httpclient"]


def test_a_question_of_stop_words_alone_is_asked_as_it_is() -> None:
    assert grep_terms("what is it") == ["what", "is", "it"]


def match(path: str, number: int, line: str, *terms: str) -> bytes:
    """A line of what ``rg --json`` prints."""
    parts = [{"match": {"text": term}, "start": 0, "end": 1} for term in terms]
    data = {"path": {"text": path}, "lines": {"text": line + "\n"}, "line_number": number, "submatches": parts}
    return json.dumps({"type": "match", "data": data}).encode()


def test_files_with_more_different_words_come_before_files_with_more_matches() -> None:
    lines = [
        json.dumps({"type": "begin", "data": {"path": {"text": "./many.py"}}}).encode(),
        *(match("./many.py", number, "router", "router") for number in range(1, 30)),
        match("./both.py", 7, "Router.match\u2028paths", "Router", "match"),
        match("./one.py", 1, "router", "router"),
    ]
    found = by_distinct_terms(lines)
    assert [hit.file_path for hit in found] == ["both.py", "many.py", "one.py"]
    assert found[0].shown == "7:Router.match\u2028paths"
    assert len(found[1].shown.splitlines()) == LINES_SHOWN
