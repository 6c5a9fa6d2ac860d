"""A connection between a client and the embedding service: many requests at once, each answered by its number.

Frames of embedding/wire.py as messages of multiprocessing.connection, after both sides have shown that they know the
key. The errors of the service travel by name.
"""

from __future__ import annotations

import errno
import itertools
import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, answer_challenge, deliver_challenge

from embedding.errors import (
    BusyError,
    EmbeddingError,
    EmbeddingTimeoutError,
    LinkLostError,
    MemoryShortError,
    ModelFailedError,
    ModelInvalidError,
    ModelLeftAloneError,
    ModelMissingError,
    ServiceError,
)
from embedding.wire import Frame, WireError, packed, unpacked

_log = logging.getLogger(__name__)

MOST_BYTES = 64 << 20  # of one message; a request or its answer takes some MB at most
HANDSHAKE_S = 10.0  # a service that is alive takes a millisecond; one that is stopped takes for ever
# A service answers what it is asked of its state at once, whatever it works on. One from which nothing was heard for so
# long is asked, and one that stays silent is taken for hung: stopped, or waiting for itself.
ASKED_AFTER_S, HUNG_AFTER_S = 10.0, 30.0
LOOK_S = 2.0  # between two looks whether it is silent, while something waits
_DOOR_S = 0.02
_OUR_WANT = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)  # of file descriptors, of memory
GRACE_S = 2.0  # the service ends what passes its deadline itself, and says more than could be said here

_KINDS: dict[str, type[EmbeddingError]] = {
    kind.__name__: kind
    for kind in (
        EmbeddingError,
        EmbeddingTimeoutError,
        MemoryShortError,
        ModelFailedError,
        ModelInvalidError,
        ModelLeftAloneError,
        ModelMissingError,
        ServiceError,
    )
}


def error_frame(error: EmbeddingError) -> Frame:
    """An error, to be sent."""
    header: dict[str, object] = {"error": type(error).__name__, "message": str(error)}
    if isinstance(error, BusyError):
        header["retry_after_s"] = error.retry_after_s
    if isinstance(error, MemoryShortError):
        header["ever"] = error.ever
    return Frame(header)


def error_of(frame: Frame) -> EmbeddingError:
    """The error that was sent."""
    header = frame.header
    if header["error"] == BusyError.__name__:
        return BusyError(header["message"], header["retry_after_s"])
    if header["error"] == MemoryShortError.__name__:
        return MemoryShortError(header["message"], ever=header["ever"])
    return _KINDS.get(header["error"], EmbeddingError)(header["message"])


def shake_hands(connection: Connection, key: bytes, *, first: bool) -> None:
    """Both sides show that they know ``key``; the side that listens is ``first`` to ask.

    Raises LinkLostError where the other does not, or does not answer within HANDSHAKE_S.
    """
    stalled = threading.Timer(HANDSHAKE_S, lambda: _cut(connection))
    stalled.daemon = True
    stalled.start()
    steps: list[Callable[[Connection, bytes], None]] = [deliver_challenge, answer_challenge]
    try:
        for step in steps if first else steps[::-1]:
            step(connection, key)
    except (AuthenticationError, AssertionError, EOFError, OSError, ValueError) as error:
        raise LinkLostError(f"The embedding service did not shake hands: {error or type(error).__name__}.") from error
    finally:
        stalled.cancel()


_GONE = (OSError, TypeError)  # a connection that another thread closes in the middle of a call has None for a handle


