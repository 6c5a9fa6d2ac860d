"""`codeloupe metrics`: what a user's servers count, on a terminal or as JSON."""

from __future__ import annotations

import json

import click

from mcp_server.home import data_directory
from mcp_server.metrics.overview import gather
from mcp_server.metrics.table import sentence

RUNS, NONE = 0, 1


def show(*, as_json: bool) -> int:
    """Print it; 1 where no server runs."""
    seen = gather(data_directory())
    click.echo(json.dumps(seen.as_json()) if as_json else sentence(seen))
    return RUNS if seen.servers else NONE
