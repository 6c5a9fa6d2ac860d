"""`codeloupe service`: what runs the model for everybody, seen, ended, and set right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import click

from embedding.errors import EmbeddingError
from embedding.lanes.breaker import span_in_words
from embedding.shared.running import Service, services
from embedding.shared.state import ServiceState
from mcp_server.freshness import counted
from mcp_server.home import data_directory
from mcp_server.settings import load
from mcp_server.statuses import served_model

RUNS, NONE = 0, 1
NOBODY = "No embedding service runs; the first text for a model starts one."
UNSHARED = "No embedding service runs: model.shared is false, so each server and command runs the model itself."


@dataclass(frozen=True, slots=True)
class Told:
    """What one service says, or what is known of it where it says nothing."""

    service: Service
    state: ServiceState | None
    problem: str  # why it does not answer, or why its model is left alone; "" where all is well

    def sentence(self) -> str:
        """Some lines for a reader."""
        if self.state is None:
            return self.problem
        state = self.state
        done = f"{state.queries:,} queries and {counted(state.documents, 'text')} ({counted(state.tokens, 'token')})"
        since = (
            f"in {span_in_words(state.seconds)}; {counted(state.restarts, 'process', 'processes')} of the model died"
        )
        return "\n".join(
            [served_model(state.model, state).sentence(), f"done: {done} {since}", f"log: {self.service.place.log}"]
        )

    def as_json(self) -> dict[str, Any]:
        """For a program."""
        state = self.state.as_json() if self.state else None
        return {"state": state, "problem": self.problem, "log": str(self.service.place.log)}


def status(overrides: Sequence[str], *, as_json: bool) -> int:
    """Say of each service what it does; 1 where none runs."""
    shared = load(None, overrides).settings.model.shared
    told = [one for one in map(_told, services(data_directory())) if one.state or one.problem]
    runs = any(one.service.runs for one in told)
    if as_json:
        click.echo(json.dumps({"running": runs, "services": [one.as_json() for one in told]}))
    else:
        lines = [one.sentence() for one in told]
        click.echo("\n\n".join(lines if runs else [NOBODY if shared else UNSHARED, *lines]))
    return RUNS if runs else NONE


def stop(*, as_json: bool) -> int:
    """End all services; 1 where none ran."""
    ended = [pid for service in services(data_directory()) if (pid := service.pid) and service.stop()]
    if as_json:
        click.echo(json.dumps({"stopped": ended}))
    else:
        said = f"Ended {counted(len(ended), 'embedding service')}; the next text for a model starts another."
        click.echo(said if ended else NOBODY)
    return RUNS if ended else NONE


def reset(*, as_json: bool) -> int:
    """Have models that are left alone tried again at once."""
    count = sum(service.reset() for service in services(data_directory()))
    if as_json:
        click.echo(json.dumps({"reset": count}))
    elif count:
        click.echo(f"Left alone no longer: {counted(count, 'model')}; the next text tries again.")
    else:
        click.echo("No model is left alone: nothing to reset.")
    return RUNS


def _told(service: Service) -> Told:
    try:
        state = service.state()
    except EmbeddingError as error:
        return Told(service, None, str(error))
    if state is None:
        return Told(service, None, service.left_alone)
    return Told(service, replace(state, clients=state.clients - 1), state.left_alone)  # who asks is none of them
