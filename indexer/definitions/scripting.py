"""Rules of the scripting languages: Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.definitions.rules import Found, rules, text_of

if TYPE_CHECKING:
    from indexer.definitions.rules import SyntaxNode


def _python_statement(node: SyntaxNode) -> Found | None:
    """``NAME = value`` and ``name: Type = value``; other statements define nothing."""
    inner = node.named_children[0] if node.named_children else None
    left = inner.child_by_field_name("left") if inner and inner.type == "assignment" else None
    if left is None or left.type != "identifier":
        return None
    name = text_of(left)
    return Found("constant" if name.isupper() else "variable", name)


PYTHON = rules(
    "python",
    {
        "class_definition": "class",
        "function_definition": "function",
        "type_alias_statement": lambda node: Found("type", text_of(node.child_by_field_name("left"))),
        "expression_statement": _python_statement,
    },
    bodies="block",
    wrappers="decorated_definition",
    groups="if_statement try_statement with_statement else_clause elif_clause except_clause finally_clause",
    leading="comment decorator",
    constructors="__init__ __new__",
)

SCRIPTING = {"python": PYTHON}
