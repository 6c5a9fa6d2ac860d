"""Rules of C and what grew from it: C, C++, CUDA, Objective-C, C#."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from indexer.definitions.rules import (
    Found,
    called,
    child_of,
    field_name,
    follow,
    found,
    named_by,
    rules,
    scoped,
    text_of,
    without_arguments,
)

if TYPE_CHECKING:
    from indexer.definitions.rules import Rule, SyntaxNode

_SPECIFIERS = {
    "struct_specifier": "struct",
    "union_specifier": "struct",
    "enum_specifier": "enum",
    "class_specifier": "class",
}
_NAMES = frozenset(
    [
        "identifier",
        "field_identifier",
        "type_identifier",
        "qualified_identifier",
        "destructor_name",
        "operator_name",
        "operator_cast",
        "template_function",
        "structured_binding_declarator",
    ]
)
_TEST = re.compile(r"(?:TYPED_)?TEST(?:_[A-Z]+)*|BOOST_AUTO_TEST_CASE|SCENARIO|TEST_METHOD")  # macros that begin one
_NAME = re.compile(r"[\w~$/]+|(?:.*/)?operator.*")  # what macros make of a declaration is no name
_TEMPLATE_ARGUMENTS = re.compile(r"<[^<>]*>")


def _declared(node: SyntaxNode) -> tuple[str, bool]:
    """The name inside a declarator, as a path, and whether it is a function's."""
    here = node.child_by_field_name("declarator")
    is_function = False
    while here is not None and here.type not in _NAMES:
        is_function = is_function or here.type == "function_declarator"
        inside = here.child_by_field_name("declarator")
        here = inside or next(
            (child for child in here.named_children if child.type in _NAMES or child.type.endswith("_declarator")), None
        )
    path = _path(text_of(here))
    return path if _NAME.fullmatch(path) else "", is_function


def _path(name: str) -> str:
    """``ns::Type<T>::member`` as ``ns/Type/member``; an operator keeps its signs."""
    scopes, operator, sign = name.partition("operator")
    if not operator or (scopes and not scopes.endswith("::")):
        scopes, sign = name, ""
    for _ in range(4):  # template arguments inside template arguments
        scopes = _TEMPLATE_ARGUMENTS.sub("", scopes)
    path = scoped(scopes, "::")
    return "/".join(part for part in (path, f"operator{sign}") if part) if sign else path


def _function(node: SyntaxNode) -> Found | None:
    name, is_function = _declared(node)
    if _TEST.fullmatch(name):
        arguments = text_of(follow(node, "declarator", "parameters")).strip("()")
        return found("test", ".".join(part.strip(' "') for part in arguments.split(",")) or name)
    if not is_function:
        return found("variable", name)
    last = name.rpartition("/")[2]
    if node.child_by_field_name("type") is None and not last.startswith(("~", "operator")):
        return found("constructor", name)
    return found("method" if "/" in name else "function", name)


def _declaration(node: SyntaxNode) -> Found | None:
    """A prototype, a variable, or a type that is defined on the way."""
    type_node = node.child_by_field_name("type")
    defined = _specifier(type_node) if type_node is not None else None
    if defined is not None:
        return defined
    name, is_function = _declared(node)
    if not name:
        return None
    return Found("function" if is_function else "constant" if _is_constant(node) else "variable", name)


def _is_constant(node: SyntaxNode) -> bool:
    return any(child.type == "type_qualifier" and text_of(child).startswith("const") for child in node.named_children)


def _member(node: SyntaxNode) -> Found | None:
    """A field, or the prototype of a method."""
    definition = _declaration(node)
    return (
        Found("property", definition.name) if definition and definition.kind in {"variable", "constant"} else definition
    )


def _specifier(node: SyntaxNode) -> Found | None:
    """``struct name { ... }``; without a body it is only mentioned."""
    kind = _SPECIFIERS.get(node.type, "")
    if not kind or node.child_by_field_name("body") is None:
        return None
    return found(kind, _path(field_name(node)))


def _typedef(node: SyntaxNode) -> Found | None:
    """Named by what it introduces; of the kind of the structure it defines."""
    type_node = node.child_by_field_name("type")
    has_body = type_node is not None and type_node.child_by_field_name("body") is not None
    kind = _SPECIFIERS.get(type_node.type, "type") if type_node is not None and has_body else "type"
    return found(kind, _declared(node)[0])


