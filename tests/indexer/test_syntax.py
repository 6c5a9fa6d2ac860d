"""What a parser was given goes when the parser has gone."""

from __future__ import annotations

import tracemalloc

from indexer.lines import Lines
from indexer.syntax import parse

TEXT = "".join(f"def function_{number}():\n    return {number}\n" for number in range(2_000))


def test_a_text_that_was_parsed_is_not_kept() -> None:
    parse("python", Lines("x = 1\n"))  # the grammar, and the window that stays
    tracemalloc.start()
    try:
        for number in range(20):
            assert parse("python", Lines(f"{TEXT}last = {number}\n")) is not None
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < len(TEXT)  # of twenty
