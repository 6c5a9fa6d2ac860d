"""Options that several commands take."""

from __future__ import annotations

import click

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")

root_option = click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(),
    help="A directory to search; may be repeated. [default: the working directory]",
)
