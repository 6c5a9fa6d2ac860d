"""`codeloupe serena`: a question through the bridge, its answer for a reader or a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio
import click

from mcp_server.freshness import percent
from mcp_server.serena.bridge import SerenaBridge
from mcp_server.serena.errors import BridgeError
from mcp_server.serena.launching import CODELOUPE
from mcp_server.serena.nouns import CodeReference, CodeReferences, Usage

USES = 8  # of one symbol that are printed; JSON has them all


@dataclass(frozen=True, slots=True)
class Question:
    """What the command was asked."""

    text: str
    project: Path
    limit: int
    references: bool
    program: str


def ask(question: Question, overrides: Sequence[str], *, as_json: bool) -> int:
    """Print the answer; grep's exit code. Raises BridgeError."""
    found, usages = anyio.run(_asked, question, overrides)
    if as_json:
        click.echo(json.dumps(_rows(found, usages), ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(found, usages)))
    return 0 if found else 1


async def _asked(question: Question, overrides: Sequence[str]) -> tuple[CodeReferences, dict[int, list[Usage]]]:
    """The hits, and of the confirmed ones who uses them, by their place in the answer."""
    ours = (*CODELOUPE, *(word for setting in overrides for word in ("--set", setting)))
    opened = SerenaBridge.open(question.project, serena_command=(question.program,), codeloupe_command=ours)
    async with opened as bridge:
        found = await bridge.semantic_search(question.text, question.limit)
        usages, failures = dict[int, list[Usage]](), dict[str, None]()
        for place, one in enumerate(found):
            if one.confirmed and question.references:
                try:
                    usages[place] = await bridge.references(one)
                except BridgeError as error:
                    failures[str(error)] = None
        return CodeReferences(found, found.worth, (*found.notes, *failures)), usages


def _rows(found: CodeReferences, usages: dict[int, list[Usage]]) -> dict[str, Any]:
    rows = [asdict(one) for one in found]
    for place, used in usages.items():
        rows[place]["references"] = [asdict(usage) for usage in used]
    return {"hits": rows, "freshness": asdict(found.worth), "notes": found.notes}


def _lines(found: CodeReferences, usages: dict[int, list[Usage]]) -> list[str]:
    """For a reader: each hit, its first users, and last what the answer is worth."""
    lines = []
    for place, one in enumerate(found):
        lines.append(_line(place + 1, one))
        used = list(dict.fromkeys(map(_use, usages.get(place, ()))))
        lines += used[:USES]
        lines += [f"     and {len(used) - USES} more"] if len(used) > USES else []
    told = {one.unconfirmed for one in found}
    shares = f"text {percent(found.worth.text)}, vectors {percent(found.worth.vectors)}"
    said = "; ".join([found.worth.state, shares, *(note for note in found.notes if note not in told)])
    return [*(lines or ["Nothing found."]), f"[{said}]"]


def _line(number: int, one: CodeReference) -> str:
    name = one.symbol.name_path if one.symbol else one.name_path
    kind = one.symbol.kind if one.symbol else one.kind
    lines = one.symbol.lines if one.symbol else one.lines
    doubt = "" if one.symbol else f"  unconfirmed: {one.unconfirmed}"
    return f"{number}. {one.relative_path}:{lines} {name} ({kind}){doubt}"


def _use(usage: Usage) -> str:
    user = usage.within.name_path if usage.within else ""
    return f"     used at {usage.relative_path}:{usage.line} {user}".rstrip()
