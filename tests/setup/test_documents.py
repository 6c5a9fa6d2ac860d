"""What the documents tell a reader to type, to set and to open is there."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest

from mcp_server.cli import main
from mcp_server.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "configs" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
CLIENTS = {
    page: file
    for file in sorted((ROOT / "configs" / "clients").iterdir())
    if (page := ROOT / "docs" / "clients" / f"{file.name.partition('.')[0]}.md")
}
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
SETTINGS = {name: set(type(model).model_fields) for name, model in Settings()}
# Names that look like settings, of control groups.
NO_SETTINGS = {"memory.max", "memory.high", "memory.limit_in_bytes", "memory.stat"}
FILE_ENDINGS = {"py", "ts", "json", "safetensors"}
# What others say, which troubleshooting.md quotes.
OF_OTHERS = {
    "Permission denied",
    "codeloupe: command not found",
    "spawn codeloupe ENOENT",
    "illegal instruction",
    "No space left",
    "Too many open files",
    "git",
    "SIGILL",
    ".env",
    ".netrc",
}


def _named(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


@cache
def _text(document: Path) -> str:
    return document.read_text(encoding="utf-8")


@cache
def _prose(document: Path) -> str:
    """A document without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", _text(document), flags=re.DOTALL | re.MULTILINE)


