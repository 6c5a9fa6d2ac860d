"""A server on raw pipes: what a test says is sent as it is, and every byte the server wrote is kept."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.homes import Launch

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
ERAS = (LEGACY, MODERN)
PATIENCE_S = 60.0  # longer than anything here takes on a loaded machine: reaching it is a failure, not a measure
CLIENT = {"name": "codeloupe-tests", "version": "1"}


class Wire:
    """One server process and its pipes; the harness of tests about bytes, ids and endings."""

    def __init__(self, launch: Launch, log: Path, era: str = LEGACY) -> None:
        self._log = log.open("wb")
        self.log = log
        self.era = era
        self.process = subprocess.Popen(
            launch.line,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            cwd=launch.directory,
            env=launch.environment,
            bufsize=0,
        )
        self.output = b""
        self.messages: list[dict[str, Any]] = []
        self.garbage: list[bytes] = []
        self._arrived = threading.Condition()
        self._ended = False
        self._last_id = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Wire:
        if self.era == LEGACY:
            self.initialize()
        return self

    def __exit__(self, *_: object) -> None:
        self.close_input()
        try:
            self.process.wait(PATIENCE_S)
        finally:
            self.process.kill()
            self._reader.join(PATIENCE_S)
            self._log.close()

    def initialize(self) -> dict[str, Any]:
        """The handshake of the old era; the server's answer."""
        asked = self.request("initialize", {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": CLIENT})
        answer = self.answer(asked)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    def send(self, message: dict[str, Any]) -> None:
        """One message."""
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def send_bytes(self, data: bytes) -> None:
        """Bytes as they are."""
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    def request(self, method: str, params: dict[str, Any] | None = None) -> int:
        """Send a request; returns its id."""
        self._last_id += 1
        asked = {"jsonrpc": "2.0", "id": self._last_id, "method": method}
        self.send(asked | ({"params": self._stamped(params)} if params is not None or self.era == MODERN else {}))
        return self._last_id

    def call(self, tool: str, arguments: dict[str, Any] | None = None, token: str = "") -> int:
        """Send a tool call; returns its id."""
        params: dict[str, Any] = {"name": tool, "arguments": arguments or {}}
        return self.request("tools/call", params | ({"_meta": {"progressToken": token}} if token else {}))

    def cancel(self, request_id: int) -> None:
        """Say that the answer is no longer wanted."""
        params = {"requestId": request_id, "reason": "the test changed its mind"}
        self.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": self._stamped(params)})

    def answer(self, request_id: int) -> dict[str, Any]:
        """The whole answer to a request, result or error."""
        return self.await_message(lambda message: message.get("id") == request_id, f"an answer to request {request_id}")

    def result(self, tool: str, arguments: dict[str, Any] | None = None, token: str = "") -> dict[str, Any]:
        """Call a tool and take its result."""
        answer = self.answer(self.call(tool, arguments, token))
        assert "result" in answer, answer
        return dict(answer["result"])

    def text(self, tool: str, arguments: dict[str, Any] | None = None) -> str:
        """Call a tool that must succeed and take its text."""
        result = self.result(tool, arguments)
        assert not result.get("isError"), result
        return str(result["content"][0]["text"])

    def progress(self, token: str) -> list[dict[str, Any]]:
        """Progress notifications for ``token`` so far."""
        return [message["params"] for message in list(self.messages) if is_progress(message, token)]

    def await_message(self, wanted: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """The first message for which ``wanted`` holds."""
        with self._arrived:
            self._arrived.wait_for(lambda: any(map(wanted, self.messages)) or self._ended, PATIENCE_S)
            found = next(filter(wanted, self.messages), None)
        assert found is not None, f"no {what}; stderr:\n{self.log.read_text(encoding='utf-8')[-4000:]}"
        return found

    def close_input(self) -> None:
        """End of input, as a client that leaves."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def end(self) -> int:
        """Wait for the process's own end and for its last byte; its exit code."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        assert not self._reader.is_alive(), "somebody else still holds the server's stdout"
        return code

    def _stamped(self, params: dict[str, Any] | None) -> dict[str, Any]:
        """Parameters with what each request of the new era carries."""
        params = dict(params or {})
        if self.era == MODERN:
            stamp = {"protocolVersion": MODERN, "clientInfo": CLIENT, "clientCapabilities": {}}
            own = {f"io.modelcontextprotocol/{key}": value for key, value in stamp.items()}
            params["_meta"] = own | params.get("_meta", {})
        return params

    def _read(self) -> None:
        assert self.process.stdout is not None
        rest = b""
        while data := os.read(self.process.stdout.fileno(), 65536):
            *lines, rest = (rest + data).split(b"\n")
            with self._arrived:
                self.output += data
                for line in lines:
                    self._take(line)
                self._arrived.notify_all()
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()

    def _take(self, line: bytes) -> None:
        try:
            message = json.loads(line)
        except ValueError:
            self.garbage.append(line)
            return
        self.messages.append(message)


def is_progress(message: dict[str, Any], token: str) -> bool:
    """Whether a message is progress for ``token``."""
    return message.get("method") == "notifications/progress" and message["params"]["progressToken"] == token
