"""The group `codeloupe service`; its work is in service_commands.py, imported when it is needed."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from mcp_server.command_line.options import json_option


@click.group()
def service() -> None:
    """See and end what runs the model for all servers and commands."""


@service.command()
@json_option
@click.pass_obj
def status(overrides: Sequence[str], as_json: bool) -> None:
    """Say what runs, for whom and in how much memory; exit code 1 where nothing does."""
    from mcp_server.command_line import service_commands

    sys.exit(service_commands.status(overrides, as_json=as_json))


@service.command()
@json_option
def stop(as_json: bool) -> None:
    """End it, whoever uses it; the next text starts another."""
    from mcp_server.command_line import service_commands

    sys.exit(service_commands.stop(as_json=as_json))


@service.command()
@json_option
def reset(as_json: bool) -> None:
    """Have a model that was left alone tried again at once."""
    from mcp_server.command_line import service_commands

    sys.exit(service_commands.reset(as_json=as_json))
