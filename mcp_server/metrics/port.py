"""The port that is scraped: on the loopback addresses alone, on threads of its own, off unless asked for.

A web page in the user's browser can send requests to it as well, under a name that its owner lets point here: what does
not call this machine by a name of its own is refused.
"""

from __future__ import annotations

import errno
import io
import logging
import select
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import socketserver

    from _typeshed import WriteableBuffer

    from mcp_server.metrics.overview import Overview

PATH = "/metrics"
REQUEST_S = 5.0  # a request that is not whole by then is hung up on: requests are answered one by one
BACKLOG = 8
LONG_S = 3600.0  # between two looks of a thread at whether it should end: it never should
OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")

log = logging.getLogger(__name__)


def listening(port: int) -> list[socket.socket]:
    """Sockets that listen on ``port`` of both loopback addresses; 0 is any free port.

    A machine without IPv6 has one. Raises OSError where the port is taken.
    """
    first = _bound(socket.AF_INET, "127.0.0.1", port)
    try:
        return [first, _bound(socket.AF_INET6, "::1", first.getsockname()[1])]
    except OSError as error:
        if error.errno == errno.EADDRINUSE and port:
            first.close()
            raise
        return [first]


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":  # there, "reuse" would let another program take the port from us
            found.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        found.bind((address, port))
        found.listen(BACKLOG)
    except OSError:
        found.close()
        raise
    return found


def answer(sockets: list[socket.socket], look: Callable[[], Overview]) -> None:
    """Answer what comes, on daemon threads; nothing is imported for that before the first request."""
    threading.Thread(target=_wait_and_answer, args=(sockets, look), daemon=True, name="metrics").start()


def _wait_and_answer(sockets: list[socket.socket], look: Callable[[], Overview]) -> None:
    select.select(sockets, [], [])
    first, *others = [_server(one, look) for one in sockets]
    for server in others:
        threading.Thread(target=server.serve_forever, args=(LONG_S,), daemon=True, name="metrics").start()
    first.serve_forever(LONG_S)


def _server(listener: socket.socket, look: Callable[[], Overview]) -> socketserver.BaseServer:
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

    from mcp_server.metrics.exposition import application

    class Handler(WSGIRequestHandler):
        timeout: ClassVar[float] = REQUEST_S

        def setup(self) -> None:
            """Read within a time that is for the whole request."""
            super().setup()
            self.rfile = io.BufferedReader(_Timely(self.connection, REQUEST_S))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            log.debug(format, *args)

    class Server(WSGIServer):
        def server_bind(self) -> None:
            """It is bound already; and nobody is asked for this machine's name."""

        def server_activate(self) -> None:
            """It listens already."""

        def handle_error(self, *_: object) -> None:
            """A client went away, or said nothing; what goes wrong in an answer is logged where it does."""
            log.debug("a request for metrics came to nothing")

    server = Server(listener.getsockname()[:2], Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    server.server_address = listener.getsockname()[:2]
    server.server_name, server.server_port = "localhost", listener.getsockname()[1]
    server.setup_environ()
    server.set_app(guarded(application(look)))
    return server


class _Timely(io.RawIOBase):
    """What comes from a client within some seconds: a time for each byte alone lets it take a day for a request."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._end = monotonic() + seconds

    def readable(self) -> bool:
        """See RawIOBase."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """See RawIOBase. Raises TimeoutError."""
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError("the request was not whole in time")
        self._connection.settimeout(left)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(self._seconds)  # for the answer


Start = Callable[..., Any]


def guarded(application: Callable[[dict[str, Any], Start], Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """``application`` at PATH alone, for those who ask this machine by a name of its own."""

    def answered(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if refusal := refused(environ.get("HTTP_HOST", ""), environ["PATH_INFO"]):
            start(refusal, [("Content-Type", "text/plain; charset=utf-8")])
            return [f"{refusal}: metrics are at {PATH}\n".encode()]
        return application(environ, start)

    return answered


def refused(host: str, path: str) -> str:
    """The HTTP status of a request that is not answered; "" for one that is."""
    name, _, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    if (name if port.isdecimal() and name else host).lower() not in OWN_NAMES:
        return "403 Forbidden"
    return "" if path == PATH else "404 Not Found"
