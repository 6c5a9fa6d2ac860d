"""A hub of one repository on this machine, which can be made to break off, stall, lie, refuse and send elsewhere."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.embedding.waiting import LIMIT_S

if TYPE_CHECKING:
    import pytest


@dataclass
class Hub:
    """A hub of one repository, ``o/r``."""

    files: dict[str, bytes]
    published: dict[str, str] = field(default_factory=dict)  # sha256 by name, as it gives it for large files
    licence: str = "mit"
    revision: str = "main"  # the only one it has
    break_after: int = 0  # bytes after which the first answer breaks off
    stall_after: int = 0  # bytes after which the first answer stands still until the client has gone
    elsewhere: str = ""  # the address of another host, to which it sends whoever wants content
    moved: bool = False  # whether it sends the files of o/r to their new place by an address without a host
    status: int = 404  # of what it has not
    page: bytes = b""  # answered to every question, as networks do that want one to log in first
    gate: threading.Event | None = None  # content is sent once this is set
    seen: Counter[str] = field(default_factory=Counter)
    hosts: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    address: str = ""
    gone: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        asked = urlsplit(request.path)  # a proxy is asked with the whole address
        self.seen[f"{request.command} {asked.path}"] += 1
        self.hosts.append(asked.netloc or str(request.headers["Host"]))
        self.tokens.append(request.headers.get("Authorization", ""))
        if self.page:
            self._answer(request, self.page)
        elif asked.path == f"/api/models/o/r/revision/{self.revision}":
            self._answer(request, self._listing())
        elif self.moved and asked.path.startswith("/o/r/"):
            self._redirect(request, asked.path.replace("/o/r/", "/new/r/", 1))
        else:
            self._file(request, asked.path.removeprefix(f"/{'new' if self.moved else 'o'}/r/resolve/{self.revision}/"))

    def _file(self, request: BaseHTTPRequestHandler, name: str) -> None:
        content = self.files.get(name)
        if content is None:
            request.send_error(self.status)
        elif request.command == "HEAD":
            self._describe(request, name, content)
        elif self.elsewhere and self.address.endswith(request.headers["Host"]):
            self._redirect(request, self.elsewhere + request.path)
        else:
            self._send(request, content)

    def _listing(self) -> bytes:
        files = [{"rfilename": name} for name in ("README.md", *self.files)]
        return json.dumps({"id": "o/r", "siblings": files, "cardData": {"license": self.licence}}).encode()

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if request.command == "GET":
            request.wfile.write(body)

    def _redirect(self, request: BaseHTTPRequestHandler, where: str) -> None:
        request.send_response(302)
        request.send_header("Location", where)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _describe(self, request: BaseHTTPRequestHandler, name: str, content: bytes) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.send_header("X-Repo-Commit", "c" * 40)
        request.send_header("ETag", f'"{self.published.get(name, "e" * 40)}"')  # small files have git's hash
        request.end_headers()

    def _send(self, request: BaseHTTPRequestHandler, content: bytes) -> None:
        wanted = request.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.ranges.append(wanted)
        if self.gate is not None:
            self.gate.wait(LIMIT_S)
        request.send_response(206 if wanted else 200)
        request.send_header("Content-Length", str(len(content) - start))
        if wanted:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        request.end_headers()
        stall, self.stall_after = self.stall_after, 0
        cut, self.break_after = stall or self.break_after or len(content), 0
        request.wfile.write(content[start : start + cut])
        if stall:
            request.wfile.flush()
            self.gone.wait(LIMIT_S)


@contextmanager
def running_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that the client is sent to, and no proxy on the way.

    The client keeps the proxies it found when it was first used, and its wish for telemetry from its import on.
    """
    hub = Hub({})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.answer(self)

        do_HEAD = do_GET  # noqa: N815 - the name the server looks for

        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "*")  # in small letters it wins over NO_PROXY
    monkeypatch.setenv("HF_HUB_DISABLE_TELEMETRY", "1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    forget_connections()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield hub
    finally:
        hub.gone.set()
        server.shutdown()
        thread.join(LIMIT_S)
        server.server_close()
        forget_connections()


def forget_connections() -> None:
    """Have the client look for proxies again."""
    from huggingface_hub import close_session

    close_session()
