"""The child process that runs a model: the only file that imports llama_cpp.

It reads frames from what was its stdin and answers on what was its stdout; the two descriptors are taken away from
everybody else first, so that whatever a native library prints lands on stderr. It ends when the pipe is closed, at
once, also in the middle of a computation. A native abort ends it too, and its parent starts another.
"""

from __future__ import annotations

import ctypes
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

import embedding
from embedding.child.batches import plan_batches
from embedding.child.context import Context, LoadError, unit
from embedding.child.holding import Hold
from embedding.child.reader import Reader
from embedding.wire import Frame, Load, WireError, read_frame, texts_of, write_frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tokens = NDArray[np.int32]
    Vectors = NDArray[np.float32]

_WARNING = 3  # ggml_log_level
_CONTINUED = 5
_SESSION_TRIES, _SESSION_PAUSE_S = 20, 0.06


class Model:
    """One loaded model and its context; not thread-safe."""

    def __init__(self, load: Load, hold: Hold) -> None:
        import llama_cpp

        self._api = llama_cpp
        self._load = load
        self._hold = hold
        self._silence = _quiet_log(llama_cpp)
        llama_cpp.llama_backend_init()
        self._model = self._open_model()
        self._check_shape()
        self.reader = Reader(llama_cpp, llama_cpp.llama_model_get_vocab(self._model), load)
        self.context = Context(llama_cpp, self._model, load, hold)

    def _open_model(self) -> Any:
        parameters = self._api.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.use_extra_bufts = self._load.repack
        model = self._api.llama_model_load_from_file(os.fsencode(self._load.path), parameters)
        if not model:
            raise LoadError("llama.cpp cannot load it")
        return model

    def _check_shape(self) -> None:
        dim = self._api.llama_model_n_embd_out(self._model)
        if dim != self._load.dim:
            raise LoadError(f"its vectors have {dim} components where {self._load.dim} were expected")
        trained = self._api.llama_model_n_ctx_train(self._model)
        if trained < self._load.window:
            raise LoadError(f"it reads {trained} tokens at once where {self._load.window} were expected")

    def embed(self, kind: str, texts: list[str]) -> tuple[Vectors, int]:
        """Unit vectors of shape (len(texts), dim), and how many tokens were read for them."""
        windows: list[Tokens] = []
        owners: list[int] = []
        for index, text in enumerate(texts):
            self._hold.wait()
            for window in self.reader.windows(kind, text):
                windows.append(window)
                owners.append(index)
        lengths = np.array([len(window) for window in windows], np.float32)
        sums = np.zeros((len(texts), self._load.dim), np.float32)
        layout = self.context.layout
        for batch in plan_batches([len(window) for window in windows], layout.room, layout.texts):
            for index, vector in self.context.decode([windows[place] for place in batch]):
                sums[owners[batch[index]]] += lengths[batch[index]] * vector
        return unit(sums), int(lengths.sum())


def _quiet_log(api: Any) -> Any:
    """Have llama.cpp write warnings and errors to stderr, and nothing else."""
    shown = False

    @api.llama_log_callback  # type: ignore[untyped-decorator]
    def write(level: int, text: bytes, _: object) -> None:
        nonlocal shown
        shown = shown if level == _CONTINUED else _WARNING <= level < _CONTINUED
        if shown:
            sys.stderr.write(text.decode("utf-8", "replace"))

    api.llama_log_set(write, ctypes.c_void_p(0))
    return write


def _step_back(nice: int) -> None:
    if nice and sys.platform != "win32":  # Windows has classes instead of degrees, and none between these two
        os.nice(nice)
    if nice and sys.platform == "linux":
        with suppress(OSError):  # no sessions, or none that have a nice of their own
            os.setsid()
            _have_session_step_back(nice)


def _have_session_step_back(nice: int) -> None:
    """Most desktops share processors by sessions first (autogroup), and a process's nice counts within its own only.

    Beside a busy program of another session nice 5 alone left it half of a core, as nice 0 does; this leaves it three
    quarters.
    """
    for _ in range(_SESSION_TRIES):
        try:
            Path("/proc/self/autogroup").write_text(str(nice), encoding="ascii")
        except BlockingIOError:  # whoever is not root may do so every .1 s, all processes together
            time.sleep(_SESSION_PAUSE_S)
        else:
            return


def claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Private streams on what were stdin and stdout; from here on, prints go to stderr and nobody reads our input."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return requests, answers


def _frames(requests: BinaryIO, hold: Hold) -> Iterator[Frame]:
    """Requests as they come. A thread waits for them, so that a closed pipe, or a hold, is obeyed at once."""
    arrived: queue.SimpleQueue[Frame] = queue.SimpleQueue()

    def listen() -> None:
        try:
            while (frame := read_frame(requests)) is not None:
                if "hold" in frame.header:
                    hold.set(bool(frame.header["hold"]))
                else:
                    arrived.put(frame)
        except (WireError, OSError) as error:
            sys.stderr.write(f"embedding worker: {error}\n")
        os._exit(0)

    threading.Thread(target=listen, name="requests", daemon=True).start()
    while True:
        yield arrived.get()


def _answer(model: Model, request: Frame) -> Frame:
    vectors, tokens = model.embed(request.header["embed"], texts_of(request))
    return Frame({"count": len(vectors), "dim": vectors.shape[1], "tokens": tokens}, vectors.tobytes())


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Load what the first frame asks for, say hello, then answer every frame until the pipe is closed."""
    hold = Hold()
    frames = _frames(requests, hold)
    try:
        load = Load(**next(frames).header["load"])
        _step_back(load.nice)
        model = Model(load, hold)
    except LoadError as error:
        write_frame(answers, Frame({"error": str(error), "kind": "invalid"}))
        return
    write_frame(answers, Frame({"hello": os.getpid(), "package": str(embedding.__file__)}))
    for request in frames:
        try:
            answer = _answer(model, request)
        except Exception as error:  # noqa: BLE001 - the worker's loop: whatever it was, the parent must hear of it
            answer = Frame({"error": f"{type(error).__name__}: {error}", "kind": "failed"})
        write_frame(answers, answer)


def tell_build(out: BinaryIO) -> None:
    """Write what llama.cpp was built for, as it says itself, as JSON; asking makes it run its first instructions."""
    import llama_cpp

    told = {"version": llama_cpp.__version__, "file": llama_cpp.__file__}
    told["system"] = llama_cpp.llama_print_system_info().decode("utf-8", "replace")
    out.write(json.dumps(told).encode())
    out.flush()


def main() -> None:
    """Run as ``python -P -m embedding.worker`` by process.py and child/build.py; of no use by hand."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the parent decides
    requests, answers = claim_pipes()
    if sys.argv[1:] == ["build"]:
        tell_build(answers)
        return
    try:
        serve(requests, answers)
    except BrokenPipeError:
        os._exit(0)  # the parent is gone


if __name__ == "__main__":
    main()
