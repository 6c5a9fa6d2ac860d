"""Rules of the scripting languages: Python, Ruby, PHP, Perl, Lua, Bash, R."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.definitions.rules import (
    Found,
    child_of,
    field_name,
    follow,
    found,
    named_by,
    rules,
    scoped,
    text_of,
    unquoted,
)

if TYPE_CHECKING:
    from indexer.definitions.rules import SyntaxNode


def value_kind(name: str) -> str:
    """A constant by the custom of writing it in capitals, else a variable."""
    return "constant" if name.isupper() else "variable"


def _python_assignment(node: SyntaxNode) -> Found | None:
    """``NAME = value`` and ``name: Type = value``; an assignment to anything else defines nothing."""
    left = node.child_by_field_name("left")
    name = text_of(left) if left is not None and left.type == "identifier" else ""
    return found(value_kind(name), name)


PYTHON = rules(
    "python",
    {
        "class_definition": "class",
        "function_definition": "function",
        "type_alias_statement": named_by("type", "left"),
        "assignment": _python_assignment,
    },
    bodies="block",
    wrappers="decorated_definition",
    groups="if_statement try_statement with_statement else_clause elif_clause except_clause finally_clause",
    leading="comment decorator",
    constructors="__init__ __new__",
)

_RSPEC = frozenset({"describe", "context", "it", "specify", "feature", "scenario", "shared_examples", "test", "should"})


def _ruby_call(node: SyntaxNode) -> Found | None:
    """``describe X do`` and its kin."""
    method = text_of(node.child_by_field_name("method"))
    if method not in _RSPEC or node.child_by_field_name("block") is None:
        return None
    arguments = follow(node, "arguments")
    return found("test", unquoted(arguments.named_children[0]) if arguments and arguments.named_children else "")


def _ruby_class(kind: str, node: SyntaxNode) -> Found | None:
    return found(kind, scoped(field_name(node), "::"))


def _ruby_assignment(node: SyntaxNode) -> Found | None:
    left = node.child_by_field_name("left")
    return Found("constant", text_of(left)) if left is not None and left.type == "constant" else None


RUBY = rules(
    "ruby",
    {
        "module": lambda node: _ruby_class("module", node),
        "class": lambda node: _ruby_class("class", node),
        "method": "method",
        "singleton_method": "method",
        "assignment": _ruby_assignment,
        "call": _ruby_call,
    },
    bodies="body_statement",
    groups="singleton_class if unless begin",
    constructors="initialize",
)


def _php_namespace(node: SyntaxNode) -> Found | None:
    """Only ``namespace X { }``; the form without braces is a line like any other."""
    return found("namespace", field_name(node)) if node.child_by_field_name("body") else None


PHP = rules(
    "php",
    {
        "namespace_definition": _php_namespace,
        "class_declaration": "class",
        "interface_declaration": "interface",
        "trait_declaration": "trait",
        "enum_declaration": "enum",
        "function_definition": "function",
        "method_declaration": "method",
        "property_declaration": lambda node: found(
            "property", text_of(follow(node, "property_element", "variable_name")).lstrip("$")
        ),
        "const_declaration": named_by("constant", "const_element", "name"),
        "enum_case": "constant",
    },
    bodies="declaration_list enum_declaration_list compound_statement",
    groups="if_statement",
    constructors="__construct",
)


def _perl_statement(node: SyntaxNode) -> Found | None:
    """``our $NAME = ...``; a ``my`` at file level is no definition for others."""
    left = follow(node, "assignment_expression", "left")
    text = text_of(left)
    return found("variable", text[4:].lstrip("$@% ")) if text.startswith("our ") else None


PERL = rules(
    "perl",
    {
        "package_statement": "module",
        "class_statement": "class",
        "subroutine_declaration_statement": "function",
        "method_declaration_statement": "method",
        "expression_statement": _perl_statement,
    },
    bodies="block",
    leading="comment pod",
    constructors="new BUILD",
)


def _lua_function(node: SyntaxNode) -> Found | None:
    return found("function", _lua_path(field_name(node)))


def _lua_path(name: str) -> str:
    return scoped(name.replace(":", "."), ".")


def _lua_assignment(node: SyntaxNode) -> Found | None:
    """``name = value`` and ``M.name = function``, of the first name where there are several."""
    inner = child_of(node, "assignment_statement") or node
    name = follow(inner, "variable_list", "name") or child_of(child_of(inner, "variable_list"), "identifier")
    value = follow(inner, "expression_list", "function_definition")
    text = text_of(name)
    return found("function" if value else value_kind(text), _lua_path(text))


LUA = rules(
    "lua",
    {
        "function_declaration": _lua_function,
        "variable_declaration": _lua_assignment,
        "assignment_statement": _lua_assignment,
    },
    bodies="block",
)


def _bash_variable(node: SyntaxNode) -> Found | None:
    assignment = node if node.type == "variable_assignment" else child_of(node, "variable_assignment")
    name = field_name(assignment) if assignment else ""
    return found(value_kind(name), name)


BASH = rules(
    "bash",
    {"function_definition": "function", "declaration_command": _bash_variable, "variable_assignment": _bash_variable},
    bodies="compound_statement",
    groups="if_statement",
)

_R_CALLS = {
    "setClass": "class",
    "setRefClass": "class",
    "setGeneric": "function",
    "setMethod": "method",
    "setValidity": "method",
    "test_that": "test",
    "describe": "test",
    "it": "test",
}


def _r_assignment(node: SyntaxNode) -> Found | None:
    """``name <- function`` and ``name <- value``."""
    left, right = node.child_by_field_name("lhs"), node.child_by_field_name("rhs")
    operator = text_of(node.child_by_field_name("operator"))
    if left is None or right is None or operator not in {"<-", "=", "<<-"}:
        return None
    name = unquoted(left)
    if right.type == "function_definition":
        return found("function", name)
    made = text_of(right.child_by_field_name("function")) if right.type == "call" else ""
    return found("class" if made in {"R6Class", "R6::R6Class", "setRefClass"} else value_kind(name), name)


def _r_call(node: SyntaxNode) -> Found | None:
    kind = _R_CALLS.get(text_of(node.child_by_field_name("function")), "")
    return found(kind, unquoted(follow(node, "arguments", "argument"))) if kind else None


R = rules("r", {"binary_operator": _r_assignment, "call": _r_call}, bodies="braced_expression")

SCRIPTING = {"python": PYTHON, "ruby": RUBY, "php": PHP, "perl": PERL, "lua": LUA, "luau": LUA, "bash": BASH, "r": R}
