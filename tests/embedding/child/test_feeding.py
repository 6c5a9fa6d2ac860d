from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from embedding.child.feeding import plan_calls
from embedding.child.layout import layout
from embedding.wire import Load

DECODER = Load("/m.gguf", 64, "last", 512, None, False, 1, 0, "", "", 128)
lengths_of_windows = st.lists(st.integers(1, 600), min_size=1, max_size=20)


@given(lengths_of_windows, st.integers(1, 300))
def test_every_token_is_fed_once_in_order_and_no_call_is_over_its_size(lengths: list[int], most: int) -> None:
    calls = plan_calls(lengths, most)
    fed = [(part.window, token) for call in calls for part in call for token in range(part.start, part.end)]
    assert fed == [(window, token) for window, length in enumerate(lengths) for token in range(length)]
    assert max(sum(part.end - part.start for part in call) for call in calls) <= most


@given(lengths_of_windows, st.integers(1, 300))
def test_calls_are_few_and_of_like_size_or_full(lengths: list[int], most: int) -> None:
    sizes = [sum(part.end - part.start for part in call) for call in plan_calls(lengths, most)]
    assert len(sizes) == -(-sum(lengths) // most)
    assert max(sizes) - min(sizes) <= 1 or set(sizes[:-1]) == {most}


def test_a_call_is_not_shorter_than_a_tile_of_attention_for_the_sake_of_being_equal() -> None:
    def sizes(most: int) -> list[int]:
        return [call[-1].end - call[0].start for call in plan_calls([510], most)]

    assert sizes(256) == [255, 255]
    assert sizes(64) == [64] * 7 + [62]


@given(lengths_of_windows, st.integers(1, 300))
def test_each_window_ends_once(lengths: list[int], most: int) -> None:
    ended = [part for call in plan_calls(lengths, most) for part in call if part.ends]
    assert [part.window for part in ended] == list(range(len(lengths)))
    assert [part.end for part in ended] == lengths


def test_what_fits_is_one_call() -> None:
    assert len(plan_calls([100, 100, 56], 256)) == 1


def test_a_decoder_with_last_token_pooling_is_fed_in_pieces() -> None:
    fed = layout(DECODER, "qwen2", causal=True, tappable=True)
    assert (fed.batch, fed.room, fed.in_pieces, fed.tapped) == (128, 512, True, True)


def test_what_looks_ahead_or_pools_over_all_tokens_sees_windows_whole() -> None:
    for load, causal in (
        (DECODER, False),
        (replace(DECODER, pooling="mean"), True),
        (replace(DECODER, pooling="cls"), True),
    ):
        fed = layout(load, "qwen2", causal=causal, tappable=True)
        assert (fed.batch, fed.room, fed.in_pieces, fed.tapped) == (512, 512, False, False)


def test_an_unknown_architecture_or_library_is_pooled_by_llama_cpp() -> None:
    assert not layout(DECODER, "command-z", causal=True, tappable=True).tapped
    assert not layout(DECODER, "qwen2", causal=True, tappable=False).tapped


def test_a_batch_is_never_over_the_window_nor_tiny() -> None:
    assert layout(replace(DECODER, batch=4096), "qwen2", causal=True, tappable=True).batch == 512
    assert layout(replace(DECODER, batch=1), "qwen2", causal=True, tappable=True).batch == 16
    assert layout(replace(DECODER, batch=0), "qwen2", causal=True, tappable=True).batch == 256
