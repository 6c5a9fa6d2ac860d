"""Rules of languages whose grammars give no names away: CMake, Make, Dockerfile, the Lisps, Erlang, GraphQL, LaTeX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.definitions.rules import Found, child_of, field_name, follow, found, named_by, rules, text_of

if TYPE_CHECKING:
    from indexer.definitions.rules import SyntaxNode

CMAKE = rules(
    "cmake",
    {
        "function_def": named_by("function", "function_command", "argument_list", "argument"),
        "macro_def": named_by("macro", "macro_command", "argument_list", "argument"),
    },
    groups="if_condition foreach_loop",
    bodies="body",
    leading="line_comment bracket_comment",
)


def _make_variable(node: SyntaxNode) -> Found | None:
    return found("variable", field_name(node))


MAKE = rules(
    "make",
    {
        "rule": named_by("rule", "targets"),
        "define_directive": "macro",
        "variable_assignment": _make_variable,
    },
    groups="conditional",
)


def _stage(node: SyntaxNode) -> Found | None:
    """``FROM image AS stage``."""
    return found("section", text_of(node.child_by_field_name("as")) or text_of(child_of(node, "image_spec")))


DOCKERFILE = rules("dockerfile", {"from_instruction": _stage})

_LISP = {
    "ns": "module",
    "in-ns": "module",
    "defpackage": "module",
    "module": "module",
    "def": "variable",
    "defonce": "variable",
    "defvar": "variable",
    "defparameter": "variable",
    "defconstant": "constant",
    "defn": "function",
    "defn-": "function",
    "defun": "function",
    "define": "function",
    "defmulti": "function",
    "defgeneric": "function",
    "defmethod": "method",
    "defmacro": "macro",
    "define-syntax": "macro",
    "define-syntax-rule": "macro",
    "defprotocol": "interface",
    "defrecord": "struct",
    "deftype": "type",
    "defstruct": "struct",
    "struct": "struct",
    "define-struct": "struct",
    "defclass": "class",
    "deftest": "test",
}


def _form(node: SyntaxNode) -> Found | None:
    """``(defn name ...)`` and ``(define (name ...) ...)``."""
    words = node.named_children[:3]
    kind = _LISP.get(text_of(words[0]), "") if len(words) > 1 else ""
    if not kind:
        return None
    name = words[1].named_children[0] if words[1].type in {"list", "list_lit"} and words[1].named_children else words[1]
    return found(kind, text_of(name).lstrip("'#:"))


CLOJURE = rules("clojure", {"list_lit": _form}, leading="comment")
SCHEME = rules("scheme", {"list": _form}, leading="comment block_comment")
RACKET = rules("racket", {"list": _form}, bodies="program", leading="comment block_comment")

ERLANG = rules(
    "erlang",
    {
        "fun_decl": named_by("function", "clause", "name"),
        "module_attribute": "module",
        "record_decl": "struct",
        "type_alias": named_by("type", "name", "name"),
        "spec": named_by("function", "fun"),
        "pp_define": named_by("macro", "lhs", "name"),
        "callback": named_by("function", "fun"),
    },
)


def _graphql(node: SyntaxNode) -> Found | None:
    """``type A``, ``input A``, ``enum A``: named two levels down."""
    inner = follow(node, "type_definition") or node
    definition = inner.named_children[0] if inner.named_children else inner
    kind = {"enum_type_definition": "enum", "interface_type_definition": "interface"}.get(definition.type, "type")
    return found(kind, text_of(child_of(definition, "name")))


GRAPHQL = rules(
    "graphql",
    {
        "type_system_definition": _graphql,
        "type_system_extension": _graphql,
        "operation_definition": named_by("function", "name"),
        "fragment_definition": named_by("type", "fragment_name"),
    },
    bodies="document",
    wrappers="definition executable_definition",
)


def _latex_section(node: SyntaxNode) -> Found | None:
    return found("section", text_of(node.child_by_field_name("text")).strip("{}"))


LATEX = rules(
    "latex",
    dict.fromkeys(["part", "chapter", "section", "subsection", "subsubsection", "paragraph"], _latex_section)
    | {"new_command_definition": named_by("macro", "declaration")},
    bodies="generic_environment",
    leading="line_comment comment",
)

OTHERS = {
    "cmake": CMAKE,
    "make": MAKE,
    "dockerfile": DOCKERFILE,
    "clojure": CLOJURE,
    "scheme": SCHEME,
    "racket": RACKET,
    "erlang": ERLANG,
    "graphql": GRAPHQL,
    "latex": LATEX,
}
