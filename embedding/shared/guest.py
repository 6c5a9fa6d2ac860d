"""One client of the embedding service, on the service's side."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from multiprocessing.connection import Connection

from embedding.errors import EmbeddingError
from embedding.lanes.lane import Job
from embedding.service import EmbeddingService
from embedding.shared.link import MOST_BYTES, error_frame
from embedding.wire import Frame, WireError, packed, unpacked

_log = logging.getLogger(__name__)


class Guest:
    """One client: what it sends is read by one thread, what it gets is written by another.

    So a client that is suspended holds up nobody but itself.
    """

    def __init__(self, connection: Connection, service: EmbeddingService, told: Callable[[Frame], Frame]) -> None:
        self._connection = connection
        self._service = service
        self._told = told
        self._jobs: dict[int, Job] = {}
        self._answers: queue.SimpleQueue[Frame | None] = queue.SimpleQueue()

    def serve(self) -> None:
        """Answer it until it hangs up."""
        writer = threading.Thread(target=self._write, name="answers", daemon=True)
        writer.start()
        try:
            while True:
                self._take(unpacked(self._connection.recv_bytes(MOST_BYTES)))
        except (EOFError, OSError, WireError, LookupError, TypeError, ValueError) as error:
            if not isinstance(error, EOFError | ConnectionResetError):
                _log.warning("A client was given up: %r.", error)
        finally:
            self._service.drop(self)
            self._answers.put(None)

    def _take(self, frame: Frame) -> None:
        if "cancel" in frame.header:
            job = self._jobs.pop(frame.header["cancel"], None)
            if job is not None:
                self._service.withdraw(job)
            return
        number = int(frame.header["id"])
        if "embed" in frame.header:
            self._embed(number, frame)
        else:
            self._answer(number, self._told(frame))

    def _embed(self, number: int, frame: Frame) -> None:
        try:
            job = self._service.ask(self, frame, frame.header["timeout_s"])
        except EmbeddingError as error:
            self._refuse(number, error)
            return
        self._jobs[number] = job
        job.answer.add_done_callback(lambda _: self._done(number, job))

    def _done(self, number: int, job: Job) -> None:
        self._jobs.pop(number, None)
        try:
            self._answer(number, job.answer.result())
        except EmbeddingError as error:
            self._refuse(number, error)
        except CancelledError:
            return

    def _refuse(self, number: int, error: EmbeddingError) -> None:
        """Say why; a service that ends says nothing, and its client asks the next one."""
        if not self._service.closed:
            self._answer(number, error_frame(error))

    def _answer(self, number: int, frame: Frame) -> None:
        self._answers.put(Frame({"id": number, **frame.header}, frame.body))

    def _write(self) -> None:
        with suppress(OSError):
            while (frame := self._answers.get()) is not None:
                self._connection.send_bytes(packed(frame))
        with suppress(OSError):
            self._connection.close()
