"""`codeloupe models`: what it takes and which function does it; mcp_server/cli.py has the other commands."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from mcp_server.command_line.options import json_option


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def models(context: click.Context, as_json: bool) -> None:
    """See, fetch, check, choose and distil embedding models; without a command, list them.

    A NAME is that of a known model, a name of the Hugging Face hub (owner/repo, owner/repo:Q8_0, owner/repo/file.gguf)
    or a path to a GGUF file.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_models, as_json=as_json)


@models.command("list")
@json_option
@click.pass_obj
def list_models(overrides: Sequence[str], as_json: bool) -> None:
    """List the known models and what is on this machine."""
    from mcp_server.command_line import model_commands

    sys.exit(model_commands.show(overrides, as_json=as_json))


@models.command()
@click.argument("name", default="")
@click.option("--json", "as_json", is_flag=True, help="Print events, a JSON object a line; the last is the result.")
@click.pass_obj
def pull(overrides: Sequence[str], name: str, as_json: bool) -> None:
    """Fetch a model (the configured one by default), verify and keep it.

    What broke off is resumed, and what is damaged is fetched again. HF_ENDPOINT, HF_TOKEN and proxies are honoured.
    """
    from mcp_server.command_line import model_commands

    sys.exit(model_commands.pull(overrides, name, as_json=as_json))


@models.command()
@click.argument("name", default="")
@json_option
@click.pass_obj
def verify(overrides: Sequence[str], name: str, as_json: bool) -> None:
    """Read a model's whole file (the configured one's by default) and say whether it is what it should be."""
    from mcp_server.command_line import model_commands

    sys.exit(model_commands.check(overrides, name, as_json=as_json))


@models.command()
@click.argument("name")
@json_option
@click.pass_obj
def remove(overrides: Sequence[str], name: str, as_json: bool) -> None:
    """Delete a model's file; it can be fetched again."""
    from mcp_server.command_line import model_commands

    sys.exit(model_commands.delete(overrides, name, as_json=as_json))


@models.command()
@click.argument("name")
@json_option
@click.pass_obj
def use(overrides: Sequence[str], name: str, as_json: bool) -> None:
    """Choose a model: write model.name into your settings. "none" turns meaning off."""
    from mcp_server.command_line import model_commands

    sys.exit(model_commands.use(overrides, name, as_json=as_json))


@models.command()
@click.argument("name", default="")
@click.option(
    "--texts", "directories", multiple=True, metavar="DIR", help="Learn from the code there; may be repeated."
)
@click.option("--out", default="", metavar="FILE", help="Where the table goes. [default: beside the models, and used]")
@click.option(
    "-n", "--limit", type=click.IntRange(min=1), default=20_000, help="Texts to learn from.", show_default=True
)
@click.pass_obj
def distil(overrides: Sequence[str], name: str, directories: tuple[str, ...], out: str, limit: int) -> None:
    """Make the lookup table of a model (the configured one by default).

    Without --texts it learns from what is indexed and embedded already, and nothing is embedded.
    """
    from mcp_server.command_line import distilling

    sys.exit(distilling.distil(overrides, distilling.DistilArguments(name, directories, out, limit)))
