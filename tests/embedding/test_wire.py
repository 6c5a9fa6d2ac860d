from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedding.wire import Frame, Load, WireError, read_frame, texts_frame, texts_of, write_frame


def sent(frame: Frame) -> bytes:
    stream = io.BytesIO()
    write_frame(stream, frame)
    return stream.getvalue()


@given(st.lists(st.text()))
def test_texts_arrive_as_they_were_sent(texts: list[str]) -> None:
    arrived = read_frame(io.BytesIO(sent(texts_frame("document", texts))))
    assert arrived is not None
    assert texts_of(arrived) == texts


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert texts_of(texts_frame("query", ["a\ud800b"])) == ["a?b"]


def test_a_load_arrives_as_it_was_sent() -> None:
    load = Load("/m.gguf", 384, "mean", 256, None, False, 1, 0, "q: ", "")
    arrived = read_frame(io.BytesIO(sent(load.frame())))
    assert arrived is not None
    assert Load(**arrived.header["load"]) == load


def test_a_pipe_closed_between_frames_is_an_end() -> None:
    assert read_frame(io.BytesIO(b"")) is None


def test_a_frame_cut_anywhere_is_refused() -> None:
    whole = sent(Frame({"count": 1}, b"\0" * 8))
    for length in range(1, len(whole)):
        with pytest.raises(WireError):
            read_frame(io.BytesIO(whole[:length]))


@pytest.mark.parametrize(
    "noise",
    [
        b"Hello, I am a library that prints\n",
        b"CLW1" + b"\xff" * 12,
        b"CLW1" + (3).to_bytes(4, "little") + (0).to_bytes(8, "little") + b"{x}",
        b"CLW1" + (2).to_bytes(4, "little") + (0).to_bytes(8, "little") + b"[]",
        b"CLW1" + (1 << 20).to_bytes(4, "little") + (0).to_bytes(8, "little") + b"[" * (1 << 20),
    ],
)
def test_what_is_no_frame_is_refused_and_not_allocated(noise: bytes) -> None:
    with pytest.raises(WireError):
        read_frame(io.BytesIO(noise))


def test_sizes_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(WireError, match="add up"):
        texts_of(Frame({"embed": "query", "sizes": [1]}, b"ab"))
