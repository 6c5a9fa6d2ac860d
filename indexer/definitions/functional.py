"""Rules of the functional languages, and of Julia: Haskell, OCaml, Elixir."""

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
    scoped,
    text_of,
    unquoted,
    without_arguments,
)

if TYPE_CHECKING:
    from indexer.definitions.rules import SyntaxNode


def _haskell_instance(node: SyntaxNode) -> Found | None:
    """``Class Type``, as the instance is written."""
    return found("impl", f"{field_name(node)} {text_of(node.child_by_field_name('patterns'))}".strip())


def _haskell_signature(node: SyntaxNode) -> Found | None:
    names = node.child_by_field_name("name") or child_of(node, "binding_list")
    return found("function", text_of(names).partition(",")[0])


HASKELL = rules(
    "haskell",
    {
        "header": named_by("module", "module"),
        "data_type": "type",
        "newtype": "type",
        "type_synomym": "type",
        "type_family": "type",
        "data_family": "type",
        "class": "class",
        "instance": _haskell_instance,
        "signature": _haskell_signature,
        "function": "function",
        "bind": "function",
        "pattern_synonym": named_by("function", "equation", "synonym"),
    },
    bodies="declarations class_declarations instance_declarations imports",
    leading="haddock comment pragma",
)


def _ocaml_value(node: SyntaxNode) -> Found | None:
    """A ``let``: a function where it takes something."""
    binding = child_of(node, "let_binding")
    pattern = binding.child_by_field_name("pattern") if binding else None
    if binding is None or pattern is None or pattern.type not in {"value_name", "parenthesized_operator"}:
        return None
    body = binding.child_by_field_name("body")
    is_function = child_of(binding, "parameter") or (body is not None and body.type.startswith("fun"))
    return found("function" if is_function else "constant", text_of(pattern))


def _ocaml_specification(node: SyntaxNode) -> Found | None:
    type_node = node.child_by_field_name("type")
    is_function = type_node is not None and type_node.type == "function_type"
    return found(
        "function" if is_function else "constant", text_of(child_of(node, "value_name", "parenthesized_operator"))
    )


_OCAML = {
    "value_definition": _ocaml_value,
    "value_specification": _ocaml_specification,
    "external": named_by("function", "value_name"),
    "type_definition": named_by("type", "type_binding", "name"),
    "exception_definition": named_by("type", "constructor_declaration", "constructor_name"),
    "module_definition": named_by("module", "module_binding", "module_name"),
    "module_type_definition": named_by("interface", "module_type_name"),
    "class_definition": named_by("class", "class_binding", "class_name"),
    "class_type_definition": named_by("interface", "class_type_binding", "class_type_name"),
    "method_definition": named_by("method", "method_name"),
}
_OCAML_BODIES = "module_binding structure signature class_binding object_expression"
OCAML = rules("ocaml", _OCAML, bodies=_OCAML_BODIES)
OCAML_INTERFACE = rules("ocaml_interface", _OCAML, bodies=_OCAML_BODIES)

_ELIXIR = {
    "defmodule": "module",
    "defprotocol": "interface",
    "defimpl": "impl",
    "def": "function",
    "defp": "function",
    "defdelegate": "function",
    "defguard": "function",
    "defguardp": "function",
    "defmacro": "macro",
    "defmacrop": "macro",
    "test": "test",
    "describe": "test",
    "property": "test",
}


def _elixir_call(node: SyntaxNode) -> Found | None:
    """``def``, ``defmodule``, ``test``: definitions are calls."""
    kind = _ELIXIR.get(text_of(node.child_by_field_name("target")), "")
    arguments = child_of(node, "arguments") if kind else None
    if arguments is None or not arguments.named_children:
        return None
    first = arguments.named_children[0]
    if kind in {"function", "macro"}:
        return found(kind, _elixir_name(first))
    target = text_of(follow(arguments, "keywords", "pair", "value")) if kind == "impl" else ""
    return found(kind, f"{text_of(first)} for {target}" if target else unquoted(first))


def _elixir_name(head: SyntaxNode) -> str:
    """The name in ``name(arguments) when guard``."""
    if head.type == "binary_operator":
        head = head.child_by_field_name("left") or head
    return text_of(head.child_by_field_name("target") or head)


_ELIXIR_NOTES = frozenset(
    [
        "doc",
        "moduledoc",
        "typedoc",
        "spec",
        "impl",
        "tag",
        "moduletag",
        "describetag",
        "deprecated",
        "since",
        "dialyzer",
        "before_compile",
        "after_compile",
        "behaviour",
        "derive",
        "enforce_keys",
        "compile",
        "external_resource",
        "on_load",
    ]
)


def _elixir_attribute(node: SyntaxNode) -> Found | None:
    """``@limit 12`` and ``@type t :: ...``; what speaks of the next function leads to it instead."""
    inner = node.child_by_field_name("operand")
    word = text_of(inner.child_by_field_name("target")) if inner else ""
    if not word or word in _ELIXIR_NOTES:
        return None
    if word in {"type", "typep", "opaque", "callback", "macrocallback"}:
        kind = "function" if word.endswith("callback") else "type"
        return found(kind, re.split(r"[\s(:]", text_of(child_of(inner, "arguments")), maxsplit=1)[0])
    return Found("constant", f"@{word}")


ELIXIR = rules(
    "elixir",
    {"call": _elixir_call, "unary_operator": _elixir_attribute},
    bodies="do_block",
    leading="comment unary_operator",
)


def _julia_signature(kind: str, node: SyntaxNode) -> Found | None:
    """The name before the parameters; ``Base.show`` is ``show`` in ``Base``."""
    return found(kind, scoped(without_arguments(text_of(child_of(node, "signature", "type_head"))).split(" ")[0], "."))


def _julia_assignment(node: SyntaxNode) -> Found | None:
    """``f(x) = ...`` and ``NAME = ...``."""
    left = node.named_children[0] if node.named_children else None
    if left is None or left.type not in {"call_expression", "identifier", "where_expression", "typed_expression"}:
        return None
    kind = "variable" if left.type in {"identifier", "typed_expression"} else "function"
    name = without_arguments(text_of(left)).partition("::")[0]
    return found(kind, scoped(name, ".") if kind == "function" else name)


JULIA = rules(
    "julia",
    {
        "module_definition": "module",
        "function_definition": lambda node: _julia_signature("function", node),
        "macro_definition": lambda node: _julia_signature("macro", node),
        "struct_definition": lambda node: _julia_signature("struct", node),
        "abstract_definition": lambda node: _julia_signature("type", node),
        "primitive_definition": lambda node: _julia_signature("type", node),
        "assignment": _julia_assignment,
        "const_statement": lambda node: found(
            "constant",
            without_arguments(text_of(child_of(node, "assignment"))).partition("=")[0].partition("::")[0].strip(),
        ),
    },
    bodies="block",
    wrappers="macrocall_expression macro_argument_list",
    leading="line_comment block_comment string_literal",
)

FUNCTIONAL = {
    "haskell": HASKELL,
    "ocaml": OCAML,
    "ocaml_interface": OCAML_INTERFACE,
    "elixir": ELIXIR,
    "julia": JULIA,
}
