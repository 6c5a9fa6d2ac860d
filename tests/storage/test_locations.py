"""Paths and lines in a query, and the files they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.ranking.locations import MOST_LOCATIONS, Location, locations, nearness


@pytest.mark.parametrize(
    ("query", "path", "line"),
    [
        ("src/auth/session.ts", "src/auth/session.ts", 0),
        ("./src/auth/session.ts", "src/auth/session.ts", 0),
        ("session.ts:42", "session.ts", 42),
        ("where is v3/block", "v3/block", 0),
        ('File "/app/worker.py", line 44, in run_job', "app/worker.py", 44),
        ("at Cart.addItem (src/cart/cart.ts:31:9)", "src/cart/cart.ts", 31),
        ("at org.example.Invoice.pay(Invoice.java:88)", "invoice.java", 88),
        ("panicked at src/wal.rs:78:5:", "src/wal.rs", 78),
        (r"at Shop.Pay() in C:\shop\Pay.cs:line 12", "shop/pay.cs", 12),
        ("Warning: no queue in /srv/queue.php on line 7", "srv/queue.php", 7),
        ("see `src/wal.rs` lines 7 to 9", "src/wal.rs", 7),
        (r"src\Parser\Lexer.cs", "src/parser/lexer.cs", 0),
        ("see README.md.", "readme.md", 0),
        ("repo/blob/main/a.go#L12", "repo/blob/main/a.go", 12),
    ],
)
def test_a_path_and_its_line_are_read_however_they_are_written(query: str, path: str, line: int) -> None:
    assert locations(query) == (Location(tuple(path.split("/")), line),)


@pytest.mark.parametrize(
    "query",
    [
        "gin.Context",
        "Cart.addItem",
        "http://example",
        "py",
        "c",
        "proxy.New",
        "how do things work",
        "e.g. this",
        "/",
        "",
    ],
)
def test_names_and_prose_point_at_no_file(query: str) -> None:
    assert locations(query) == ()


def test_the_more_of_a_path_agrees_the_surer_is_the_file() -> None:
    (asked,) = locations("/opt/app/src/auth/session.ts")
    paths = ["other.ts", "cart/session.ts", "auth/session.ts", "src/auth/session.ts"]
    values = [nearness(asked, path) for path in paths]
    assert values[0] == 0
    assert values[1] == 0.5
    assert values[2:] == [1, 1]  # all of the file's path stands in the query


def test_the_end_of_a_path_means_files_that_end_so_and_its_case_does_not_matter() -> None:
    (asked,) = locations("auth/Session.ts")
    assert nearness(asked, "src/auth/session.ts") == 1
    assert nearness(asked, "src/auth/session.tsx") == 0


def test_of_a_pasted_log_the_first_places_count() -> None:
    found = locations("\n".join(f"at run (src/f{n}.ts:{n}:1)" for n in range(1, 300)))
    assert found == tuple(Location(("src", f"f{n}.ts"), n) for n in range(1, MOST_LOCATIONS + 1))


def test_without_an_ending_any_ending_is_meant() -> None:
    (asked,) = locations("format/block")
    assert nearness(asked, "src/format/block.rs") == 1
    assert nearness(asked, "src/format/blocks.rs") == 0


@given(st.text(alphabet="ab/\\.:()\"' 1\n", max_size=300))
def test_any_text_is_read_and_every_nearness_is_a_share(query: str) -> None:
    for location in locations(query):
        assert all(location.parts)
        assert 0 <= nearness(location, "a/b.ts") <= 1


def test_a_slash_between_words_means_a_file_only_where_both_agree() -> None:
    (asked,) = locations("how does the read/write lock work")
    assert nearness(asked, "src/write.rs") == 0
    assert nearness(asked, "src/read/write.rs") == 1


def test_a_folder_that_is_asked_for_means_its_files() -> None:
    (asked,) = locations("internal/balance")
    assert nearness(asked, "internal/balance/pool.go") == 0.5
    assert nearness(asked, "internal/rebalance/pool.go") == 0
