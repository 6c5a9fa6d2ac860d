"""Writes docs/reference from the code itself: ``python -m tests.setup.reference``, or ``make docs``.

commands.md from click's own help, settings.md from the settings' definitions, tools.md from what a server tells its
clients. Nothing is explained here: a word that is missing there is missing in the program's own help.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_args, get_origin

import click

from mcp_server.checks.conversation import CLIENT, LEGACY, Conversation
from mcp_server.cli import main
from mcp_server.settings import ENV_ALIASES, ENV_PREFIX, PROJECT_SECTIONS, Settings
from tests.e2e.homes import MODULE, Home
from tests.e2e.wire import PATIENCE_S

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
WRITTEN = "Written from the code (`make docs`); a test holds it to that.\n"
LIMITS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}"}

COMMANDS = f"""\
# Commands

{WRITTEN}
Exit codes are grep's: 0 found or done, 1 nothing found (`doctor`: something is wrong), 2 an error, said in one sentence
on stderr; 130 after Ctrl-C. What is printed on a terminal with colours is plain text in a pipe, and JSON with `--json`.
"""

SETTINGS = f"""\
# Settings

{WRITTEN}
A setting is written `section.key`. Later places win: the defaults, your own file (`codeloupe config show` says where it
is), the project's `.codeloupe.toml`, the environment, `--set section.key=value`. A project's file may hold
{" and ".join(f"`[{section}]`" for section in sorted(PROJECT_SECTIONS))} only: it comes with somebody's repository.
"""

TOOLS = f"""\
# What a server offers

{WRITTEN}
`codeloupe serve` speaks the Model Context Protocol over stdio. A client is told this first:

"""


def documents() -> dict[Path, str]:
    """Every page of the reference, by where it belongs."""
    return {
        REFERENCE / "commands.md": COMMANDS + "".join(_command(main, click.Context(main, info_name="codeloupe"))),
        REFERENCE / "settings.md": SETTINGS + "".join(_section(name, model) for name, model in Settings()),
        REFERENCE / "tools.md": TOOLS + _offers(),
    }


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    """A command and those below it."""
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"\n## {context.command_path}\n\n{_prose(command.help or '')}\n\n```text\n{usage}\n```\n"
    records = [record for one in command.get_params(context) if (record := one.get_help_record(context))]
    rows = [(f"`{names}`", said) for names, said in records if said and not names.endswith("--help")]
    if rows:
        yield "\n" + _table(("option", "what it does"), rows)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.commands[name]
            if not inner.hidden:
                yield from _command(inner, click.Context(inner, parent=context, info_name=name))


def _section(name: str, model: BaseModel) -> str:
    rows = [
        (
            f"`{name}.{key}`",
            f"`{json.dumps(getattr(model, key))}`",
            allowed(field),
            f"`{variable(name, key)}`",
            field.description or "",
        )
        for key, field in type(model).model_fields.items()
    ]
    head = ("setting", "default", "allowed", "environment", "what it is")
    return f"\n## {name}\n\n{_prose(type(model).__doc__ or '')}\n\n{_table(head, rows)}"


def allowed(field: FieldInfo) -> str:
    """What a value may be, in a word or two."""
    kind: Any = field.annotation
    if get_args(kind) and get_origin(kind) is not tuple:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    limits = [LIMITS[name].format(f"{value:,}") for rule in field.metadata for name, value in _limits(rule)]
    name = (
        "list of text"
        if get_origin(kind) is tuple
        else {"str": "text", "float": "number", "int": "whole number"}.get(kind.__name__, kind.__name__)
    )
    return ", ".join([name.replace("bool", "true, false"), *limits])


def _limits(rule: object) -> Iterator[tuple[str, Any]]:
    return ((name, getattr(rule, name)) for name in LIMITS if getattr(rule, name, None) is not None)


def variable(section: str, key: str) -> str:
    """The environment variable of a setting: the owner's own name for it, where there is one, comes beside it."""
    own = next((f"`, `{name}" for name, dotted in ENV_ALIASES.items() if dotted == f"{section}.{key}"), "")
    return f"{ENV_PREFIX}{section.upper()}_{key.upper()}{own}"


def _offers() -> str:
    """What a server tells a client, asked over its pipes."""
    with TemporaryDirectory() as directory:
        home = Home(Path(directory), Path(directory))
        line = [*MODULE, "serve", "--root", directory]
        with Conversation(line, Path(directory), home.environment(CODELOUPE_MODEL_NAME="none")) as server:
            asked = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": CLIENT}
            introduction = _result(server, "initialize", asked)["instructions"]
            tools = _result(server, "tools/list")["tools"]
            prompts = _result(server, "prompts/list")["prompts"]
            templates = _result(server, "resources/templates/list")["resourceTemplates"]
            server.hang_up(PATIENCE_S)
    parts = [f"> {introduction}\n", *map(_tool, tools), *map(_prompt, prompts), *map(_template, templates)]
    return "".join(parts)


def _result(server: Conversation, method: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    answer = server.ask(method, params or {}, PATIENCE_S)
    assert answer is not None, server.errors.decode()
    return dict(answer["result"])


def _tool(told: Mapping[str, Any]) -> str:
    return f"\n## {told['name']}\n\n{_prose(told['description'])}\n{_arguments(told['inputSchema'])}"


def _template(told: Mapping[str, Any]) -> str:
    return f"\n## Resource `{told['uriTemplate']}`\n\n{_prose(told.get('description', ''))}\n"


def _arguments(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        (
            f"`{name}`",
            _type(told),
            "required" if name in required else f"`{json.dumps(told.get('default'))}`",
            told.get("description", ""),
        )
        for name, told in schema.get("properties", {}).items()
    ]
    head = ["argument", "type", "default", "what it is"]
    if not any(row[3] for row in rows):  # the text above says it
        head, rows = head[:3], [row[:3] for row in rows]
    return "\n" + _table(head, rows) if rows else "\nIt takes no arguments.\n"


def _type(told: Mapping[str, Any]) -> str:
    if "enum" in told:
        return ", ".join(f"`{value}`" for value in told["enum"])
    inner = told.get("items", {}).get("type", "")
    return f"list of {inner}" if inner else str(told.get("type", ""))


def _prompt(told: Mapping[str, Any]) -> str:
    rows = [
        (f"`{one['name']}`", "required" if one.get("required") else "optional", one.get("description") or "")
        for one in told.get("arguments") or []
    ]
    table = f"\n{_table(('argument', '', 'what it is'), rows)}" if rows else ""
    return f"\n## Prompt `{told['name']}`\n\n{_prose(told.get('description') or '')}\n{table}"


def _prose(text: str) -> str:
    """A docstring as paragraphs."""
    paragraphs = re.split(r"\n\s*\n", text.replace("\b", "").strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(
        "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in line) + " |\n" for line in lines
    )


if __name__ == "__main__":
    for path, text in documents().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
