"""Spending a budget: what holds for any offers and any budget."""

from hypothesis import given
from hypothesis import strategies as st

from mcp_server.answers.budget import FIRST, Offer, allocate, steps

DETAILS = ("snippets", "locations", "full")


@st.composite
def offer(draw: st.DrawFn) -> Offer:
    lines = draw(st.lists(st.text("ab", min_size=1, max_size=9), min_size=1, max_size=8))
    order = draw(st.permutations(range(len(lines))))
    numbered = tuple((number, lines[number]) for number in order)
    return Offer(draw(st.text("xy", min_size=1, max_size=9)), numbered, draw(st.integers(0, len(lines) - 1)))


OFFERS = st.lists(offer(), max_size=14)
ANY = (OFFERS, st.integers(0, 300), st.sampled_from(DETAILS))


def spent(offers: list[Offer], shown: dict[int, tuple[tuple[int, str], ...]]) -> int:
    return sum(len("\n".join([offers[place].heading, *(line for _, line in lines)])) for place, lines in shown.items())


def cost(text: str) -> int:
    return len(text) + 1


@given(*ANY)
def test_no_more_than_the_budget_is_spent(offers: list[Offer], budget: int, detail: str) -> None:
    assert spent(offers, allocate(offers, budget, detail, cost)) <= budget


@given(*ANY)
def test_the_best_places_are_named_first(offers: list[Offer], budget: int, detail: str) -> None:
    assert sorted(allocate(offers, budget, detail, cost)) == list(range(len(allocate(offers, budget, detail, cost))))


@given(*ANY, st.integers(0, 100))
def test_a_larger_budget_shows_no_place_less(offers: list[Offer], budget: int, detail: str, more: int) -> None:
    small = allocate(offers, budget, detail, cost)
    large = allocate(offers, budget + more, detail, cost)
    assert all(set(lines) <= set(large[place]) for place, lines in small.items())


@given(*ANY)
def test_a_place_has_all_its_lines_before_a_worse_one_is_filled_up(
    offers: list[Offer], budget: int, detail: str
) -> None:
    shown = allocate(offers, budget, detail, cost)
    worth = 1 if detail == "full" else None
    filled = [len(lines) > (worth or 1 + offers[place].telling) for place, lines in shown.items()]
    whole = [len(lines) == len(offers[place].lines) for place, lines in shown.items()]
    if detail != "locations" and any(filled):
        last = max(place for place, more in enumerate(filled) if more)
        assert all(whole[:last])


@given(OFFERS, st.sampled_from(["snippets", "full"]))
def test_enough_tokens_show_everything_in_the_order_of_the_file(offers: list[Offer], detail: str) -> None:
    shown = allocate(offers, 10_000, detail, cost)
    assert [list(lines) for lines in shown.values()] == [sorted(one.lines) for one in offers]


@given(OFFERS)
def test_locations_are_headings_alone(offers: list[Offer]) -> None:
    assert allocate(offers, 10_000, "locations", cost) == dict.fromkeys(range(len(offers)), ())


def test_every_place_is_named_before_any_gets_a_second_line_and_further_ones_after_that() -> None:
    offers = [Offer(str(number), ((1, "a"), (2, "b"), (3, "c")), 1) for number in range(FIRST + 2)]
    order = [(step.offer, step.lines) for step in steps(offers, "snippets")]
    named = [(place, 1) for place in range(FIRST)]
    telling = [(place, 2) for place in range(FIRST)]
    further = [(FIRST, 1), (FIRST + 1, 1)]
    whole = [(place, 3) for place in range(FIRST)]
    assert order[: 3 * FIRST + 2] == named + telling + further + whole
