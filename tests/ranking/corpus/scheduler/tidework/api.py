"""The HTTP API: requests in, JSON out. Routing only; what jobs are is in models, who may call in auth."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tidework.auth import AuthenticationError, Principal, authenticate_request
from tidework.queue import JobQueue, UnknownQueueError


@dataclass(frozen=True)
class Request:
    """One HTTP request, read."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """The body as an object."""
        return json.loads(self.body or b"{}")


@dataclass(frozen=True)
class Response:
    """What goes back."""

    status: int
    body: dict[str, Any]


Endpoint = Callable[["Api", Request, Principal, dict[str, str]], Response]


class Api:
    """Endpoints over one queue."""

    def __init__(self, queue: JobQueue, secret: bytes) -> None:
        self.queue = queue
        self.secret = secret

    def handle(self, request: Request) -> Response:
        """Answer a request; errors become status codes here and nowhere else."""
        try:
            caller = authenticate_request(request.headers, self.secret)
            endpoint, found = self._route(request)
            return endpoint(self, request, caller, found)
        except AuthenticationError as error:
            return Response(401, {"error": str(error)})
        except UnknownQueueError as error:
            return Response(422, {"error": str(error)})
        except LookupError:
            return Response(404, {"error": f"no such endpoint: {request.method} {request.path}"})

    def create_job(self, request: Request, caller: Principal, _: dict[str, str]) -> Response:
        """POST /jobs: enqueue one."""
        caller.require("jobs:write")
        wanted = request.json()
        delay = timedelta(seconds=wanted.get("delay", 0))
        job_id = self.queue.enqueue(wanted["queue"], wanted["handler"], wanted.get("payload", {}), delay)
        return Response(201, {"id": job_id})

    def list_dead_letters(self, request: Request, caller: Principal, _: dict[str, str]) -> Response:
        """GET /dead: jobs that were given up."""
        caller.require("jobs:read")
        return Response(200, {"jobs": [vars(job) for job in self.queue.dead_letters()]})

    def _route(self, request: Request) -> tuple[Endpoint, dict[str, str]]:
        for method, pattern, endpoint in ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                return endpoint, found.groupdict()
        raise LookupError(request.path)


ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/jobs", Api.create_job),
    ("GET", "/dead", Api.list_dead_letters),
)
