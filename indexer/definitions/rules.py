"""What a language's rules are made of, and the ways to find a definition's name.

Rules speak of node types of a tree-sitter grammar; nothing here loads one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol


class SyntaxNode(Protocol):
    """What is asked of a node of a tree; tree_sitter.Node has it all."""

    @property
    def type(self) -> str:
        """The grammar's word for it; for a keyword or punctuation, its text."""

    @property
    def text(self) -> bytes | None:
        """Its source."""

    @property
    def start_byte(self) -> int:
        """Where it begins."""

    @property
    def end_byte(self) -> int:
        """Where it ends, exclusive."""

    @property
    def named_children(self) -> Sequence[SyntaxNode]:
        """Its children without punctuation and keywords."""

    @property
    def children(self) -> Sequence[SyntaxNode]:
        """All its children."""

    def child_by_field_name(self, name: str, /) -> SyntaxNode | None:
        """The first child in a field."""


@dataclass(frozen=True, slots=True)
class Found:
    """A definition: its kind, and its name with ``/`` between the scopes the definition itself states."""

    kind: str
    name: str


Finder = Callable[[SyntaxNode], Found | None]
Rule = str | Finder  # a kind, for nodes with a field "name"; or a function that looks closer


@dataclass(frozen=True, slots=True)
class Rules:
    """Which nodes of a grammar define something, and which are passed through on the way to them."""

    grammar: str
    definitions: Mapping[str, Rule]
    bodies: frozenset[str] = frozenset()  # replaced by their children
    wrappers: frozenset[str] = frozenset()  # around one definition, and part of it: export, decorators, template
    groups: frozenset[str] = frozenset()  # kept whole where small, but their definitions count: #ifdef, try
    leading: frozenset[str] = frozenset()  # belong to what follows directly: comments, attributes
    following: frozenset[str] = frozenset()  # belong to the definition directly before: a body apart from its signature
    constructors: frozenset[str] = frozenset()  # names of methods that construct
    embedded: Mapping[str, Finder] = field(default_factory=dict)  # nodes in another language: Found.kind names it


def rules(grammar: str, definitions: Mapping[str, Rule], **words: str) -> Rules:
    """Rules whose sets of node types (``bodies``, ``wrappers``, ...) are given as words in a string."""
    sets = {name: frozenset(text.split()) for name, text in words.items()}
    sets["bodies"] = sets.get("bodies", frozenset()) | {"ERROR"}  # what did not parse may still hold definitions
    return replace(Rules(grammar, definitions, leading=frozenset({"comment"})), **sets)  # type: ignore[arg-type]


def text_of(node: SyntaxNode | None) -> str:
    """A node's text on one line, "" for none."""
    if node is None or node.text is None:
        return ""
    return " ".join(node.text.decode("utf-8", "replace").split())


def field_name(node: SyntaxNode) -> str:
    """The text of the field "name"."""
    return text_of(node.child_by_field_name("name"))


def child_of(node: SyntaxNode | None, *types: str) -> SyntaxNode | None:
    """The first named child of one of the types."""
    return next((child for child in node.named_children if child.type in types), None) if node else None


def follow(node: SyntaxNode | None, *path: str) -> SyntaxNode | None:
    """The node at the end of a path of fields or, where there is no such field, of child types."""
    for step in path:
        if node is None:
            return None
        node = node.child_by_field_name(step) or child_of(node, step)
    return node


def has_token(node: SyntaxNode, *tokens: str) -> bool:
    """Whether one of a node's children is one of the keywords."""
    return any(child.type in tokens for child in node.children)


def found(kind: str, name: str) -> Found | None:
    """A definition, if it has a name."""
    return Found(kind, name) if name else None


def named_by(kind: str, *path: str) -> Finder:
    """A definition named by the text at the end of a path."""
    return lambda node: found(kind, text_of(follow(node, *path)))


def called(kind: str, name: str) -> Finder:
    """A definition that has no name of its own, as ``init`` or ``constructor``."""
    return lambda _node: Found(kind, name)


def unquoted(node: SyntaxNode | None) -> str:
    """The text of a string without its quotes."""
    return text_of(node).strip("\"'`")


def scoped(name: str, separator: str) -> str:
    """``A::b`` or ``a.b`` as a path."""
    return "/".join(part.strip() for part in name.split(separator) if part.strip())


def without_arguments(name: str) -> str:
    """A type's or function's name without its ``<...>``, ``[...]`` or ``{...}``."""
    return re.split(r"[<\[{(]", name, maxsplit=1)[0].strip()
