"""How texts become slices and windows, and windows batches: pure decisions about lengths.

An encoder given a batch over its size, or a sequence over its trained context, ends the process it runs in, so every
count is settled here before llama.cpp is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# Some tokenizers run a regular expression over the whole text, recursively; pieces of this size keep them from the
# end of the stack and change tokens only at the cut.
PIECE_CHARACTERS = 16_384

# BERT's WordPiece reads a longer word as one unknown token. llama.cpp spells it out, so that a line of base64 costs
# seconds and drowns what is around it; its beginning is kept as what can be known of it.
WORD_LETTERS = 100
_LONG_WORD = re.compile(rf"([^\W_]{{{WORD_LETTERS}}})[^\W_]+")


def pieces(text: str, limit: int = PIECE_CHARACTERS) -> Iterator[str]:
    """``text`` in parts of at most ``limit`` characters, cut after white space where there is any."""
    start = 0
    while len(text) - start > limit:
        end = _last_space(text, start, start + limit)
        yield text[start:end]
        start = end
    yield text[start:]


def shorten_words(text: str) -> str:
    """``text`` with every run of more than WORD_LETTERS letters and digits cut to that."""
    return _LONG_WORD.sub(r"\1", text)


def _last_space(text: str, start: int, end: int) -> int:
    space = max(text.rfind(mark, start, end) for mark in " \n\t")
    return space + 1 if space > start else end


def window_lengths(tokens: int, first: int, later: int) -> list[int]:
    """Lengths of the windows ``tokens`` are read in: none over its capacity, all about equal.

    ``first`` and ``later`` are what a window can take beside its special tokens (later ones repeat the prefix).
    Equal windows give the end of a text as much surrounding as its beginning. A text of no tokens is one empty window.
    """
    if tokens <= first:
        return [tokens]
    count = 1 + -(-(tokens - first) // later)
    share, rest = divmod(tokens, count)
    lengths = [share + (index < rest) for index in range(count)]
    if max(lengths) <= min(first, later):
        return lengths
    return [first, *_full(tokens - first, later)]


def _full(tokens: int, capacity: int) -> list[int]:
    whole, rest = divmod(tokens, capacity)
    return [capacity] * whole + ([rest] if rest else [])


def plan_batches(lengths: Sequence[int], max_tokens: int, max_texts: int) -> list[list[int]]:
    """Indexes of ``lengths`` grouped into batches of at most ``max_tokens`` and ``max_texts``, longest first.

    Attention runs over a whole batch, so batches hold windows of like length: sorted, then filled greedily.
    Each length must be at most ``max_tokens``.
    """
    batches: list[list[int]] = []
    room = 0
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if not batches or lengths[index] > room or len(batches[-1]) == max_texts:
            batches.append([])
            room = max_tokens
        batches[-1].append(index)
        room -= lengths[index]
    return batches


def deal(texts: Sequence[str], limit: int) -> list[list[int]]:
    """Indexes of ``texts`` in slices of like length, about ``limit`` characters each, the longest texts first.

    Long first, so that no child is left with a long slice at the end.
    """
    slices: list[list[int]] = []
    room = 0
    for place in sorted(range(len(texts)), key=lambda place: -len(texts[place])):
        if room <= 0:
            slices.append([])
            room = limit
        slices[-1].append(place)
        room -= len(texts[place]) + 16  # special tokens of a text cost about as much as 16 characters
    return slices
