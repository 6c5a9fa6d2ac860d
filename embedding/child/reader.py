"""How a model reads a text: tokens, prefixes, special tokens, windows. embedding/worker.py hands in llama_cpp."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from embedding.child.batches import pieces, shorten_words, window_lengths
from embedding.wire import Load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tokens = NDArray[np.int32]

_WORD_PIECE = 3  # llama_vocab_type


class Reader:
    """A model's vocabulary, and what the load says of prefixes and windows; not thread-safe."""

    def __init__(self, api: Any, vocabulary: Any, load: Load) -> None:
        self._api = api
        self._vocabulary = vocabulary
        self._load = load
        self._is_word_piece = api.llama_vocab_type(vocabulary) == _WORD_PIECE
        self._buffer = (ctypes.c_int32 * (1 << 16))()
        self._head, self._tail = self._specials()
        self._prefixes = {
            "query": (load.query_prefix, self._tokenize(load.query_prefix)),
            "document": (load.document_prefix, self._tokenize(load.document_prefix)),
        }

    def _specials(self) -> tuple[list[int], list[int]]:
        """Tokens every window begins and ends with."""
        api, vocabulary = self._api, self._vocabulary
        head = [api.llama_vocab_bos(vocabulary)] if api.llama_vocab_get_add_bos(vocabulary) else []
        tail = [api.llama_vocab_sep(vocabulary)] if api.llama_vocab_get_add_sep(vocabulary) else []
        by_file = api.llama_vocab_get_add_eos(vocabulary)
        if by_file if self._load.add_eos is None else self._load.add_eos:
            tail.append(api.llama_vocab_eos(vocabulary))
        return head, tail

    def windows(self, kind: str, text: str) -> Iterator[Tokens]:
        """The windows ``text`` is read in, each with its special tokens and none over the model's."""
        prefix, prefix_tokens = self._prefixes[kind]
        tokens = self._tokenize(prefix + text) if text.strip() else prefix_tokens
        first = self._load.window - len(self._head) - len(self._tail)
        at = 0
        for length in window_lengths(len(tokens), first, max(1, first - len(prefix_tokens))):
            repeated = prefix_tokens if at else prefix_tokens[:0]
            yield self._window(np.concatenate([repeated, tokens[at : at + length]]))
            at += length

    def _window(self, tokens: Tokens) -> Tokens:
        if not len(tokens) and not self._head and not self._tail:
            return self._stand_in()
        return np.concatenate([self._head, tokens, self._tail]).astype(np.int32)

    def _stand_in(self) -> Tokens:
        """What is read for a text of no tokens by a model that adds none: the end-of-text token, or the first."""
        return np.array([max(0, self._api.llama_vocab_eos(self._vocabulary))], np.int32)

    def _tokenize(self, text: str) -> Tokens:
        if self._is_word_piece:
            text = shorten_words(text)
        parts = [self._tokenize_piece(piece.encode("utf-8", "replace")) for piece in pieces(text) if piece]
        return np.concatenate(parts) if parts else np.zeros(0, np.int32)

    def _tokenize_piece(self, text: bytes) -> Tokens:
        count = self._tokens_into_buffer(text)
        if count < 0:  # the tokens did not fit; it says how many there are
            self._buffer = (ctypes.c_int32 * -count)()
            count = self._tokens_into_buffer(text)
        return np.array(self._buffer[: max(0, count)], np.int32)

    def _tokens_into_buffer(self, text: bytes) -> int:
        special = parse_special = 0  # our own specials are added window by window; [SEP] in a text is text
        count = self._api.llama_tokenize(
            self._vocabulary, text, len(text), self._buffer, len(self._buffer), special, parse_special
        )
        return int(count)
