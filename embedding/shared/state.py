"""What the embedding service says of itself: a value, for status, doctor, metrics and tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class ServiceState:
    """The service at one moment. Bytes are those of its processes together; shared pages count once."""

    pid: int
    model: str
    clients: int  # connected now
    children: int  # processes of the model that run now, the one for queries included
    children_allowed: int  # for documents, by the governor
    level: str  # low, medium, high, critical
    why: str  # what of the reading made that level, in words
    paused: str  # why documents wait, in words; "" where they do not
    left_alone: str  # why the model is not tried, until when, and how to reset; "" where it is
    waiting: int  # requests in the queue
    queries: int  # answered since the start
    documents: int  # texts embedded since the start
    tokens: int  # read for them
    restarts: int  # children that died or were stopped for want of an answer
    private_bytes: int
    shared_bytes: int
    budget_bytes: int
    seconds: float  # since the start

    def as_json(self) -> dict[str, Any]:
        """For the wire, and for programs."""
        return asdict(self)


def state_of(told: Mapping[str, Any]) -> ServiceState:
    """The state that ``as_json`` wrote, of another build perhaps: what only one of the two knows is 0, "" or gone."""
    nothing = {field.name: "" if field.type == "str" else 0 for field in fields(ServiceState)}
    return ServiceState(**{name: told.get(name, default) for name, default in nothing.items()})
