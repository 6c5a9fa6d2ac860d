from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from embedding.child.batches import WORD_LETTERS, deal, pieces, plan_batches, shorten_words, window_lengths


@given(st.text(), st.integers(1, 50))
def test_pieces_add_up_to_the_text_and_none_is_over_the_limit(text: str, limit: int) -> None:
    parts = list(pieces(text, limit))
    assert "".join(parts) == text
    assert all(len(part) <= limit for part in parts)


def test_a_piece_ends_after_white_space_where_there_is_any() -> None:
    assert list(pieces("alpha beta gamma", 12)) == ["alpha beta ", "gamma"]


def test_words_longer_than_wordpiece_reads_are_cut_and_others_are_left() -> None:
    text = "key_" * 100 + " = " + "Zm9v" * 40 + "+/" + "é" * 101 + " end"
    assert shorten_words(text) == "key_" * 100 + " = " + "Zm9v" * 25 + "+/" + "é" * WORD_LETTERS + " end"


@given(st.integers(0, 5000), st.integers(1, 300), st.integers(0, 250))
def test_windows_hold_every_token_and_none_is_over_its_capacity(tokens: int, first: int, prefix: int) -> None:
    later = max(1, first - prefix)
    lengths = window_lengths(tokens, first, later)
    assert sum(lengths) == tokens
    assert lengths[0] <= first
    assert all(0 < length <= later for length in lengths[1:])


def test_a_text_just_over_a_window_is_read_in_two_like_windows() -> None:
    assert window_lengths(300, 254, 254) == [150, 150]


def test_a_text_of_no_tokens_is_one_empty_window() -> None:
    assert window_lengths(0, 254, 254) == [0]


@given(st.lists(st.integers(0, 256), max_size=200), st.integers(1, 64))
def test_every_window_is_in_one_batch_and_no_batch_is_too_large(lengths: list[int], max_texts: int) -> None:
    batches = plan_batches(lengths, 256, max_texts)
    assert sorted(place for batch in batches for place in batch) == list(range(len(lengths)))
    assert all(len(batch) <= max_texts and sum(lengths[place] for place in batch) <= 256 for batch in batches)


def test_batches_hold_windows_of_like_length() -> None:
    assert plan_batches([10, 200, 12, 190, 11], 256, 64) == [[1], [3, 2, 4, 0]]


@given(st.lists(st.text(max_size=100), max_size=60), st.integers(1, 500))
def test_every_text_is_dealt_once_and_the_longest_come_first(texts: list[str], limit: int) -> None:
    slices = deal(texts, limit)
    dealt = [place for part in slices for place in part]
    assert sorted(dealt) == list(range(len(texts)))
    lengths = [len(texts[place]) for place in dealt]
    assert lengths == sorted(lengths, reverse=True)
