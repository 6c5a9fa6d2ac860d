"""Answers as text for a reader and as JSON for a program, both within a budget of characters.

The budget is spent on the best hits first; what does not fit is named by place, and what is not even named is counted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mcp_server.freshness import Freshness, counted
from mcp_server.requests import Answering
from storage.chunk import Chunk, Hit
from storage.ranking.terms import query_terms

SNIPPET_LINES = 8  # enough for a signature and the lines that matched; `full` shows the rest
MAX_LINE_CHARS = 200  # a longer line is data more often than code
ELLIPSIS = "…"


@dataclass(frozen=True, slots=True)
class Found:
    """A hit and the root it is in; ``root`` is "" where there is only one."""

    hit: Hit
    root: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search found, before it is written down."""

    query: str
    found: tuple[Found, ...]
    offset: int
    more: bool  # further hits exist beyond these
    freshness: Freshness


def as_text(answer: Answer, how: Answering) -> str:
    """The answer in at most about ``how.max_chars`` characters."""
    footer = f"[{answer.freshness.sentence()}]"
    if not answer.found:
        return f"Nothing found for {answer.query[:200]!r}.\n{footer}"
    blocks = [
        _block(number, found, answer.query, how.detail) for number, found in enumerate(answer.found, answer.offset + 1)
    ]
    kept, omitted = _fit(blocks, how.max_chars - len(footer) - 160)
    return "\n".join([*kept, *_left_out(answer, omitted), footer])


def as_json(answer: Answer, how: Answering) -> dict[str, Any]:
    """The same as one object; ``omitted`` counts hits that the budget did not hold."""
    rows: list[dict[str, Any]] = []
    room = how.max_chars - len(json.dumps(answer.freshness.as_json(), ensure_ascii=False)) - 60
    for found in answer.found:
        row = _row(found, answer.query, how.detail)
        if _size(row) > room:
            row["content"] = ""  # its place is worth more than nothing
        room -= _size(row)
        if room < 0 and rows:
            break
        rows.append(row)
    omitted = len(answer.found) - len(rows)
    result: dict[str, Any] = {"hits": rows, "omitted": omitted, "freshness": answer.freshness.as_json()}
    if omitted or answer.more:
        result["next_offset"] = answer.offset + len(rows)
    return result


def snippet(
    chunk: Chunk, query: str, matched: tuple[int, ...] = (), most: int = SNIPPET_LINES
) -> list[tuple[int, str]]:
    """Up to ``most`` lines of the chunk with their numbers: its first, then those that share most with the query."""
    lines = list(enumerate(chunk.content.split("\n"), chunk.start_line))
    terms = set(query_terms(query))
    wanted = set(matched)

    def worth(numbered: tuple[int, str]) -> tuple[bool, bool, int]:
        number, line = numbered
        return number in wanted, number == chunk.start_line, len(terms.intersection(query_terms(line)))

    best = sorted(lines, key=lambda numbered: (*(-int(part) for part in worth(numbered)), numbered[0]))[:most]
    return sorted(line for line in best if line[1].strip())


def location(found: Found) -> str:
    """``path:first-last``, with the root in front where there are several."""
    chunk = found.hit.chunk
    path = f"{found.root}/{chunk.file_path}" if found.root else chunk.file_path
    return f"{path}:{chunk.start_line}-{chunk.end_line}"


def numbered_lines(lines: list[tuple[int, str]]) -> list[str]:
    """``  12  text`` a line, with a mark where lines are left out between."""
    width = len(str(lines[-1][0])) if lines else 0
    shown, last = [], None
    for number, line in lines:
        if last is not None and number > last + 1:
            shown.append(f"{'':{width}}  {ELLIPSIS}")
        shown.append(f"{number:{width}}  {cut(line)}")
        last = number
    return shown


def cut(line: str) -> str:
    """The line, or its first characters and a mark."""
    return line if len(line) <= MAX_LINE_CHARS else line[:MAX_LINE_CHARS] + ELLIPSIS


def _head(number: int, found: Found) -> str:
    chunk = found.hit.chunk
    named = f"  {chunk.name_path}" if chunk.name_path else ""
    by = "+".join(found.hit.found_by)
    return f"{number}. {location(found)}{named}  ({chunk.kind}, {chunk.language}; {by} {found.hit.score:.3g})"


def _shown(found: Found, query: str, detail: str) -> list[tuple[int, str]]:
    chunk = found.hit.chunk
    if detail == "full":
        return list(enumerate(chunk.content.split("\n"), chunk.start_line))
    return snippet(chunk, query, found.hit.matched_lines)


def _block(number: int, found: Found, query: str, detail: str) -> tuple[str, str]:
    """A hit's head, and its head with its lines."""
    head = _head(number, found)
    if detail == "locations":
        return head, head
    return head, "\n".join([head, *numbered_lines(_shown(found, query, detail)), ""])


def _fit(blocks: list[tuple[str, str]], room: int) -> tuple[list[str], int]:
    """Whole blocks while they fit, then heads alone while they fit; returns them and how many are not named."""
    kept: list[str] = []
    whole = True
    for head, block in blocks:
        whole = whole and len(block) < room
        text = block if whole else head
        if len(text) >= room and kept:
            break
        kept.append(text)
        room -= len(text) + 1
    return kept, len(blocks) - len(kept)


def _left_out(answer: Answer, omitted: int) -> list[str]:
    """How to get what is not shown."""
    if not omitted and not answer.more:
        return []
    following = answer.offset + len(answer.found) - omitted
    said = f"{counted(omitted, 'hit')} left out for want of room; " if omitted else "More hits exist; "
    return [f"[{said}ask again with offset={following}, or narrow by paths, languages or kinds.]"]


def _size(row: dict[str, Any]) -> int:
    return len(json.dumps(row, ensure_ascii=False)) + 2


def _row(found: Found, query: str, detail: str) -> dict[str, Any]:
    chunk = found.hit.chunk
    content = (
        ""
        if detail == "locations"
        else "\n".join(cut(line) if detail != "full" else line for _, line in _shown(found, query, detail))
    )
    row = {
        "file_path": chunk.file_path,
        "start_line": chunk.start_line,
        "end_line": chunk.end_line,
        "language": chunk.language,
        "kind": chunk.kind,
        "name_path": chunk.name_path,
        "score": round(found.hit.score, 6),
        "found_by": list(found.hit.found_by),
        "content": content,
    }
    return row | ({"root": found.root} if found.root else {})
