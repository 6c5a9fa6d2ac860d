"""How an answer's tokens are spent: an order of steps, of which as many are taken as fit. Pure.

Every step shows one line more of one place. The order is that of worth: first each place is named with its line of
evidence, then the best of them get their telling lines, then further places are named, then whole chunks are filled
up, best first. Whatever the budget, the steps taken are the first ones: a larger budget never shows less of any place,
and no place is shortened for a worse one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

FIRST = 10  # places that get their telling lines before further ones are named: few answers lie behind them


@dataclass(frozen=True, slots=True)
class Offer:
    """What one place may show: a heading, and lines by their worth: one of evidence, ``telling`` more, the rest."""

    heading: str
    lines: tuple[tuple[int, str], ...] = ()
    telling: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """Show ``lines`` lines of the place ``offer``, one more than before; ``text`` is what that adds."""

    offer: int
    lines: int
    text: str


def allocate(
    offers: Sequence[Offer], budget: float, detail: str, cost: Callable[[str], float]
) -> dict[int, tuple[tuple[int, str], ...]]:
    """The lines to show of each place that is named, in the order of the file; what is absent is not named.

    ``cost`` is asked once a step, until the budget is spent.
    """
    taken: dict[int, int] = {}
    for step in steps(offers, detail):
        budget -= cost(step.text)
        if budget < 0:
            break
        taken[step.offer] = step.lines
    return {place: tuple(sorted(offers[place].lines[:lines])) for place, lines in taken.items()}


def steps(offers: Sequence[Offer], detail: str) -> Iterator[Step]:
    """All steps of an answer, the most worth first; see the module's words."""
    first, further = range(min(FIRST, len(offers))), range(FIRST, len(offers))
    if detail == "locations":
        yield from (Step(place, 0, offers[place].heading) for place in (*first, *further))
        return
    yield from _named(offers, first)
    if detail == "snippets":
        for place in first:
            yield from _lines(offers, place, 1, 1 + offers[place].telling)
    yield from _named(offers, further)
    for place in (*first, *further):
        shown = 1 + offers[place].telling if detail == "snippets" and place in first else 1
        yield from _lines(offers, place, shown, len(offers[place].lines))


def _named(offers: Sequence[Offer], places: Sequence[int]) -> Iterator[Step]:
    for place in places:
        offer = offers[place]
        yield Step(place, 1, "\n".join([offer.heading, *(line for _, line in offer.lines[:1])]))


def _lines(offers: Sequence[Offer], place: int, shown: int, wanted: int) -> Iterator[Step]:
    for number in range(shown, wanted):
        yield Step(place, number + 1, offers[place].lines[number][1])
