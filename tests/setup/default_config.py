"""Writes configs/default.toml from the settings' own definitions: ``python -m tests.setup.default_config``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcp_server.settings import Settings

if TYPE_CHECKING:
    from pydantic import BaseModel

ROOT = Path(__file__).parents[2]
DEFAULT_FILE = ROOT / "configs" / "default.toml"

HEADER = """\
# Every setting with its default; written from the settings' definitions (python -m tests.setup.default_config).
# Copy what you want to change to your own settings file; `codeloupe config show` says where that is.
"""


def render() -> str:
    """The whole file."""
    return HEADER + "".join(_section(name, model) for name, model in Settings())


def _section(name: str, model: BaseModel) -> str:
    settings = "".join(
        f"# {field.description}\n{key} = {_literal(getattr(model, key))}\n"
        for key, field in type(model).model_fields.items()
    )
    return f"\n# {type(model).__doc__}\n[{name}]\n{settings}"


def _literal(value: Any) -> str:
    """TOML and JSON agree on text, numbers, truth and lists of them."""
    return json.dumps(value)


if __name__ == "__main__":
    DEFAULT_FILE.write_text(render(), encoding="utf-8", newline="\n")
