"""Rules for a grammar nobody wrote rules for, read off the names of its node types.

Grammars name things alike: ``function_definition``, ``struct_item``, ``module_declaration``. What is called so and
has a name is taken as a definition.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from indexer.definitions.rules import Found, Rules, field_name, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from indexer.definitions.rules import SyntaxNode

_KINDS = (  # the first word found in a type's name decides
    ("constructor", "constructor"),
    ("method", "method"),
    ("interface", "interface"),
    ("protocol", "interface"),
    ("trait", "trait"),
    ("class", "class"),
    ("contract", "class"),
    ("struct", "struct"),
    ("record", "struct"),
    ("message", "struct"),
    ("enum", "enum"),
    ("namespace", "namespace"),
    ("package", "module"),
    ("module", "module"),
    ("service", "interface"),
    ("macro", "macro"),
    ("func", "function"),
    ("proc", "function"),
    ("subroutine", "function"),
    ("rpc", "method"),
    ("task", "function"),
    ("type", "type"),
    ("const", "constant"),
    ("variable", "variable"),
    ("section", "section"),
    ("rule", "rule"),
    ("table", "table"),
)
_DEFINES = re.compile(
    r"(definition|declaration|def|decl|item|(?:function|class|enum|interface|sub\w*|proc\w*)_statement|block|section|rule)$"
)
_BARE = frozenset(
    {"class", "module", "method", "function", "section", "rule", "struct", "enum", "service", "message", "rpc"}
    | {"procedure", "subroutine", "contract", "entity", "program", "task"}
)
_BODY = re.compile(r"(^|_)(body|block|declarations|members|definitions|statements|procedures|list)$")
_NAME = re.compile(r"(name|identifier|ident|symbol)$")
_NOT = re.compile(r"(^|_)(type_identifier|call|use|import|return|if|for|while|expression)(_|$)")


def derive_rules(grammar: str, node_types: Iterable[str]) -> Rules:
    """Rules guessed from a grammar's named node types."""
    types = list(node_types)
    heads = {f"{name}_statement" for name in types}  # a "module_statement" is the first line of a "module"
    definitions = {name: partial(_guess, kind) for name in types if name not in heads and (kind := _kind(name))}
    bodies = frozenset(name for name in types if name not in definitions and _BODY.search(name))
    leading = frozenset(name for name in types if re.search(r"comment|attribute$|annotation$|decorator", name))
    return Rules(grammar, definitions, bodies | {"ERROR"}, leading=leading)


def _kind(node_type: str) -> str:
    """The kind a node type's name speaks of, "" for none."""
    if _NOT.search(node_type) or not (node_type in _BARE or _DEFINES.search(node_type)):
        return ""
    return next((kind for word, kind in _KINDS if word in node_type), "")


def _guess(kind: str, node: SyntaxNode) -> Found | None:
    """Named by its field, or by the nearest node below that looks like a name."""
    name = field_name(node) or text_of(_nearest_name(node))
    return Found(kind, name) if name and len(name) <= 200 else None


def _nearest_name(node: SyntaxNode) -> SyntaxNode | None:
    """Level by level, among the first few children: ``function_definition > declaration > identifier``."""
    level = list(node.named_children[:4])
    for _ in range(3):
        name = next((child for child in level if _NAME.search(child.type)), None)
        if name is not None:
            return name
        level = [
            child.child_by_field_name("name") or grandchild
            for child in level[:4]
            for grandchild in child.named_children[:3]
        ]
    return None
