"""Neighbours become one place."""

from mcp_server.answers.answer import Found
from mcp_server.answers.blocks import merged
from storage.chunk import Hit
from tests.mcp_server.samples import chunk


def hit(index: int, path: str = "a.py", root: str = "") -> Found:
    one = chunk(f"def f{index}():\n    pass", path, 10 * index + 1, f"f{index}", index)
    return Found(Hit(one, 1.0, ("text",)), root)


def test_hits_that_follow_each_other_are_one_place_with_both_names() -> None:
    (block,) = merged([hit(4), hit(3)])
    assert (block.location, block.names, block.rank) == ("a.py:31-42", ("f3", "f4"), 0)
    assert [member.hit.chunk.chunk_index for member in block.members] == [4, 3]


def test_a_chunk_between_keeps_hits_apart() -> None:
    assert [block.location for block in merged([hit(1), hit(3)])] == ["a.py:11-12", "a.py:31-32"]


def test_a_worse_hit_joins_its_better_neighbours_place() -> None:
    blocks = merged([hit(1), hit(7, "b.py"), hit(2)])
    assert [(block.location, block.rank) for block in blocks] == [("a.py:11-22", 0), ("b.py:71-72", 1)]


def test_the_same_path_in_two_roots_is_two_files() -> None:
    assert [block.location for block in merged([hit(1, root="x"), hit(2, root="y")])] == [
        "x/a.py:11-12",
        "y/a.py:21-22",
    ]


def test_every_hit_is_in_exactly_one_block() -> None:
    found = [hit(index, path) for index in (5, 1, 2, 9, 0) for path in ("a.py", "b.py")]
    members = [member for block in merged(found) for member in block.members]
    assert sorted(map(id, members)) == sorted(map(id, found))