def _commands(document: Path) -> Iterator[list[str]]:
    """The command lines in a document's shell blocks, prompt and comment taken off."""
    for block in re.findall(r"```(?:sh|console)\n(.*?)```", _text(document), re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words:
                yield words


def _inline(document: Path) -> list[str]:
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", _prose(document))]


def _mentioned(program: str) -> list[list[str]]:
    """What is to be typed, in blocks and in running text; each once."""
    typed = [words for path in DOCUMENTS for words in _commands(path) if words[0] == program]
    said = [code for path in DOCUMENTS for code in _inline(path) if code.startswith(f"{program} ") and "|" not in code]
    return [list(line) for line in dict.fromkeys(map(tuple, [*typed, *map(_words, said)]))]


def _words(code: str) -> list[str]:
    try:
        return [word for word in shlex.split(code) if word not in ("...", "…")]
    except ValueError:
        return code.split()


@pytest.mark.parametrize("words", [words[1:] for words in _mentioned("make")], ids=" ".join)
def test_a_make_target_of_the_documents_is_in_the_makefile(words: list[str]) -> None:
    assert set(words[:1]) <= TARGETS


@pytest.mark.parametrize("words", [words[1:] for words in _mentioned("codeloupe")], ids=" ".join)
def test_a_codeloupe_command_of_the_documents_is_understood(words: list[str]) -> None:
    command: click.Command = main
    context = click.Context(command)
    while isinstance(command, click.Group) and words and words[0] in command.commands:
        command = command.commands[words[0]]
        words = words[1:]
        context = click.Context(command, parent=context)
    assert not isinstance(command, click.Group) or not words or words[0].startswith("-"), words
    if not isinstance(command, click.Group):
        command.parse_args(context, list(words))


@pytest.mark.parametrize("words", _mentioned("python"), ids=" ".join)
def test_a_module_that_the_documents_run_is_there(words: list[str]) -> None:
    if "-m" in words:
        path = ROOT.joinpath(*words[words.index("-m") + 1].split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file() or words[words.index("-m") + 1] == "pytest"


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_a_setting_of_the_documents_can_be_set(document: Path) -> None:
    named = [re.match(r"(\w+)\.(\w+)(?: = .*)?$", code) for code in _inline(document)]
    pairs = [found.groups() for found in named if found and found[2] not in FILE_ENDINGS]
    wrong = {f"{section}.{key}" for section, key in pairs if key not in SETTINGS.get(section, {key})}
    assert wrong - NO_SETTINGS == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_what_a_document_links_to_is_there(document: Path) -> None:
    missing = []
    for link in re.findall(r"\]\((?!\w+://)([^)\s]+)\)", _prose(document)):
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            missing.append(link)
    assert missing == []


@cache
def _anchors(document: Path) -> set[str]:
    """The names that a forge gives to headings."""
    heads = re.findall(r"^#+ (.+)$", _prose(document), re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", head).replace("`", "").lower() for head in heads]
    return {re.sub(r"[^\w\- ]", "", head).replace(" ", "-") for head in plain}


@pytest.mark.parametrize("document", sorted((ROOT / "docs").rglob("*.md")), ids=_named)
def test_every_page_is_linked_from_another(document: Path) -> None:
    others = (path for path in DOCUMENTS if path != document)
    links = ((path.parent / link.partition("#")[0]).resolve() for path in others for link in _links(path))
    assert document.resolve() in links


def _links(document: Path) -> list[str]:
    return re.findall(r"\]\((?!\w+://|#)([^)\s]+)\)", _prose(document))


@pytest.mark.parametrize("page", CLIENTS, ids=_named)
def test_the_file_that_a_clients_page_shows_is_the_one_to_copy(page: Path) -> None:
    kind, block = re.findall(r"^## By hand$.*?```(json|toml)\n(.*?)```", _text(page), re.DOTALL | re.MULTILINE)[0]
    assert _parsed(kind, block) == _parsed(kind, _text(CLIENTS[page]))


def _parsed(kind: str, text: str) -> Any:
    return json.loads(text) if kind == "json" else tomllib.loads(text)


def _is_of_others(code: str) -> bool:
    return code in OF_OTHERS or code.startswith("codeloupe ")


def _quoted() -> list[str]:
    """What troubleshooting.md says that a user sees, between the dots of what differs."""
    symptoms, _, _ = _prose(ROOT / "docs" / "troubleshooting.md").partition("## What doctor looks at")
    cells = re.findall(r"^\| ([^|]+) \|", symptoms, re.MULTILINE)
    codes = [code for cell in cells for code in re.findall(r"`([^`]+)`", cell) if not _is_of_others(code)]
    return [part.strip() for code in codes for part in code.split("...") if len(part.strip()) > 2]


@cache
def _source() -> str:
    """All that the program can say, literals that are written in parts put together."""
    files = [path for name in ("mcp_server", "indexer", "embedding", "storage") for path in (ROOT / name).rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*files, ROOT / "requirements" / "install.sh"])
    return re.sub(r'"\s*\n\s*f?"', "", text)


@pytest.mark.parametrize("said", _quoted())
def test_what_a_user_is_said_to_see_is_what_the_program_says(said: str) -> None:
    assert said in _source()


PACKAGES = ("mcp_server", "indexer", "embedding", "storage")
IN_EVERY_PACKAGE = {"__init__", "errors", "settings"}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_has_its_row_in_the_table_of_rooms_and_each_row_its_modules(package: str) -> None:
    cells = re.findall(rf"^\| (`{package}/[^|]+) \|", _text(ROOT / "docs" / "architecture.md"), re.MULTILINE)
    told = {name.removeprefix(f"{package}/") for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    files = {f"{path.stem}.py" for path in (ROOT / package).glob("*.py") if path.stem not in IN_EVERY_PACKAGE}
    folders = {f"{path.name}/" for path in (ROOT / package).iterdir() if path.is_dir() and path.name[0] not in "_."}
    assert {name for name in told if name not in ("errors.py", "settings.py")} == files | folders


# Rooms of one kind of thing: a language, a client, a signal, a place to look at.
UNLISTED = {"answers", "checks", "clients", "definitions", "map", "ranking"}


@pytest.mark.parametrize(
    "room", [f"{package}/{path.parent.name}" for package in PACKAGES for path in (ROOT / package).glob("*/__init__.py")]
)
def test_every_module_of_a_room_is_told_in_its_row(room: str) -> None:
    package, name = room.split("/")
    (row,) = re.findall(
        rf"^\| `{package}/[^|]*\b{name}/`[^|]* \| (.*)", _text(ROOT / "docs/architecture.md"), re.MULTILINE
    )
    told = set(re.findall(r"`(\w+\.py)`", row))
    here = {path.name for path in (ROOT / room).glob("*.py")} - {"__init__.py"}
    assert told <= here
    assert name in UNLISTED or told == here
