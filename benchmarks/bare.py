"""Bare llama.cpp in processes of its own: tokens and batches made beforehand, then nothing but the computation.

What the embedding service is held against. The child (``python -P -m benchmarks.bare``) reads a model and texts, then
seconds to work, and says a line for each text; model, context and batches are our worker's.
"""

from __future__ import annotations

import atexit
import ctypes
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from embedding.child.batches import plan_batches
from embedding.child.holding import Hold
from embedding.child.reader import Reader
from embedding.process import child_environment
from embedding.wire import Load
from embedding.worker import Model

Event = tuple[float, int]  # a moment, and how many texts were done then since the event before
OVER = "over"


def vocabulary(load: Load) -> Reader:
    """How the model reads texts, without its weights."""
    import llama_cpp

    silent = llama_cpp.llama_log_callback(lambda *_: None)
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    parameters = llama_cpp.llama_model_default_params()
    parameters.vocab_only = True
    model = llama_cpp.llama_model_load_from_file(os.fsencode(load.path), parameters)
    reader = Reader(llama_cpp, llama_cpp.llama_model_get_vocab(model), load)
    atexit.register(lambda: silent)  # llama.cpp has its address
    return reader


class Bare:
    """One such process, seen from the one that measures."""

    def __init__(self, load: Load, texts: Sequence[str], *, spinning: bool = False) -> None:
        """Start it and wait until it is warm; with ``spinning`` its threads wait as llama.cpp has them by default."""
        environment = child_environment(dict(os.environ), load.threads)
        if spinning:
            environment.pop("OMP_WAIT_POLICY")
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "benchmarks.bare"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            start_new_session=True,  # as the service: where Linux shares processors by sessions, each counts as much
        )
        self._tell(json.dumps({"load": asdict(load), "texts": list(texts)}))
        self._hear()

    @property
    def pid(self) -> int:
        return self._process.pid

    def work(self, seconds: float) -> Iterator[Event]:
        """Have it work so long; a text by the moment it was done."""
        self._tell(str(seconds))
        while (said := self._hear()) != OVER:
            yield time.perf_counter(), int(said)

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)

    def _hear(self) -> str:
        assert self._process.stdout is not None
        if not (said := self._process.stdout.readline()):
            raise SystemExit("A process of bare llama.cpp has died.")
        return said.strip()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def together(some: Sequence[Bare], seconds: float) -> list[Event]:
    """What several do at the same time."""
    events: list[list[Event]] = [[] for _ in some]
    threads = [
        threading.Thread(target=lambda bare=bare, mine=mine: mine.extend(bare.work(seconds)))
        for bare, mine in zip(some, events, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(itertools.chain(*events))


def main() -> None:
    wanted: dict[str, Any] = json.loads(sys.stdin.readline())
    model = Model(Load(**wanted["load"]), Hold())
    windows = [window for text in wanted["texts"] for window in model.reader.windows("document", text)]
    layout = model.context.layout
    plan = plan_batches([len(window) for window in windows], layout.room, layout.texts)
    batches = itertools.cycle([[windows[place] for place in batch] for batch in plan])
    list(model.context.decode(next(batches)))
    print("warm", flush=True)
    for line in sys.stdin:
        until = time.perf_counter() + float(line)
        while time.perf_counter() < until:
            print(sum(1 for _ in model.context.decode(next(batches))), flush=True)
        print(OVER, flush=True)


if __name__ == "__main__":
    main()
