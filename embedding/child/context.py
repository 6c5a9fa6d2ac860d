"""What computes in a child: llama.cpp's context, how windows are fed to it, and the vectors that come out.

embedding/worker.py hands in llama_cpp.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from embedding.child.feeding import plan_calls
from embedding.child.holding import Hold
from embedding.child.layout import layout
from embedding.child.tapping import Tap, tensor_library
from embedding.child.token_batch import TokenBatch
from embedding.wire import Load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tokens = NDArray[np.int32]
    Vectors = NDArray[np.float32]

_POOLINGS = {"mean": 1, "cls": 2, "last": 3}  # llama_pooling_type
_FLASH_ATTENTION_ON = 1  # off, the same work takes twice the time
_MIN_NORM = 1e-6


class NonsenseError(Exception):
    """The model computed something that is no vector."""


class LoadError(Exception):
    """llama.cpp refused the file."""


class Context:
    """One context of a loaded model; not thread-safe."""

    def __init__(self, api: Any, model: Any, load: Load, hold: Hold) -> None:
        """Raises LoadError where llama.cpp makes none."""
        self._api = api
        self._dim = load.dim
        self._hold = hold
        tensors = tensor_library(api)
        architecture = meta_value(api, model, "general.architecture")
        causal = meta_value(api, model, f"{architecture}.attention.causal") != "false"
        self.layout = layout(load, architecture, causal=causal, tappable=tensors is not None)
        self._tap = Tap(api, tensors, load.dim) if self.layout.tapped and tensors else None
        self._context = self._open(model, load)
        self._obedience = hold.install(api, self._context)
        self._memory = api.llama_get_memory(self._context)
        self._batch = TokenBatch(api, self.layout.batch)

    def _open(self, model: Any, load: Load) -> Any:
        parameters = self._api.llama_context_default_params()
        parameters.n_ctx = self.layout.room
        parameters.n_batch = parameters.n_ubatch = self.layout.batch
        parameters.n_seq_max = self.layout.texts
        parameters.n_threads = parameters.n_threads_batch = load.threads
        parameters.pooling_type = _POOLINGS[load.pooling]
        parameters.flash_attn_type = _FLASH_ATTENTION_ON
        parameters.embeddings = True
        parameters.kv_unified = True
        parameters.offload_kqv = parameters.op_offload = False
        parameters.no_perf = True
        if self._tap:
            parameters.embeddings = False  # pools nothing either
            parameters.n_outputs_max = self.layout.texts
            parameters.cb_eval = self._tap.callback
        context = self._api.llama_init_from_model(model, parameters)
        if not context:
            raise LoadError("llama.cpp cannot make a context for it, perhaps for want of memory")
        return context

    def decode(self, windows: list[Tokens]) -> Iterator[tuple[int, Vectors]]:
        """Each window's index and vector, of any norm, as they come; together they must fit the layout's room.

        Raises NonsenseError.
        """
        if self._memory:
            self._api.llama_memory_clear(self._memory, 1)
        for parts in plan_calls([len(window) for window in windows], self.layout.batch):
            self._hold.wait()
            batch = self._batch.filled(windows, parts, last_only=self._tap is not None)
            status = self._api.llama_decode(self._context, batch)
            if status != 0:
                raise NonsenseError(f"llama.cpp gave up on a batch with status {status}")
            ended = [part.window for part in parts if part.ends]
            for window, vector in zip(ended, self._vectors(ended), strict=True):
                yield window, _sensible(vector)

    def _vectors(self, windows: list[int]) -> Iterator[Vectors]:
        """Of the windows that ended with the last call, in their order."""
        if self._tap is None:
            yield from map(self._pooled, windows)
        elif windows:
            rows = self._tap.rows()
            if rows is None or len(rows) != len(windows):
                raise NonsenseError("the final norm did not come by")
            yield from rows

    def _pooled(self, sequence: int) -> Vectors:
        address = self._api.llama_get_embeddings_seq(self._context, sequence)
        if not address:
            raise NonsenseError("llama.cpp returned no vector for a text")
        vector: Vectors = np.ctypeslib.as_array(address, (self._dim,)).copy()
        return vector


def _sensible(vector: Vectors) -> Vectors:
    norm = float(np.linalg.norm(vector))
    if not np.isfinite(norm) or norm < _MIN_NORM:
        raise NonsenseError(f"a vector came out with the norm {norm}")
    return vector


def unit(sums: Vectors) -> Vectors:
    """The rows at norm 1, as little-endian 32-bit floats. Raises NonsenseError for one of no length."""
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    if sums.size and float(norms.min()) < _MIN_NORM:
        raise NonsenseError("the windows of a text cancel each other out")
    units: Vectors = (sums / norms).astype("<f4")
    return units


def meta_value(api: Any, model: Any, key: str) -> str:
    """What the file says for ``key``, as llama.cpp writes it; empty where it says nothing."""
    buffer = ctypes.create_string_buffer(256)
    length = api.llama_model_meta_val_str(model, key.encode(), buffer, len(buffer))
    return buffer.value.decode("utf-8", "replace") if length > 0 else ""
