"""What of the queries is remembered, and what that takes."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from embedding.lanes.remembered import ENTRY_BYTES, RememberedVectors


def test_what_was_used_longest_ago_goes_first() -> None:
    room = RememberedVectors(2 * (ENTRY_BYTES + 5))
    room.keep(b"a", b"1111")
    room.keep(b"b", b"2222")
    assert room.find(b"a") == b"1111"
    room.keep(b"c", b"3333")
    assert room.find(b"b") is None
    assert room.find(b"a") == b"1111"


def test_a_smaller_limit_holds_at_once() -> None:
    room = RememberedVectors(1 << 20)
    for number in range(100):
        room.keep(str(number).encode(), bytes(1000))
    room.limit(10_000)
    assert room.taken_bytes <= 10_000
    assert room.find(b"99") == bytes(1000)
    room.limit(0)
    assert (len(room), room.taken_bytes) == (0, 0)


def test_what_is_larger_than_the_limit_is_not_kept_and_harms_nobody() -> None:
    room = RememberedVectors(1000)
    room.keep(b"a", bytes(2000))
    assert (len(room), room.taken_bytes) == (0, 0)
    room.keep(b"b", b"1")
    assert room.find(b"b") == b"1"


@given(
    st.lists(st.tuples(st.binary(max_size=2), st.binary(max_size=400), st.integers(0, 3000)), max_size=60),
)
def test_sums_are_right_and_the_limit_holds(steps: list[tuple[bytes, bytes, int]]) -> None:
    room = RememberedVectors(2000)
    limit, kept = 2000, dict[bytes, bytes]()
    for key, value, number in steps:
        if number % 5 == 0:
            limit = number
            room.limit(limit)
        room.keep(key, value)
        kept[key] = value
        found = {one: room.find(one) for one in kept}
        known = {one: vector for one, vector in found.items() if vector is not None}
        assert known == {one: kept[one] for one in known}
        assert room.taken_bytes == sum(len(one) + len(vector) + ENTRY_BYTES for one, vector in known.items()) <= limit
        assert len(room) == len(known)


def test_the_limit_is_what_memory_is_taken() -> None:
    limit = 2 << 20
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        room = RememberedVectors(limit)
        for number in range(20_000):
            room.keep(number.to_bytes(16, "little"), number.to_bytes(384, "little"))
        taken = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert limit * 0.8 < taken < limit * 1.2
