"""The command `codeloupe`: what it takes and which function does it. Work and words live elsewhere.

Exit codes are grep's: 0 found, 1 nothing, 2 error; 130 after Ctrl-C.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from mcp_server.command_line.client_cli import install, uninstall
from mcp_server.command_line.model_cli import models
from mcp_server.command_line.options import json_option, root_option
from mcp_server.command_line.sentences import Sentences
from mcp_server.command_line.service_cli import service
from mcp_server.logs import StdoutGuard, configure


def own_version() -> str:
    """The installed version; a checkout that was never installed has none."""
    from importlib.metadata import PackageNotFoundError, version  # 20 ms, and few commands ask

    try:
        return version("codeloupe")
    except PackageNotFoundError:
        return "0+unknown"


def say_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the version and end, where that is what is wanted."""
    if wanted and not context.resilient_parsing:
        click.echo(f"codeloupe, version {own_version()}")
        context.exit()


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=say_version,
    help="Show the version and end.",
)
@click.option(
    "--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="Override one setting; may be repeated."
)
@click.option("-v", "--verbose", is_flag=True, help="Say more on stderr.")
@click.pass_context
def main(context: click.Context, overrides: tuple[str, ...], verbose: bool) -> None:
    """Find code by meaning, name and text, on this machine."""
    configure(verbose=verbose)
    context.obj = overrides


@main.command()
@click.argument("path", default=".", type=click.Path())
@click.option("--force", is_flag=True, help="Read every file again.")
@json_option
@click.pass_obj
def index(overrides: Sequence[str], path: str, force: bool, as_json: bool) -> None:
    """Index a directory, or bring its index up to date."""
    from mcp_server.command_line import commands
    from storage.heap import keep_little

    keep_little()

    sys.exit(commands.index(commands.one_root(path), overrides, force=force, as_json=as_json))


@main.command()
@click.argument("query", default="")
@root_option
@click.option("--like", default="", metavar="PATH:LINE", help="Find more like the code at this place.")
@click.option("-n", "--limit", type=int, default=0, help="Hits to print. [default: search.limit, or as many as fit]")
@click.option("--offset", type=int, default=0, help="Hits to skip.")
@click.option("-m", "--mode", default="auto", help="auto, hybrid, semantic, text, exact or regex.", show_default=True)
@click.option("-p", "--path", "paths", multiple=True, help='Only these path globs; "!" excludes.')
@click.option("-l", "--language", "languages", multiple=True, help="Only these languages.")
@click.option("-k", "--kind", "kinds", multiple=True, help="Only these kinds.")
@click.option("--min-similarity", type=float, help="Floor for hits by meaning, -1 to 1.")
@click.option("-d", "--detail", default="snippets", help="snippets, locations or full.", show_default=True)
@click.option("--max-tokens", type=int, default=0, help="Most tokens in the answer. [default: search.max_tokens]")
@click.option("--explain", is_flag=True, help="Say of each hit what made its score.")
@json_option
@click.pass_obj
def search(overrides: Sequence[str], /, query: str, roots: tuple[str, ...], as_json: bool, **arguments: Any) -> None:
    """Search the code of a directory; its index is made or refreshed first."""
    from mcp_server.command_line import commands

    wanted = commands.SearchArguments(query=query, as_json=as_json, **arguments)
    sys.exit(commands.search(commands.all_roots(roots), overrides, wanted))


@main.command()
@click.argument("texts", nargs=-1)
@click.option("--kind", default="document", help="query or document.", show_default=True)
@click.option("--no-cache", is_flag=True, help="Ask the model even where the vector is known.")
@click.pass_obj
def embed(overrides: Sequence[str], texts: tuple[str, ...], kind: str, no_cache: bool) -> None:
    """Print the vectors of texts as JSON; without texts, of each line of standard input."""
    from mcp_server.command_line import commands

    sys.exit(commands.embed(texts or tuple(sys.stdin.read().splitlines()), overrides, kind=kind, cache=not no_cache))


@main.command()
@root_option
@json_option
@click.pass_obj
def status(overrides: Sequence[str], roots: tuple[str, ...], as_json: bool) -> None:
    """Say what is indexed, how complete and fresh it is."""
    from mcp_server.command_line import commands

    sys.exit(commands.status(commands.all_roots(roots), overrides, as_json=as_json))


