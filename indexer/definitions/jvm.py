"""Rules of the languages of the JVM, and of Swift and Dart, which look alike: Java, Kotlin, Scala."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.definitions.rules import (
    Found,
    called,
    child_of,
    field_name,
    follow,
    found,
    has_token,
    named_by,
    rules,
    text_of,
    without_arguments,
)

if TYPE_CHECKING:
    from indexer.definitions.rules import SyntaxNode


def _java_field(node: SyntaxNode) -> Found | None:
    modifiers = text_of(child_of(node, "modifiers"))
    constant = "static" in modifiers and "final" in modifiers
    return found("constant" if constant else "property", text_of(follow(node, "declarator", "name")))


JAVA = rules(
    "java",
    {
        "module_declaration": "module",
        "class_declaration": "class",
        "interface_declaration": "interface",
        "annotation_type_declaration": "interface",
        "enum_declaration": "enum",
        "record_declaration": "class",
        "method_declaration": "method",
        "constructor_declaration": "constructor",
        "compact_constructor_declaration": "constructor",
        "annotation_type_element_declaration": "method",
        "field_declaration": _java_field,
        "constant_declaration": _java_field,
        "enum_constant": "constant",
    },
    bodies="class_body interface_body annotation_type_body enum_body enum_body_declarations block constructor_body",
    leading="line_comment block_comment",
)


def _kotlin_class(node: SyntaxNode) -> Found | None:
    kind = "interface" if has_token(node, "interface") else "enum" if has_token(node, "enum") else "class"
    if kind == "class" and "enum" in text_of(child_of(node, "modifiers")).split():
        kind = "enum"
    return found(kind, text_of(child_of(node, "type_identifier")))


def _receiver(node: SyntaxNode) -> str:
    """The type that an extension belongs to, with the slash after it."""
    receiver = without_arguments(text_of(node.child_by_field_name("receiver")))
    return f"{receiver.rstrip('?')}/" if receiver else ""


def _kotlin_function(node: SyntaxNode) -> Found | None:
    name = text_of(child_of(node, "simple_identifier"))
    return found("function", f"{_receiver(node)}{name}") if name else None


def _kotlin_property(node: SyntaxNode) -> Found | None:
    name = text_of(follow(node, "variable_declaration", "simple_identifier"))
    constant = "const" in text_of(child_of(node, "modifiers")).split()
    return found("constant" if constant else "property", f"{_receiver(node)}{name}") if name else None


KOTLIN = rules(
    "kotlin",
    {
        "class_declaration": _kotlin_class,
        "object_declaration": named_by("object", "type_identifier"),
        "companion_object": lambda node: Found("object", text_of(child_of(node, "type_identifier")) or "Companion"),
        "function_declaration": _kotlin_function,
        "property_declaration": _kotlin_property,
        "secondary_constructor": called("constructor", "constructor"),
        "type_alias": named_by("type", "type_identifier"),
        "enum_entry": named_by("constant", "simple_identifier"),
    },
    bodies="class_body enum_class_body function_body statements import_list",
    following="getter setter",
    leading="line_comment multiline_comment prefix_expression",
)


def _scala_value(node: SyntaxNode) -> Found | None:
    return found("property", text_of(node.child_by_field_name("pattern") or node.child_by_field_name("name")))


SCALA = rules(
    "scala",
    {
        "trait_definition": "trait",
        "class_definition": "class",
        "object_definition": "object",
        "package_object": "object",
        "enum_definition": "enum",
        "function_definition": "function",
        "function_declaration": "function",
        "val_definition": _scala_value,
        "var_definition": _scala_value,
        "val_declaration": _scala_value,
        "var_declaration": _scala_value,
        "type_definition": "type",
        "given_definition": "property",
    },
    bodies="template_body block enum_body",
    groups="extension_definition",
    leading="comment block_comment",
    constructors="this",
)

_SWIFT_KINDS = {"struct": "struct", "enum": "enum", "extension": "extension", "actor": "class", "class": "class"}


def _swift_type(node: SyntaxNode) -> Found | None:
    kind = _SWIFT_KINDS.get(text_of(node.child_by_field_name("declaration_kind")), "class")
    return found(kind, without_arguments(field_name(node)))


def _swift_property(node: SyntaxNode) -> Found | None:
    name = node.child_by_field_name("name")
    return found(
        "property", text_of(follow(name, "bound_identifier") or name).removeprefix("var ").removeprefix("let ")
    )


SWIFT = rules(
    "swift",
    {
        "class_declaration": _swift_type,
        "protocol_declaration": "interface",
        "function_declaration": "function",
        "protocol_function_declaration": "method",
        "init_declaration": called("constructor", "init"),
        "deinit_declaration": called("method", "deinit"),
        "subscript_declaration": called("method", "subscript"),
        "property_declaration": _swift_property,
        "protocol_property_declaration": _swift_property,
        "typealias_declaration": "type",
        "associatedtype_declaration": "type",
        "macro_declaration": "macro",
        "enum_entry": "constant",
    },
    bodies="class_body enum_class_body protocol_body function_body statements",
    leading="comment multiline_comment",
)

_DART_SIGNATURES = [
    "function_signature",
    "getter_signature",
    "setter_signature",
    "operator_signature",
    "constructor_signature",
    "constant_constructor_signature",
    "factory_constructor_signature",
    "redirecting_factory_constructor_signature",
]


def _dart_member(node: SyntaxNode) -> Found | None:
    """A method, a constructor or fields; which, a class does not say at the node itself."""
    signature = node if node.type in _DART_SIGNATURES else child_of(node, *_DART_SIGNATURES)
    if signature is None:
        fields = child_of(node, "initialized_identifier_list", "static_final_declaration_list", "identifier_list")
        return found("property", text_of(fields).partition(",")[0].partition("=")[0].strip())
    if "constructor" in signature.type:
        return found(
            "constructor", text_of(signature).partition("(")[0].removeprefix("const ").removeprefix("factory ")
        )
    if signature.type == "operator_signature":
        return found("method", text_of(signature).partition("(")[0].rpartition(" ")[2])
    return found("function", field_name(signature) or text_of(child_of(signature, "identifier")))


DART = rules(
    "dart",
    {
        "class_definition": "class",
        "mixin_declaration": named_by("trait", "identifier"),
        "enum_declaration": "enum",
        "extension_declaration": "extension",
        "extension_type_declaration": named_by("class", "name"),
        "enum_constant": "constant",
        "type_alias": named_by("type", "type_identifier"),
        "function_signature": _dart_member,
        "getter_signature": _dart_member,
        "setter_signature": _dart_member,
        "method_signature": _dart_member,
        "declaration": _dart_member,
        "static_final_declaration": lambda node: found("constant", text_of(child_of(node, "identifier"))),
        "initialized_identifier": lambda node: found("variable", text_of(child_of(node, "identifier"))),
    },
    bodies="class_body enum_body extension_body static_final_declaration_list initialized_identifier_list block",
    following="function_body",
    leading="comment documentation_comment annotation",
)


JVM = {"java": JAVA, "kotlin": KOTLIN, "scala": SCALA, "swift": SWIFT, "dart": DART}
