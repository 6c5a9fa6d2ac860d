"""Rules of the languages of systems: Go, Rust, Zig."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from indexer.definitions.rules import (
    Found,
    child_of,
    field_name,
    follow,
    found,
    named_by,
    rules,
    text_of,
    unquoted,
    without_arguments,
)

if TYPE_CHECKING:
    from indexer.definitions.rules import SyntaxNode

_GO_TYPES = {"struct_type": "struct", "interface_type": "interface"}


def _go_type(node: SyntaxNode) -> Found | None:
    type_node = node.child_by_field_name("type")
    return found(_GO_TYPES.get(type_node.type, "type") if type_node else "type", field_name(node))


def _go_method(node: SyntaxNode) -> Found | None:
    """``Type/Method``, from ``func (t *Type[T]) Method()``."""
    receiver = text_of(follow(node, "receiver", "parameter_declaration", "type")).lstrip("*( ")
    return found("method", f"{without_arguments(receiver)}/{field_name(node)}")


GO = rules(
    "go",
    {
        "function_declaration": "function",
        "method_declaration": _go_method,
        "type_spec": _go_type,
        "type_alias": "type",
        "const_spec": "constant",
        "var_spec": "variable",
        "method_elem": "method",
    },
    bodies="block statement_list struct_type field_declaration_list interface_type var_spec_list",
    wrappers="type_declaration const_declaration var_declaration",
)


def _rust_impl(node: SyntaxNode) -> Found | None:
    """The type that gets the methods, whichever trait they are of."""
    type_node = node.child_by_field_name("type")
    name = without_arguments(text_of(type_node).lstrip("&*").removeprefix("mut ").removeprefix("dyn "))
    return found("impl", name.rpartition("::")[2] or text_of(type_node))


RUST = rules(
    "rust",
    {
        "function_item": "function",
        "function_signature_item": "function",
        "struct_item": "struct",
        "union_item": "struct",
        "enum_item": "enum",
        "trait_item": "trait",
        "impl_item": _rust_impl,
        "mod_item": "module",
        "const_item": "constant",
        "static_item": "variable",
        "type_item": "type",
        "associated_type": "type",
        "macro_definition": "macro",
    },
    bodies="declaration_list field_declaration_list enum_variant_list block",
    groups="foreign_mod_item",
    leading="line_comment block_comment attribute_item",
    constructors="new",
)

_ZIG_CONTAINER = re.compile(r"^(?:packed\s+|extern\s+)?(struct|enum|union|opaque|error)\b")


def _zig_declaration(node: SyntaxNode) -> Found | None:
    """A function, or a constant that may hold a type."""
    function = follow(node, "FnProto", "function")
    if function is not None:
        return found("function", text_of(function))
    name = text_of(follow(node, "VarDecl", "variable_type_function"))
    value = child_of(child_of(node, "VarDecl"), "ErrorUnionExpr")
    container = _ZIG_CONTAINER.match(text_of(value))
    if container:
        return found("enum" if container[1] in {"enum", "error"} else "struct", name)
    return found("constant" if (node.text or b"").startswith(b"const") else "variable", name)


def _zig_test(node: SyntaxNode) -> Found | None:
    return found("test", unquoted(child_of(node, "STRINGLITERALSINGLE", "IDENTIFIER")) or "test")


ZIG = rules(
    "zig",
    {
        "Decl": _zig_declaration,
        "TestDecl": _zig_test,
        "ContainerField": named_by("property", "field_member"),
    },
    bodies="VarDecl ErrorUnionExpr SuffixExpr ContainerDecl Block",
    leading="doc_comment line_comment container_doc_comment",
)

SYSTEMS = {"go": GO, "rust": RUST, "zig": ZIG}
