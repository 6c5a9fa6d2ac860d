"""What a language's rules are made of, and the ways to find a definition's name.

Rules speak of node types of a tree-sitter grammar; nothing here loads one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class SyntaxNode(Protocol):
    """What rules may ask of a node; tree_sitter.Node has it all."""

    @property
    def type(self) -> str:
        """The grammar's word for it."""

    @property
    def text(self) -> bytes | None:
        """Its source."""

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
    constructors: frozenset[str] = frozenset()  # names of methods that construct


def rules(  # noqa: PLR0913, one keyword for each set of node types
    grammar: str,
    definitions: Mapping[str, Rule],
    *,
    bodies: str = "",
    wrappers: str = "",
    groups: str = "",
    leading: str = "comment",
    constructors: str = "",
) -> Rules:
    """Rules with their node types as words in a string, which reads better than eight sets."""
    words = [frozenset(text.split()) for text in (bodies, wrappers, groups, leading, constructors)]
    return Rules(grammar, definitions, words[0] | {"ERROR"}, words[1], words[2], words[3], words[4])


def text_of(node: SyntaxNode | None) -> str:
    """A node's text on one line, "" for none."""
    if node is None or node.text is None:
        return ""
    return " ".join(node.text.decode("utf-8", "replace").split())


def field_name(node: SyntaxNode) -> str:
    """The text of the field "name"."""
    return text_of(node.child_by_field_name("name"))


def child_of(node: SyntaxNode, *types: str) -> SyntaxNode | None:
    """The first named child of one of the types."""
    return next((child for child in node.named_children if child.type in types), None)


def named_by(kind: str, *path: str) -> Finder:
    """A definition named by the text at the end of a path of fields or, where there is no such field, child types."""

    def find(node: SyntaxNode) -> Found | None:
        here: SyntaxNode | None = node
        for step in path:
            here = (here.child_by_field_name(step) or child_of(here, step)) if here else None
        name = text_of(here)
        return Found(kind, name) if name else None

    return find
