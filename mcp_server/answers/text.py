"""An answer for a reader: places with their lines, then what was left out and how fresh the index is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mcp_server.answers.answer import Answer, Found
from mcp_server.answers.blocks import Block, merged
from mcp_server.answers.budget import Offer, allocate
from mcp_server.answers.excerpts import ELLIPSIS, cut, excerpt
from mcp_server.answers.explain import explained
from mcp_server.answers.tokens import token_cost
from mcp_server.freshness import counted
from mcp_server.requests import Answering

FOOTER_SHARE = 1 / 3  # of the budget at most for the words on freshness: errors in them can be long


def as_text(answer: Answer, how: Answering) -> str:
    """The answer in at most ``how.max_tokens`` tokens, as estimated (mcp_server/answers/tokens.py)."""
    footer = shortened(f"[{answer.freshness.sentence()}]", how.max_tokens * FOOTER_SHARE)
    if not answer.found:
        return f"Nothing found {f'like {answer.like}' if answer.like else f'for {answer.query[:200]!r}'}.\n{footer}"
    blocks = merged(answer.found)
    offers = [_offer(block, answer, how) for block in blocks]
    room = how.max_tokens - _line_cost(footer) - _line_cost(_left_out(answer, blocks, len(blocks)))
    shown = allocate(offers, room, how.detail, _line_cost)
    lines = [text for place, chosen in shown.items() for text in (offers[place].heading, *(line for _, line in chosen))]
    unnamed = [block for place, block in enumerate(blocks) if place not in shown]
    partly = sum(len(chosen) < len(offers[place].lines) for place, chosen in shown.items())
    return "\n".join([*lines, *filter(None, [_left_out(answer, unnamed, partly)]), footer])


def shortened(line: str, most: float) -> str:
    """The line, cut so that it costs at most ``most`` tokens; a mark says that it was."""
    while (cost := _line_cost(line)) > most and len(line) > 1:
        line = line[: min(len(line) - 2, int(len(line) * most / cost))] + ELLIPSIS
    return line


def _offer(block: Block, answer: Answer, how: Answering) -> Offer:
    heading = _heading(block, answer.offset, how)
    if how.detail == "locations":
        return Offer(heading)
    excerpts = [excerpt(member.hit, answer.query, whole=how.detail == "full") for member in block.members]
    ahead = _numbered(line for one in excerpts for line in one.lines[:1])
    ahead += _numbered(line for one in excerpts for line in one.lines[1 : 1 + one.telling])
    rest = _numbered(line for one in excerpts for line in one.lines[1 + one.telling :])
    return Offer(heading, (*ahead, *rest), max(0, len(ahead) - 1))


def _numbered(lines: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """The lines as they are written; blank ones tell nothing, not even where an expression matched them."""
    return [(number, f"{number} {cut(line)}") for number, line in lines if line.strip()]


def _heading(block: Block, offset: int, how: Answering) -> str:
    names = ", ".join(block.names)
    place = f"{offset + block.rank + 1}. {block.location}{f' {names}' if names else ''}"
    return "\n".join([place, *_explanations(block.members)]) if how.explain else place


def _explanations(members: tuple[Found, ...]) -> Iterator[str]:
    for member in members:
        name = f"{member.hit.chunk.name_path}: " if len(members) > 1 and member.hit.chunk.name_path else ""
        yield f"   {name}{explained(member.hit)}"


def _left_out(answer: Answer, unnamed: Sequence[Block], partly: int) -> str:
    """What is not shown and how to get it; "" where everything is.

    The next page begins at the best hit that is not shown, though a worse one may stand beside a better one's place.
    """
    hits = sum(len(block.members) for block in unnamed)
    following = answer.offset + (unnamed[0].rank if unnamed else len(answer.found))
    said = [f"{counted(partly, 'place')} shown in part"] if partly else []
    if unnamed:
        said.append(f"{counted(hits, 'hit')} left out for want of room")
    elif answer.more:
        said.append("more hits exist")
    ways = [f"offset={following}"] if unnamed or answer.more else []
    ways += ["a larger max_tokens"] if unnamed or partly else []
    return f"[{'; '.join(said)}: ask with {' or '.join(ways)}.]" if said else ""


def _line_cost(line: str) -> float:
    return token_cost(f"{line}\n")
