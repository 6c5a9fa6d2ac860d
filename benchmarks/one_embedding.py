"""What a child of ``benchmarks.mutations`` runs: the worker's own classes, for one text, with little memory to take."""

from __future__ import annotations

import os
import resource
from multiprocessing.connection import Connection

from embedding.child.context import LoadError
from embedding.child.holding import Hold
from embedding.wire import Load
from embedding.worker import Model

REFUSED, SAID, EMBEDDED = "refused by llama.cpp", "failed in words", "embedded"
TEXT = "where is the request parsed, and by whom? 漢字 \t12"
MOST_MEMORY = 4 << 30  # address space of a child, so that a lie about sizes costs nobody else


def embed_once(load: Load, log: str, answers: Connection) -> None:
    """Answer with what became of it and why; what llama.cpp says goes to ``log``. Does not return."""
    descriptor = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 2)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        vectors, _ = Model(load, Hold()).embed("query", [TEXT])
    except LoadError as error:
        answers.send((REFUSED, str(error)))
    except Exception as error:  # noqa: BLE001 - as in the worker's loop
        answers.send((SAID, repr(error)))
    else:
        answers.send((EMBEDDED, str(vectors.shape)))
    answers.close()
    os._exit(0)