_C: dict[str, Rule] = {
    "function_definition": _function,
    "declaration": _declaration,
    "type_definition": _typedef,
    "struct_specifier": _specifier,
    "union_specifier": _specifier,
    "enum_specifier": _specifier,
    "field_declaration": _member,
    "preproc_def": "macro",
    "preproc_function_def": "macro",
}
_C_BODIES = "field_declaration_list declaration_list enumerator_list compound_statement"
_C_GROUPS = "preproc_ifdef preproc_if preproc_else preproc_elif linkage_specification"

C = rules("c", _C, bodies=_C_BODIES, groups=_C_GROUPS)

_CPP: dict[str, Rule] = {
    **_C,
    "class_specifier": _specifier,
    "namespace_definition": lambda node: found("namespace", _path(field_name(node)) or "(anonymous)"),
    "alias_declaration": "type",
    "concept_definition": "type",
}
CPP = rules("cpp", _CPP, bodies=_C_BODIES, groups=_C_GROUPS, wrappers="template_declaration export_declaration")
CUDA = rules("cuda", _CPP, bodies=_C_BODIES, groups=_C_GROUPS, wrappers="template_declaration")
ARDUINO = rules("arduino", _CPP, bodies=_C_BODIES, groups=_C_GROUPS, wrappers="template_declaration")


def _selector(node: SyntaxNode) -> Found | None:
    """``row:withForce:``, as Objective-C itself names a method."""
    words = [child for child in node.named_children if child.type == "identifier"]
    colon = ":" if child_of(node, "method_parameter") else ""
    return found("method", "".join(text_of(word) + colon for word in words))


def _objc_property(node: SyntaxNode) -> Found | None:
    name, _ = _declared(follow(node, "struct_declaration", "struct_declarator") or node)
    text = text_of(follow(node, "struct_declaration")).rstrip(";")
    return found("property", name or re.split(r"[\s*]+", text)[-1])


OBJC = rules(
    "objc",
    {
        **_C,
        "class_interface": named_by("class", "identifier"),
        "class_implementation": named_by("class", "identifier"),
        "protocol_declaration": named_by("interface", "identifier"),
        "method_declaration": _selector,
        "method_definition": _selector,
        "property_declaration": _objc_property,
    },
    bodies=_C_BODIES,
    groups=_C_GROUPS,
    wrappers="implementation_definition",
    leading="comment",
)


def _csharp_field(kind: str, node: SyntaxNode) -> Found | None:
    constant = any(text_of(child) == "const" for child in node.named_children if child.type == "modifier")
    return found(
        "constant" if constant else kind, text_of(follow(node, "variable_declaration", "variable_declarator", "name"))
    )


CSHARP = rules(
    "csharp",
    {
        "namespace_declaration": lambda node: found("namespace", field_name(node)),
        "class_declaration": "class",
        "interface_declaration": "interface",
        "struct_declaration": "struct",
        "record_declaration": "class",
        "enum_declaration": "enum",
        "delegate_declaration": "type",
        "method_declaration": "method",
        "local_function_statement": "function",
        "constructor_declaration": "constructor",
        "destructor_declaration": lambda node: found("method", f"~{field_name(node)}"),
        "operator_declaration": lambda node: found(
            "method", f"operator{text_of(node.child_by_field_name('operator'))}"
        ),
        "conversion_operator_declaration": lambda node: found(
            "method", f"operator {without_arguments(text_of(node.child_by_field_name('type')))}"
        ),
        "indexer_declaration": called("property", "this"),
        "property_declaration": "property",
        "event_declaration": "property",
        "event_field_declaration": lambda node: _csharp_field("property", node),
        "field_declaration": lambda node: _csharp_field("property", node),
        "enum_member_declaration": "constant",
    },
    bodies="declaration_list enum_member_declaration_list block",
    groups="preproc_if preproc_else preproc_elif preproc_region",
    wrappers="global_statement",
)

C_FAMILY = {"c": C, "cpp": CPP, "cuda": CUDA, "arduino": ARDUINO, "objc": OBJC, "csharp": CSHARP}
