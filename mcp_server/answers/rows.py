"""An answer for a program: one object, each hit a row of its own."""

from __future__ import annotations

import json
from typing import Any

from mcp_server.answers.answer import Answer, Found
from mcp_server.answers.budget import Offer, allocate
from mcp_server.answers.excerpts import cut, excerpt
from mcp_server.answers.tokens import token_cost
from mcp_server.requests import Answering


def as_json(answer: Answer, how: Answering) -> dict[str, Any]:
    """At most ``how.max_tokens`` tokens as JSON; ``omitted`` counts hits that the budget did not hold."""
    rows = [_row(found, how) for found in answer.found]
    offers = [_offer(found, row, answer.query, how) for found, row in zip(answer.found, rows, strict=True)]
    room = how.max_tokens - _cost(_dumped(_whole(answer, [], omitted=len(rows))))
    shown = allocate(offers, room, how.detail, _cost)
    for place, chosen in shown.items():
        rows[place]["content"] = "\n".join(json.loads(f'"{line}"') for _, line in chosen)
    return _whole(answer, [rows[place] for place in shown], omitted=len(rows) - len(shown))


def _whole(answer: Answer, rows: list[dict[str, Any]], *, omitted: int) -> dict[str, Any]:
    result: dict[str, Any] = {"hits": rows, "omitted": omitted, "freshness": answer.freshness.as_json()}
    if omitted or answer.more:
        result["next_offset"] = answer.offset + len(answer.found) - omitted
    return result


def _offer(found: Found, row: dict[str, Any], query: str, how: Answering) -> Offer:
    """The row as it will be written: quotes and all are paid for."""
    heading = f"{_dumped(row)}, "
    if how.detail == "locations":
        return Offer(heading)
    lines = excerpt(found.hit, query, whole=how.detail == "full")
    written = tuple(
        (number, _dumped(line if how.detail == "full" else cut(line))[1:-1]) for number, line in lines.lines
    )
    return Offer(heading, written, lines.telling)


def _row(found: Found, how: Answering) -> dict[str, Any]:
    chunk = found.hit.chunk
    row: dict[str, Any] = {
        "file_path": chunk.file_path,
        "start_line": chunk.start_line,
        "end_line": chunk.end_line,
        "language": chunk.language,
        "kind": chunk.kind,
        "name_path": chunk.name_path,
        "score": round(found.hit.score, 6),
        "found_by": list(found.hit.found_by),
        "content": "",
    }
    if how.explain or how.detail != "locations":
        row["signals"] = {name: round(value, 6) for name, value in found.hit.signals}
    return row | ({"root": found.root} if found.root else {})


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cost(written: str) -> float:
    return token_cost(f"{written}\\n")
