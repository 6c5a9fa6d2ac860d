"""`codeloupe models`: what there is, and fetching it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import click

from embedding.model import KNOWN_MODELS, ModelSpec, spec_for
from embedding.sources import locate, models_directory, obtain
from mcp_server.home import data_directory
from mcp_server.settings import load


def show(overrides: Sequence[str], *, as_json: bool) -> int:
    """List the known models; the configured one is marked."""
    model = load(None, overrides).settings.model
    directory = models_directory(model, data_directory())
    rows = [
        _row(spec, str(locate(spec, directory) or ""), chosen=spec.name == model.name) for spec in KNOWN_MODELS.values()
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return 0
    for row in rows:
        place = row["path"] or "not here; codeloupe models pull " + str(row["name"])
        mark = "*" if row["chosen"] else " "
        click.echo(f"{mark} {row['name']:24} {row['dimension']:>5} dimensions  {row['licence']:18} {place}")
    return 0


def pull(overrides: Sequence[str], name: str) -> int:
    """Fetch one model; says where it is."""
    model = load(None, overrides).settings.model
    if not name and model.name == "none":
        click.echo("model.name is none: nothing to fetch.")
        return 0
    spec = spec_for(name or model.name)
    directory = models_directory(model, data_directory())
    had = locate(spec, directory)
    path = obtain(spec, directory, _say if sys.stderr.isatty() else None)
    click.echo(f"{spec.name} {'is' if had else 'was fetched and is'} at {path}.")
    return 0


def _row(spec: ModelSpec, path: str, *, chosen: bool) -> dict[str, object]:
    return {"name": spec.name, "dimension": spec.dim, "licence": spec.licence, "path": path, "chosen": chosen}


def _say(what: str, done: int, total: int) -> None:
    share = f" of {total / 2**20:.1f}" if total else ""
    click.echo(f"\r{what}: {done / 2**20:.1f}{share} MiB ", nl=False, err=True)
    if total and done >= total:
        click.echo(err=True)
