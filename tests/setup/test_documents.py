"""What the documents tell a reader to type is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mcp_server.cli import main

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "configs" / "README.md",
    ROOT / "docs" / "dependencies.md",
    ROOT / "docs" / "models.md",
]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def _commands(document: Path) -> Iterator[list[str]]:
    """The command lines in a document's shell blocks, prompt and comment taken off."""
    for block in re.findall(r"```(?:sh|console)\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words:
                yield words


COMMANDS = [words for path in DOCUMENTS for words in _commands(path)]


def _of(program: str) -> list[list[str]]:
    return [words[1:] for words in COMMANDS if words[0] == program]


@pytest.mark.parametrize("words", _of("make"), ids=" ".join)
def test_a_make_target_of_the_documents_is_in_the_makefile(words: list[str]) -> None:
    assert set(words[:1]) <= TARGETS


@pytest.mark.parametrize("words", _of("codeloupe"), ids=" ".join)
def test_a_codeloupe_command_of_the_documents_is_understood(words: list[str]) -> None:
    command: click.Command = main
    context = click.Context(command)
    while isinstance(command, click.Group) and (words or not command.invoke_without_command):
        command = command.commands[words[0]]
        words = words[1:]
        context = click.Context(command, parent=context)
    command.parse_args(context, list(words))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_file_a_document_links_to_is_there(document: Path) -> None:
    links = re.findall(r"\]\((?!\w+://|#)([^)#]+)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []
