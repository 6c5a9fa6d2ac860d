"""`codeloupe install` and `uninstall`: what they take; mcp_server/cli.py has the other commands."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

NAMES = "claude-code|claude-desktop|cursor|vscode|codex|zed"


def _shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """The arguments and options that both take."""
    for option in (
        click.option("--force", is_flag=True, help="Also where the entry of that name does not start codeloupe."),
        click.option("-y", "--yes", is_flag=True, help="Do not ask where no client is named."),
        click.option("--dry-run", is_flag=True, help="Show what would change, and write nothing."),
        click.option("--name", default="codeloupe", help="The entry's name.", show_default=True),
        click.option("--user", is_flag=True, help="The user's own file, for every project."),
        click.option("--project", is_flag=True, help="The project's file, which others may share."),
        click.argument("clients", nargs=-1, metavar=f"[{NAMES}]..."),
    ):
        command = option(command)
    return command


@click.command()
@_shared
@click.option(
    "--command",
    default="",
    help="What starts codeloupe: --command codeloupe for a file that is shared, say. [default: the path of this one]",
)
@click.option(
    "--root",
    default="",
    metavar="DIR",
    help="The project: where --project's file is; with --user, the only directory searched. [default: this directory]",
)
def install(**arguments: Any) -> None:
    """Make codeloupe known to editors and agents.

    Its entry is written into their own files; without a client, into those of all that are found on this machine.
    Without --project or --user it is the file that a client's users expect: VS Code's project file, the user's file
    of the others. What else stands there stays as it is, comments too; the difference is shown, and the file as it
    was is kept beside it.
    """
    from mcp_server.command_line import client_commands

    sys.exit(client_commands.install(client_commands.ClientArguments(**arguments)))


@click.command()
@_shared
@click.option("--root", default="", metavar="DIR", help="The project whose files are meant. [default: this directory]")
def uninstall(**arguments: Any) -> None:
    """Take codeloupe out of their files again.

    Without a client, of all clients; without --project or --user, of both files. A file in which nothing else has
    changed becomes what it was before, byte for byte.
    """
    from mcp_server.command_line import client_commands

    sys.exit(client_commands.uninstall(client_commands.ClientArguments(**arguments)))
