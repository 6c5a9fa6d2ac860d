"""Whose vectors are made first: what was changed by hand, then what many import, then by path."""

from __future__ import annotations

from indexer.priorities import Known, changed_by_hand, embedding_order

SECOND = 10**9
DAY = 86_400 * SECOND
NOW = 1_800_000_000 * SECOND
LONG_AGO = NOW - 400 * DAY


def known(written: dict[str, int] | None = None, links: dict[str, float] | None = None) -> Known:
    return Known(written or {}, links or {}, NOW)


def test_without_anything_known_the_order_is_that_of_paths() -> None:
    assert embedding_order({"b/x.py", "a.py", "b/a.py"}, known()) == ["a.py", "b/a.py", "b/x.py"]


def test_central_files_come_before_others_and_changed_ones_before_them() -> None:
    paths = ["a.py", "core.py", "errors.py", "edited.py", "just_edited.py"]
    written = dict.fromkeys(paths, LONG_AGO) | {"edited.py": NOW - 2 * DAY, "just_edited.py": NOW - SECOND}
    order = embedding_order(paths, known(written, {"core.py": 0.4, "errors.py": 1.0}))
    assert order == ["just_edited.py", "edited.py", "errors.py", "core.py", "a.py"]


def test_what_a_clone_wrote_a_moment_ago_was_not_changed_by_hand() -> None:
    cloned = {f"src/f{number}.py": NOW - 3600 * SECOND + number for number in range(300)}
    assert changed_by_hand(cloned, NOW) == {}
    edited = {"src/f7.py": NOW - 60 * SECOND, "src/new.py": NOW - 30 * SECOND}
    assert changed_by_hand(cloned | edited, NOW) == edited


def test_a_handful_of_new_files_was_written_by_hand() -> None:
    written = {f"f{number}.py": NOW - number for number in range(9)}
    assert embedding_order(written, known(written)) == [f"f{number}.py" for number in range(9)]


def test_a_change_of_last_month_is_none_and_a_time_to_come_is_none() -> None:
    assert changed_by_hand({"old.py": NOW - 30 * DAY, "future.py": NOW + DAY}, NOW) == {}


def test_a_formatter_that_wrote_the_hundredth_part_of_a_large_tree_hides_no_other_edit() -> None:
    tree = {f"f{number}.py": LONG_AGO + number * 61 * SECOND for number in range(3_000)}
    formatted = {f"f{number}.py": NOW - 2 * DAY + number for number in range(100)}
    edited = {"f2999.py": NOW - 5 * DAY}
    assert changed_by_hand(tree | formatted | edited, NOW) == edited
