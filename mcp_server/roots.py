"""Which directories may be read: named ones, else the client's project, else the working directory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from mcp_server.errors import RequestError

PROJECT_VARIABLE = "CLAUDE_PROJECT_DIR"  # set by Claude Code for the servers it starts


def serving_roots(named: Iterable[str], environ: Mapping[str, str] = os.environ) -> list[Path]:
    """The allowed roots of a server, resolved, without doubles; at least one.

    Raises RequestError for one that is missing, no directory, or closed to us.
    """
    wanted = list(named) or [environ.get(PROJECT_VARIABLE) or str(Path.cwd())]
    return list(dict.fromkeys(checked_root(path) for path in wanted))


def checked_root(path: str) -> Path:
    """The directory ``path`` names, resolved."""
    root = Path(path).expanduser()
    try:
        resolved = root.resolve(strict=True)
        if not resolved.is_dir():
            raise RequestError(f"{path} is a file, not a directory; name the directory that holds it.")
        os.scandir(resolved).close()
    except FileNotFoundError as error:
        raise RequestError(f"{path} does not exist; check the path given as root.") from error
    except PermissionError as error:
        raise RequestError(
            f"{path} may not be read by this user; change its permissions or name another root."
        ) from error
    except (OSError, ValueError) as error:
        raise RequestError(f"{path!r} cannot be used as a root ({error}); name another directory.") from error
    return resolved
