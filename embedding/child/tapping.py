"""Reading a decoder's vectors where they are made, and stopping there. embedding/worker.py hands in llama_cpp.

llama.cpp pools only with embeddings on, and then takes every token for an output: the head multiplies each with the
whole vocabulary, and the product is kept twice (nomic-embed-code: 8 % of the computation, 1.2 MB a token), for nothing.
Here embeddings are off, the last token of each text alone is an output, and the scheduler's callback sees the final
norm: it copies its rows, and ends the graph before the head. embedding/child/layout.py says for which architectures.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

_FINAL_NORM = b"result_norm"


class Tap:
    """The rows of the final norm of the last call of llama_decode; not thread-safe."""

    def __init__(self, api: Any, tensors: ctypes.CDLL, dim: int) -> None:
        """Ready to be put into context parameters as ``callback``. Keep it as long as the context."""
        self._dim = dim
        self._name = _function(tensors, "ggml_get_name", ctypes.c_char_p)
        self._count = _function(tensors, "ggml_nelements", ctypes.c_int64)
        self._data = _function(tensors, "ggml_get_data", ctypes.c_void_p)
        self._rows: Vectors | None = None
        self.callback = api.ggml_backend_sched_eval_callback(self._seen)

    def _seen(self, tensor: int, ask: bool, _: object) -> bool:
        if ask:
            return bool(self._name(tensor) == _FINAL_NORM)
        rows = self._count(tensor) // self._dim
        floats = ctypes.cast(self._data(tensor), ctypes.POINTER(ctypes.c_float))
        if rows:
            self._rows = np.ctypeslib.as_array(floats, (rows, self._dim)).copy()
        return False  # no need to go on

    def rows(self) -> Vectors | None:
        """Vectors of the outputs of the last call, in the order of the batch; None where there was none. Once only."""
        rows, self._rows = self._rows, None
        return rows


def _function(library: ctypes.CDLL, name: str, result: Any) -> Any:
    function = library[name]  # an object of our own: attributes are shared with whoever else uses the library
    function.argtypes = [ctypes.c_void_p]
    function.restype = result
    return function


def tensor_library(api: Any) -> ctypes.CDLL | None:
    """The library that knows tensors, beside the one ``api`` was made from; None where it is not found."""
    directory = Path(api.__file__).parent / "lib"
    for name in ("libggml-base.so", "libggml-base.dylib", "ggml-base.dll"):
        if (directory / name).is_file():
            library = ctypes.CDLL(str(directory / name))
            return library if hasattr(library, "ggml_get_data") else None
    return None
