"""The structure llama_decode reads its tokens from; embedding/worker.py hands in the llama_cpp module."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import numpy as np

from embedding.child.feeding import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tokens = NDArray[np.int32]


class TokenBatch:
    """A llama_batch over arrays of our own, so that it is filled by slices instead of token by token."""

    def __init__(self, api: Any, capacity: int) -> None:
        self._token = np.zeros(capacity, np.int32)
        self._position = np.zeros(capacity, np.int32)
        self._sequence = np.zeros(capacity, np.int32)
        self._sequences = np.ones(capacity, np.int32)
        self._wanted = np.zeros(capacity, np.int8)
        rows = self._sequence.ctypes.data + 4 * np.arange(capacity, dtype=np.uintp)
        self._rows = np.ascontiguousarray(rows)
        self._batch = api.llama_batch()
        for name, array in (
            ("token", self._token),
            ("pos", self._position),
            ("n_seq_id", self._sequences),
            ("seq_id", self._rows),
            ("logits", self._wanted),
        ):
            kind = dict(api.llama_batch._fields_)[name]
            setattr(self._batch, name, ctypes.cast(array.ctypes.data, kind))

    def filled(self, windows: list[Tokens], parts: list[Part], *, last_only: bool) -> Any:
        """The llama_batch with these parts of ``windows``, whose indexes are the sequences; its capacity must do.

        Every token counts as output, or the last of each window alone.
        """
        at = 0
        for part in parts:
            end = at + part.end - part.start
            self._token[at:end] = windows[part.window][part.start : part.end]
            self._position[at:end] = np.arange(part.start, part.end)
            self._sequence[at:end] = part.window
            self._wanted[at:end] = not last_only
            self._wanted[end - 1] |= part.ends
            at = end
        self._batch.n_tokens = at
        return self._batch
