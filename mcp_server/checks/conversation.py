"""A server as a client starts it: messages in, lines out, and how it ends. Judges nothing (checks/server.py does)."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast

LEGACY, MODERN = "2025-11-25", "2026-07-28"
CLIENT = {"name": "codeloupe-doctor", "version": "1"}
STDERR_BYTES = 64 << 10
LAST_WORDS_S = 2.0  # until all is read of one that has ended; what it started may hold its stderr open for longer


class Conversation:
    """One server process, spoken to on its pipes."""

    def __init__(self, command: Sequence[str], directory: Path, environment: Mapping[str, str] | None = None) -> None:
        """Start it. Raises OSError where that cannot be."""
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=directory,
            env=environment,
        )
        self.noise: list[str] = []  # lines on its stdout that are no message
        self.errors = b""
        self.longest_s = 0.0  # that an answer took
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._ids = 0
        self._messages = threading.Thread(target=self._listen, daemon=True)
        self._words = threading.Thread(target=self._keep_errors, daemon=True)
        self._messages.start()
        self._words.start()

    def __enter__(self) -> Conversation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll()

    def ask(self, method: str, params: Mapping[str, Any], timeout_s: float) -> dict[str, Any] | None:
        """The answer to one request, result or error; None where none comes in time, or it ends."""
        self._ids += 1
        self.tell({"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params})
        began = time.monotonic()
        end = began + timeout_s
        while (left := end - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                return None
            if line is None:
                return None
            message = self._understood(line)
            if message is not None and message.get("id") == self._ids:
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                return message
        return None

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send one message; a server that has ended hears nothing."""
        pipe = cast("IO[bytes]", self._process.stdin)
        with suppress(OSError, ValueError):
            pipe.write(json.dumps(message).encode() + b"\n")
            pipe.flush()

    def hang_up(self, timeout_s: float) -> float | None:
        """Close its input, as a client that leaves; the seconds until it has ended, None where it does not."""
        began = time.monotonic()
        with suppress(OSError):
            cast("IO[bytes]", self._process.stdin).close()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        took = time.monotonic() - began
        self._messages.join(timeout_s)
        self._words.join(LAST_WORDS_S)
        while not self._lines.empty():
            if line := self._lines.get():
                self._understood(line)
        return took

    def _understood(self, line: bytes) -> dict[str, Any] | None:
        with suppress(ValueError):
            message = json.loads(line)
            if isinstance(message, dict) and message.get("jsonrpc") == "2.0":
                return message
        self.noise.append(line.decode("utf-8", "replace").rstrip())
        return None

    def _listen(self) -> None:
        for line in cast("IO[bytes]", self._process.stdout):
            self._lines.put(line)
        self._lines.put(None)

    def _keep_errors(self) -> None:
        for line in cast("IO[bytes]", self._process.stderr):
            self.errors = (self.errors + line)[-STDERR_BYTES:]


def stamped(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of the era without a handshake: each request says who asks, and in which version."""
    stamp = {"protocolVersion": MODERN, "clientInfo": CLIENT, "clientCapabilities": {}}
    return {**params, "_meta": {f"io.modelcontextprotocol/{key}": value for key, value in stamp.items()}}