class Link:
    """A client's end. Thread-safe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[Frame]] = {}
        self._lock = threading.Lock()  # of what waits
        self._sending = threading.Lock()
        self._lost = False
        self._heard = time.monotonic()
        self._asked = threading.Event()  # something waits, or nothing ever will again
        for work in (self._listen, self._watch):
            threading.Thread(target=work, name="embedding service", daemon=True).start()

    @property
    def lost(self) -> bool:
        """Whether the service, or this end, has closed it."""
        return self._lost

    def ask(self, request: Frame, timeout_s: float | None = None) -> Frame:
        """The answer to ``request``.

        Raises what the service raised, LinkLostError where it has gone, EmbeddingTimeoutError.
        """
        number, answer = self._expect()
        self._send(Frame({"id": number, "timeout_s": timeout_s, **request.header}, request.body))
        try:
            frame = answer.result(None if timeout_s is None else timeout_s + GRACE_S)
        except FutureTimeoutError:
            self._forget(number)
            raise EmbeddingTimeoutError(
                f"The embedding service gave no answer within {timeout_s:.1f} s; ask again with a longer timeout."
            ) from None
        if "error" in frame.header:
            raise error_of(frame)
        return frame

    def _expect(self) -> tuple[int, Future[Frame]]:
        number, answer = next(self._numbers), Future[Frame]()
        with self._lock:
            if self._lost:
                raise LinkLostError("The embedding service has ended; ask again.")
            if not self._waiting:
                self._heard = time.monotonic()  # nothing was to be heard before
            self._waiting[number] = answer
            self._asked.set()
        return number, answer

    def _forget(self, number: int) -> None:
        with self._lock:
            self._waiting.pop(number, None)
        with suppress(LinkLostError):
            self._send(Frame({"cancel": number}))

    def _send(self, frame: Frame) -> None:
        try:
            with self._sending:
                self._connection.send_bytes(packed(frame))
        except _GONE as error:
            self._lost = True  # known before the next try, which must not take this link again
            _cut(self._connection)
            raise LinkLostError(f"The embedding service cannot be reached ({error}); ask again.") from error

    def _listen(self) -> None:
        try:
            with suppress(EOFError, WireError, *_GONE):
                while True:
                    self._hear(unpacked(self._connection.recv_bytes(MOST_BYTES)))
        finally:  # whatever ended it: nobody else would tell those who wait
            self._end()

    def _hear(self, frame: Frame) -> None:
        with self._lock:
            self._heard = time.monotonic()
            answer = self._waiting.pop(frame.header.get("id", -1), None)
        if answer is not None:
            answer.set_result(frame)

    def _watch(self) -> None:
        """Hang up on a service that hangs, so that what waits is asked of its successor."""
        probe: threading.Thread | None = None
        while self._asked.wait() and not self._lost:
            time.sleep(LOOK_S)
            with self._lock:
                silent_s = time.monotonic() - self._heard if self._waiting else 0.0
                if not self._waiting and not self._lost:
                    self._asked.clear()
            if silent_s > HUNG_AFTER_S:
                _log.warning("The embedding service said nothing for %.0f s and is taken for hung.", silent_s)
                _cut(self._connection)
                return
            if silent_s > ASKED_AFTER_S and (probe is None or not probe.is_alive()):
                probe = threading.Thread(target=self._probe, name="embedding service probe", daemon=True)
                probe.start()

    def _probe(self) -> None:
        """Have the service say something. Sending may take for ever, too."""
        with suppress(EmbeddingError):
            self.ask(Frame({"state": True}), HUNG_AFTER_S)

    def _end(self) -> None:
        with self._lock:
            self._lost = True
            self._asked.set()
            waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            answer.set_exception(LinkLostError("The embedding service ended while it worked; ask again."))
        _close(self._connection)

    def close(self) -> None:
        """Hang up; what waits raises LinkLostError."""
        self._lost = True
        self._asked.set()
        _cut(self._connection)


def _cut(connection: Connection) -> None:
    """End a connection that another thread may be reading: closing alone would not wake that one."""
    import socket
    import sys

    if sys.platform == "win32":  # closing a pipe's handle ends the read
        _close(connection)
        return
    with suppress(OSError, ValueError):
        end = socket.socket(fileno=connection.fileno())  # no descriptor of its own: there may be none left
        try:
            end.shutdown(socket.SHUT_RDWR)
        finally:
            end.detach()


def _close(connection: Connection) -> None:
    with suppress(OSError):
        connection.close()


def _connection(address: str) -> Connection:
    """To whoever listens at ``address``. Raises OSError, TimeoutError where nobody lets us in for HANDSHAKE_S."""
    import socket
    import sys

    if sys.platform == "win32":
        return Client(address)
    end = time.monotonic() + HANDSHAKE_S
    with socket.socket(socket.AF_UNIX) as caller:
        caller.settimeout(0)  # before a service that is stopped a few stand in line; the next would wait for ever
        while code := caller.connect_ex(address):
            if code != errno.EAGAIN:
                raise OSError(code, os.strerror(code))
            if time.monotonic() > end:
                raise TimeoutError(f"nobody was let in for {HANDSHAKE_S:.0f} s")
            time.sleep(_DOOR_S)
        caller.settimeout(None)
        return Connection(caller.detach())


def dial(address: str, key: bytes) -> Link:
    """A link to the service that listens at ``address``.

    Raises LinkLostError where it does not answer, ServiceError where that says nothing of it: we lack what it takes.
    """
    try:
        connection = _connection(address)
    except (OSError, EOFError) as error:
        if isinstance(error, OSError) and error.errno in _OUR_WANT:
            raise ServiceError(f"The embedding service cannot be asked: {error.strerror}; close something.") from error
        raise LinkLostError(f"No embedding service answers at {address} ({error}).") from error
    try:
        shake_hands(connection, key, first=False)
    except LinkLostError:
        _close(connection)
        raise
    return Link(connection)
