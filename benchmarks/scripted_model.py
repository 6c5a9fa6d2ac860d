"""A model that follows rules, behind the HTTP interface that Claude Code asks a model by.

Its choices alone are made up here. Which tools it hears of, what their search brings, how a server is asked and what of
its answer reaches a model is Claude Code's doing, and can be read in ``requests``.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from uuid import uuid4


@dataclass(frozen=True, slots=True)
class Say:
    """The last word of a turn."""

    text: str


@dataclass(frozen=True, slots=True)
class Use:
    """A tool, and what it is asked."""

    tool: str
    asked: dict[str, Any] = field(default_factory=dict)


Move = Say | Use
Rule = Callable[[dict[str, Any]], Move]


class ScriptedModel:
    """Answers at ``url`` while it is entered; ``requests`` holds all it was sent, in order."""

    def __init__(self, rule: Rule) -> None:
        self.requests: list[dict[str, Any]] = []
        self._rule = rule
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> ScriptedModel:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def move(self, request: dict[str, Any]) -> Move:
        """What the model does next."""
        self.requests.append(request)
        return self._rule(request)


def _handler(model: ScriptedModel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path.split("?")[0].endswith("/count_tokens"):
                self._answer("application/json", json.dumps({"input_tokens": 1}))
                return
            message = _message(model.move(request), str(request.get("model", "")))
            if request.get("stream"):
                events = (f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in _events(message))
                self._answer("text/event-stream", "".join(events))
            else:
                self._answer("application/json", json.dumps(message))

        def do_GET(self) -> None:
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing: stdout and stderr are the session's."""

        def _answer(self, kind: str, text: str) -> None:
            body = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _message(move: Move, model: str) -> dict[str, Any]:
    """A move as the interface's message."""
    if isinstance(move, Say):
        block: dict[str, Any] = {"type": "text", "text": move.text}
    else:
        block = {"type": "tool_use", "id": f"toolu_{uuid4().hex}", "name": move.tool, "input": move.asked}
    return {
        "id": f"msg_{uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [block],
        "stop_reason": "end_turn" if isinstance(move, Say) else "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def _events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The same as a stream."""
    [block] = message["content"]
    yield {"type": "message_start", "message": message | {"content": [], "stop_reason": None}}
    if block["type"] == "text":
        empty, delta = block | {"text": ""}, {"type": "text_delta", "text": block["text"]}
    else:
        empty = block | {"input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    yield {"type": "content_block_start", "index": 0, "content_block": empty}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": end, "usage": {"output_tokens": 1}}
    yield {"type": "message_stop"}