@main.command()
@root_option
@click.option(
    "--metrics-port",
    type=click.IntRange(0, 65_535),
    help="Let metrics be scraped at this port of this machine alone; 0: any free one. [default: serve.metrics_port]",
)
@click.pass_obj
def serve(overrides: Sequence[str], roots: tuple[str, ...], metrics_port: int | None) -> None:
    """Serve MCP on standard input and output, for editors and agents."""
    guard = StdoutGuard()  # before anything heavy is imported: stdout is the wire
    from storage.heap import keep_little

    keep_little()
    from mcp_server.roots import serving_roots
    from mcp_server.server import serve as run
    from mcp_server.settings import load

    allowed = serving_roots(roots)
    port = () if metrics_port is None else (f"serve.metrics_port={metrics_port}",)
    run(allowed, load(allowed[0], (*overrides, *port)).settings, own_version(), guard)


@main.command()
@json_option
def metrics(as_json: bool) -> None:
    """Say what your servers count and how long they take: searches, the model, caches, errors, memory."""
    from mcp_server.metrics import commands

    sys.exit(commands.show(as_json=as_json))


@main.command("map")
@click.argument("path", default="", type=click.Path())
@click.option("--root", default="", type=click.Path(), help="The directory to draw. [default: the working directory]")
@click.option(
    "-o", "--output", default="", metavar="FILE", help="Where to write the page. [default: in the cache directory]"
)
@click.option("--open", "show", is_flag=True, help="Show it in the browser.")
@click.pass_obj
def draw_map(overrides: Sequence[str], path: str, root: str, output: str, show: bool) -> None:
    """Draw the indexed code, by meaning, as one page that needs no network, and print the path of the page."""
    from mcp_server.command_line.commands import one_root
    from mcp_server.map.command import draw

    sys.exit(draw(one_root(path or root or "."), overrides, output, own_version(), show=show))


@main.command()
@click.argument("question")
@click.option("--root", default=".", type=click.Path(), help="The project.", show_default=True)
@click.option("-n", "--limit", type=int, default=10, help="Hits to print.", show_default=True)
@click.option("--references", is_flag=True, help="Say of each symbol who uses it.")
@click.option("--serena", "program", default="serena", help="Serena's program.", show_default=True)
@json_option
@click.pass_obj
def serena(overrides: Sequence[str], /, question: str, root: str, as_json: bool, **arguments: Any) -> None:
    """Search, and name the hits as symbols that Serena (a program of its own) knows."""
    from mcp_server.serena.words import Question, ask

    sys.exit(ask(Question(question, Path(root), **arguments), overrides, as_json=as_json))


main.add_command(install)
main.add_command(uninstall)
main.add_command(models)
main.add_command(service)


@main.command()
@click.option("--repair", is_flag=True, help="Index damaged files again.")
@root_option
@json_option
@click.pass_obj
def doctor(overrides: Sequence[str], roots: tuple[str, ...], repair: bool, as_json: bool) -> None:
    """Check the machine, this installation, its index and the clients' files, and say the mend.

    Exit code 1 where there is an error; a warning is none.
    """
    from mcp_server.checks import doctor
    from mcp_server.command_line import commands

    wish = doctor.Wish(commands.all_roots(roots), overrides, own_version(), repair)
    sys.exit(doctor.examine(wish, as_json=as_json))


@main.command()
@root_option
@click.option("--all", "everything", is_flag=True, help="Every index of this user.")
@click.option("--gone", is_flag=True, help="Indexes of directories that no longer exist.")
@click.option("--cache", is_flag=True, help="The vector cache.")
@click.pass_obj
def clean(overrides: Sequence[str], roots: tuple[str, ...], everything: bool, gone: bool, cache: bool) -> None:
    """Delete indexes; the code itself is never touched."""
    from mcp_server.command_line import commands

    sys.exit(commands.clean(roots, overrides, commands.CleanArguments(everything, gone, cache)))


@main.group()
def config() -> None:
    """See the settings."""


@config.command("show")
@root_option
@json_option
@click.pass_obj
def show_config(overrides: Sequence[str], roots: tuple[str, ...], as_json: bool) -> None:
    """Print every setting, its value and where it came from."""
    from mcp_server.command_line import commands
    from mcp_server.settings import load

    sourced = load(commands.all_roots(roots)[0], overrides)
    values = {key: getattr(getattr(sourced.settings, key.split(".")[0]), key.split(".")[1]) for key in sourced.sources}
    if as_json:
        click.echo(json.dumps({key: {"value": value, "source": sourced.sources[key]} for key, value in values.items()}))
        return
    width = max(len(key) + len(json.dumps(value)) for key, value in values.items()) + 3
    for key, value in values.items():
        click.echo(f"{f'{key} = {json.dumps(value)}':{width}}  # {sourced.sources[key]}")


if __name__ == "__main__":
    main(prog_name="codeloupe")
