"""codeloupe's entry in a client's file: text to text, checked by reading the result. No file is touched here."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Literal

from mcp_server.clients import json_edit, toml_edit
from mcp_server.clients.jsonc import Node, NotJsonError, is_blank, parse

Format = Literal["json", "jsonc", "toml"]
Entry = Mapping[str, Any]

PROGRAM = "codeloupe"
MODULE = "mcp_server.cli"
# What install decides anew each time; whatever else stands in an entry is its user's from then on (env, timeouts, ...).
MANAGED = ("command", "args")
_PACKAGE = re.compile(rf"{PROGRAM}(?=$|[@=<>\[~! ])")  # codeloupe, codeloupe@0.1, codeloupe==0.1, codeloupe[serena]
_STARTER = re.compile(r"uvx?|pipx|py|python[\d.]*|docker|podman")


class NotEditableError(ValueError):
    """A text that cannot be changed as asked; the message is a sentence's end: what it is and what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the entry stands: the file's format, the key of the client's servers, our name among them."""

    format: Format
    key: str
    name: str


def is_ours(entry: Any) -> bool:
    """Whether an entry starts codeloupe: by its command, or as an argument of what starts programs.

    A directory of that name, given to somebody else's server, is none of that.
    """
    if not isinstance(entry, dict):
        return False
    command, arguments = entry.get("command"), entry.get("args")
    words = [word for word in arguments if isinstance(word, str)] if isinstance(arguments, list) else []
    serves = any("serve" in word.split() for word in words)
    names_it = (serves or _is_starter(command)) and any(_PACKAGE.match(word) for word in words)
    return _is_program(command) or MODULE in words or names_it


def _is_program(command: Any) -> bool:
    """Whether a path, of whichever system, ends in our program."""
    return PROGRAM in _names(command)


def _is_starter(command: Any) -> bool:
    return any(_STARTER.fullmatch(name) for name in _names(command))


def _names(command: Any) -> set[str]:
    """What a path may call its program, by the rules of either system."""
    if not isinstance(command, str):
        return set()
    return {path.name.casefold().removesuffix(".exe") for path in (PurePosixPath(command), PureWindowsPath(command))}


def entries_in(text: str, place: Place) -> dict[str, Any]:
    """Every server of a file by name. Raises NotEditableError where it cannot be read."""
    servers = document(text, place).get(place.key, {})
    return servers if isinstance(servers, dict) else {}


def with_entry(text: str, place: Place, entry: Entry, *, force: bool = False) -> str:
    """``text`` with the entry added, or its command and arguments brought up to date, if they are not.

    ``force`` replaces an entry of that name that does not start codeloupe. Raises NotEditableError.
    """
    before = document(text, place)
    old = _servers(before, place).get(place.name)
    if old is not None and not is_ours(old) and not force:
        raise NotEditableError(
            f"has a server named {place.name!r} that does not start codeloupe; "
            "choose another name with --name, or replace it with --force."
        )
    keeps = old if is_ours(old) else None
    new = dict(entry) if keeps is None else {**keeps, **{key: entry[key] for key in MANAGED}}
    if new == old:
        return text
    wanted = copy.deepcopy(before)
    wanted.setdefault(place.key, {})[place.name] = new
    is_toml = place.format == "toml"
    made = _toml_with(text, place, new, old) if is_toml else _json_with(text, place, new, keeps)
    return _checked(made, wanted, place)


def without_entry(text: str, place: Place, *, force: bool = False) -> str:
    """``text`` without the entry; ``text`` itself where there is none of that name. Raises NotEditableError."""
    before = document(text, place)
    old = _servers(before, place).get(place.name)
    if old is None:
        return text
    if not is_ours(old) and not force:
        raise NotEditableError(
            f"has a server named {place.name!r} that does not start codeloupe, so it stays; remove it with --force."
        )
    wanted = copy.deepcopy(before)
    del wanted[place.key][place.name]
    if place.format == "toml":
        if not wanted[place.key] and f"[{place.key}]" not in text:
            del wanted[place.key]
        made = toml_edit.removed(text, (place.key, place.name))
    else:
        root = _parsed(text, place)
        servers = _only(root, place.key).node
        made = json_edit.removed(text, servers, _only(servers, place.name))
    return _checked(made, wanted, place)


def _toml_with(text: str, place: Place, new: Entry, old: Any) -> str:
    path = (place.key, place.name)
    if old is None:
        return toml_edit.added(text, path, new)
    if not is_ours(old):
        return toml_edit.added(toml_edit.removed(text, path), path, new)
    return toml_edit.changed(text, path, {key: new[key] for key in MANAGED})


def _json_with(text: str, place: Place, new: Entry, old: Any) -> str:
    lenient = place.format == "jsonc"
    if is_blank(text, lenient=lenient):
        layout = json_edit.layout_of(text)
        head = text if text.endswith("\n") or not text.strip() else text + layout.newline
        return (
            (head if text.strip() else "") + json_edit.rendered({place.key: {place.name: new}}, layout) + layout.newline
        )
    root = _parsed(text, place)
    layout = json_edit.layout_of(text, root)
    if root.member(place.key) is None:
        return json_edit.inserted(text, root, place.key, {place.name: new}, layout)
    servers = _only(root, place.key).node
    if servers.member(place.name) is None:
        return json_edit.inserted(text, servers, place.name, new, layout)
    if old is None:
        return json_edit.replaced(text, _only(servers, place.name).node, new, layout)
    for key in MANAGED:
        text = _json_value(text, place, key, new[key])
    return text


def _json_value(text: str, place: Place, key: str, value: Any) -> str:
    """One value of the entry that is there."""
    root = _parsed(text, place)
    layout = json_edit.layout_of(text, root)
    entry = _only(_only(root, place.key).node, place.name).node
    member = entry.member(key)
    if member is None:
        return json_edit.inserted(text, entry, key, value, layout)
    return text if member.node.value == value else json_edit.replaced(text, member.node, value, layout)


def document(text: str, place: Place) -> dict[str, Any]:
    """Everything the file says. Raises NotEditableError where that is no object, or its servers are none."""
    if place.format == "toml":
        try:
            says: Any = tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise NotEditableError(f"cannot be read as TOML ({error}); mend that first.") from error
    else:
        says = {} if is_blank(text, lenient=place.format == "jsonc") else _parsed(text, place).value
    if not isinstance(says, dict) or not isinstance(says.get(place.key, {}), dict):
        raise NotEditableError(f"holds something else where the servers should be ({place.key}); mend that first.")
    return says


def _servers(says: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
    servers: Mapping[str, Any] = says.get(place.key, {})
    return servers


def _parsed(text: str, place: Place) -> Node:
    try:
        return parse(text, lenient=place.format == "jsonc")
    except NotJsonError as error:
        raise NotEditableError(f"cannot be read as JSON ({error}); mend that first.") from error


def _only(parent: Node, key: str) -> Any:
    """The one member of that name."""
    found = [member for member in parent.members if member.key == key]
    if len(found) > 1:
        raise NotEditableError(f"has {key!r} twice in one place; take one of them out first.")
    return found[0]


def _checked(made: str, wanted: Mapping[str, Any], place: Place) -> str:
    """What was made, if it says what it should: the last word is the parser's, not the editor's."""
    try:
        if document(made, place) == wanted:
            return made
    except NotEditableError:
        pass
    raise NotEditableError(f"is written in a way that a program does not change; edit {place.key} in it yourself.")
