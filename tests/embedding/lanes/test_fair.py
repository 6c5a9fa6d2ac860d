"""Shares, orders and limits of what waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from embedding.lanes.fair import FairQueue

ROOMY = 10**9


@dataclass(frozen=True, eq=False)
class Request:
    client: str
    number: int
    cost: int


costs = st.lists(st.integers(1, 1000), min_size=1, max_size=40)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.sampled_from("abcd"), st.integers(0, 50)),
        st.tuples(st.sampled_from(["take", "drop", "remove"]), st.sampled_from("abcd"), st.integers(0, 50)),
    ),
    max_size=120,
)


def filled(lines: dict[str, list[int]]) -> FairQueue[Request]:
    queue: FairQueue[Request] = FairQueue(ROOMY, ROOMY)
    for client, line in lines.items():
        for number, cost in enumerate(line):
            assert queue.put(client, Request(client, number, cost), cost)
    return queue


def emptied(queue: FairQueue[Request]) -> list[Request]:
    taken = []
    while (one := queue.take()) is not None:
        taken.append(one)
    return taken


@given(st.dictionaries(st.sampled_from("abcde"), costs, min_size=2))
def test_two_clients_that_both_wait_have_had_the_same_within_one_largest_item(lines: dict[str, list[int]]) -> None:
    queue = filled(lines)
    largest = max(map(max, lines.values()))
    had, left = Counter(dict.fromkeys(lines, 0)), Counter({client: len(line) for client, line in lines.items()})
    while (one := queue.take()) is not None:
        had[one.client] += one.cost
        left[one.client] -= 1
        waiting = [client for client in lines if left[client]]
        if waiting:
            assert max(had[client] for client in waiting) - min(had[client] for client in waiting) <= largest
        assert all(had[one.client] <= had[client] + largest for client in waiting)


@given(st.dictionaries(st.sampled_from("abcde"), costs, min_size=2), st.data())
def test_in_any_stretch_two_clients_that_wait_get_the_same_within_two_largest_items(
    lines: dict[str, list[int]], data: st.DataObject
) -> None:
    taken = emptied(filled(lines))
    first = data.draw(st.integers(0, len(taken)))
    last = data.draw(st.integers(first, len(taken)))
    had = Counter(dict.fromkeys(lines, 0))
    for one in taken[first:last]:
        had[one.client] += one.cost
    waits = [client for client in lines if any(one.client == client for one in taken[last:])]
    largest = max(map(max, lines.values()))
    assert all(abs(had[one] - had[other]) <= 2 * largest for one in waits for other in waits)


@given(st.dictionaries(st.sampled_from("abcde"), costs, min_size=1))
def test_everything_comes_out_once_and_each_clients_in_its_order(lines: dict[str, list[int]]) -> None:
    taken = emptied(filled(lines))
    for client, line in lines.items():
        assert [(one.number, one.cost) for one in taken if one.client == client] == list(enumerate(line))
    assert len(taken) == sum(map(len, lines.values()))


@given(costs, st.integers(1, 1000), st.integers(1, 1000))
def test_a_client_that_comes_late_waits_for_no_more_than_one_item_of_each_other(
    early: list[int], late: int, flood: int
) -> None:
    queue = filled({"early": early})
    taken_before = len(early) // 2
    for _ in range(taken_before):
        queue.take()
    wanted = Request("late", 0, late)
    queue.put("late", wanted, late)
    for number in range(50):
        queue.put("early", Request("early", 1000 + number, flood), flood)
    assert wanted in [queue.take(), queue.take()]


@given(costs)
def test_idle_time_earns_nothing(early: list[int]) -> None:
    queue = filled({"busy": [10] * 100, "idle": []})
    for _ in range(50):
        queue.take()
    for number, cost in enumerate(early):
        queue.put("idle", Request("idle", number, cost), cost)
    taken = [queue.take() for _ in range(20)]
    idle = sum(one.cost for one in taken if one and one.client == "idle")
    busy = sum(one.cost for one in taken if one and one.client == "busy")
    assert idle <= busy + max(early) + 10


def test_a_client_that_asks_one_at_a_time_gets_its_half_beside_one_that_asks_for_all_at_once() -> None:
    queue = filled({"flood": [10] * 100})
    had = Counter[str]()
    queue.put("single", Request("single", 0, 10), 10)
    for number in range(1, 60):
        one = queue.take()
        assert one
        had[one.client] += one.cost
        if one.client == "single":  # its answer came, it asks for the next
            queue.put("single", Request("single", number, 10), 10)
    assert abs(had["single"] - had["flood"]) <= 20


@given(moves)
def test_sums_are_right_and_limits_hold_whatever_is_done(done: list[tuple[str, str, int]]) -> None:
    queue: FairQueue[Request] = FairQueue(per_client=60, total=100)
    model: dict[str, list[Request]] = {client: [] for client in "abcd"}

    def waiting(client: str) -> int:
        return sum(max(1, one.cost) for one in model[client])

    for number, (move, client, cost) in enumerate(done):
        everything = [one for line in model.values() for one in line]
        if move == "put":
            request = Request(client, number, cost)
            total = sum(map(waiting, model))
            charged = max(1, cost)
            fits = (not model[client] or waiting(client) + charged <= 60) and (not everything or total + charged <= 100)
            assert queue.put(client, request, cost) is fits
            if fits:
                model[client].append(request)
        elif move == "take":
            taken = queue.take()
            assert (taken is None) is (not everything)
            if taken:
                assert model[taken.client].pop(0) is taken
        elif move == "drop":
            assert queue.drop(client) == model[client]
            model[client] = []
        elif everything:
            chosen = everything[cost % len(everything)]
            assert queue.remove(chosen)
            assert not queue.remove(chosen)
            model[chosen.client].remove(chosen)
        assert len(queue) == sum(map(len, model.values()))
        assert queue.waiting_cost == sum(map(waiting, model))
        assert all(queue.waiting_of(client) == waiting(client) for client in model)


def test_what_is_removed_from_the_middle_costs_its_client_nothing() -> None:
    queue = filled({"a": [10, 500, 10], "b": [10, 10, 10]})
    first = queue.take()
    middle = next(one for one in list(queue._lines["a"].waiting) if one.cost == 500).item
    assert queue.remove(middle)
    order = [first, *emptied(queue)]
    assert [one.client for one in order if one] == ["a", "b", "a", "b", "b"]


def test_an_item_larger_than_every_limit_waits_alone_and_refuses_company() -> None:
    queue: FairQueue[str] = FairQueue(per_client=10, total=20)
    assert queue.put("a", "whole library", 1000)
    assert not queue.put("a", "one more", 1)
    assert not queue.put("b", "another's", 1)
    assert queue.take() == "whole library"
    assert queue.put("b", "another's", 1)


def test_a_client_at_its_limit_leaves_room_for_others() -> None:
    queue: FairQueue[str] = FairQueue(per_client=10, total=20)
    assert queue.put("a", "first", 10)
    assert not queue.put("a", "second", 1)
    assert queue.put("b", "first", 10)
    assert not queue.put("c", "first", 1)


def test_clients_that_came_and_went_leave_nothing_behind() -> None:
    queue: FairQueue[int] = FairQueue(ROOMY, ROOMY)
    for number in range(1000):
        queue.put(f"client {number}", number, 5)
        queue.take()
    assert len(queue._lines) + len(queue._ends) <= 2
