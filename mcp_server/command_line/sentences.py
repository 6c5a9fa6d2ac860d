"""The group of all commands: expected errors as one line on stderr, an end at once, and nobody else's packages."""

from __future__ import annotations

import errno
import importlib.util
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click

PACKAGES = ("mcp_server", "indexer", "embedding", "storage")


class Sentences(click.Group):
    """A group whose expected errors are one line on stderr and exit code 2."""

    def __call__(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Be the whole process, and end it once all is said: taking the interpreter apart is 70 ms for nothing."""
        code: object = 0
        try:
            try:
                self.main(*args, **kwargs)
            except SystemExit as end:
                code = end.code
            if sys.stdout:
                sys.stdout.flush()
        except OSError:
            if (why := _unwritable()) is None:
                raise  # a bug, and to be seen as one
            code = _said(why)
        with suppress(OSError, AttributeError):  # it may be closed, or never have been open
            sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))

    def invoke(self, context: click.Context) -> Any:
        """Run the command; what it raises of our own becomes a line."""
        refuse_strangers(context)
        from mcp_server.errors import EXPECTED

        try:
            return super().invoke(context)
        except EXPECTED as error:
            click.echo(f"codeloupe: {error}", err=True)
            context.exit(2)
        except KeyboardInterrupt:
            click.echo("codeloupe: stopped; what was done is kept.", err=True)
            context.exit(130)
        except BrokenPipeError:
            # The reader has seen enough; what is left to be flushed goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            context.exit(0)


def _unwritable() -> OSError | None:
    """Why standard output takes no more, asked with an empty line; None where it does."""
    try:
        if sys.stdout:  # None where it was closed before the start: then 1 may be a file of ours
            os.write(1, b"\n")
    except OSError as error:
        return error
    return None


def _said(error: OSError) -> int:
    """Say so, and the exit code; to a reader that has gone there is nothing to be said."""
    if isinstance(error, BrokenPipeError) or (sys.platform == "win32" and error.errno == errno.EINVAL):
        return 0
    with suppress(OSError):
        click.echo(f"codeloupe: The output cannot be written: {error.strerror}; send it elsewhere.", err=True)
    return 2


def refuse_strangers(context: click.Context) -> None:
    """Do not run with somebody else's ``storage`` in place of ours: the four package names are common words.

    Looks before any of them is imported.
    """
    homes = {name: _home(name) for name in PACKAGES}
    strangers = {name: home for name, home in homes.items() if home != homes["mcp_server"]}
    if strangers:
        name, home = next(iter(strangers.items()))
        click.echo(
            f"codeloupe: The package {name!r} would be loaded from {home}, not from codeloupe; "
            "unset PYTHONPATH or run the installed command.",
            err=True,
        )
        context.exit(2)


def _home(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).resolve().parent.parent if spec and spec.origin else None
