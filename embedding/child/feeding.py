"""How windows are fed to llama_decode, which takes so many tokens a call: pure decisions about lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Fewer tokens in a call, and llama.cpp's attention takes each by itself: 64 tokens of a tiny model .6 ms, 63 take 3.6.
_TILE = 64


@dataclass(frozen=True, slots=True)
class Part:
    """Tokens ``start`` to ``end`` (half-open, from 0) of the window with that index."""

    window: int
    start: int
    end: int
    ends: bool  # whether the window's last token is among them


def plan_calls(lengths: Sequence[int], most: int) -> list[list[Part]]:
    """Windows of these lengths, one after another, cut into as few calls of at most ``most`` tokens as there may be.

    All calls are about equal: one of a few tokens would read all weights for them. Where that made them shorter than
    attention's tile, all but the last are full. A window may go on in the next call, which continues its positions
    over what the context remembers.
    """
    total = sum(lengths)
    count = -(-total // most)
    if total < _TILE * count:
        cuts = [min(total, most * call) for call in range(1, count + 1)]
    else:
        cuts = [total * call // count for call in range(1, count + 1)]
    calls: list[list[Part]] = [[] for _ in cuts]
    at = call = 0
    for window, length in enumerate(lengths):
        start = 0
        while start < length:
            end = min(length, start + cuts[call] - at)
            calls[call].append(Part(window, start, end, end == length))
            at += end - start
            start = end
            call += at == cuts[call]
    return calls
