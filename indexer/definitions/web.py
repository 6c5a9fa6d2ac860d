"""Rules of the web: JavaScript, TypeScript, HTML, Vue, Svelte, CSS."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from indexer.definitions.rules import Found, child_of, field_name, found, named_by, rules, text_of, unquoted
from indexer.definitions.scripting import value_kind

if TYPE_CHECKING:
    from indexer.definitions.rules import Rule, Rules, SyntaxNode

_FUNCTIONS = frozenset(
    {"arrow_function", "function_expression", "function", "generator_function", "generator_function_declaration"}
)
_TESTS = frozenset({"describe", "it", "test", "context", "suite", "specify", "bench"})


def _bound(node: SyntaxNode) -> Found | None:
    """``name = value`` in a ``const``, ``let`` or ``var``; an import by ``require`` is no definition."""
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None or name.type != "identifier" or _is_require(value):
        return None
    return found(_kind_of(value, text_of(name)), text_of(name))


def _is_require(value: SyntaxNode | None) -> bool:
    called = value.child_by_field_name("function") if value is not None and value.type == "call_expression" else None
    return text_of(called) == "require"


def _kind_of(value: SyntaxNode | None, name: str) -> str:
    """What a value makes of its name: functions handed to a wrapper (``memo(() => ...)``) count as functions."""
    if value is None:
        return value_kind(name)
    if value.type in _FUNCTIONS:
        return "function"
    if value.type == "class":
        return "class"
    arguments = value.child_by_field_name("arguments") if value.type == "call_expression" else None
    if arguments is not None and any(child.type in _FUNCTIONS for child in arguments.named_children):
        return "function"
    return value_kind(name)


def _statement(node: SyntaxNode) -> Found | None:
    """``X.prototype.y = function``, ``exports.y = ...`` and ``describe("...", () => ...)``."""
    inner = node.named_children[0] if node.named_children else None
    if inner is None:
        return None
    if inner.type == "assignment_expression":
        return _assigned(inner)
    return _test(inner) if inner.type == "call_expression" else None


def _assigned(node: SyntaxNode) -> Found | None:
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None or left.type != "member_expression":
        return None
    parts = [part for part in text_of(left).split(".") if part not in {"module", "exports", "prototype", "this"}]
    kind = _kind_of(right, parts[-1] if parts else "")
    if not parts or (kind in {"constant", "variable"} and "exports" not in text_of(left)):
        return None
    return found("method" if kind == "function" and len(parts) > 1 else kind, "/".join(parts))


def _test(call: SyntaxNode) -> Found | None:
    """``it("does this", ...)`` and ``describe.each(...)("that", ...)``."""
    callee = text_of(call.child_by_field_name("function"))[:40]
    arguments = call.child_by_field_name("arguments")
    if callee.partition(".")[0].partition("(")[0] not in _TESTS or arguments is None or not arguments.named_children:
        return None
    title = arguments.named_children[0]
    return found("test", unquoted(title)) if "string" in title.type else None


def _field(node: SyntaxNode) -> Found | None:
    name = field_name(node) or text_of(node.child_by_field_name("property"))
    value = node.child_by_field_name("value")
    return found("method" if value is not None and value.type in _FUNCTIONS else "property", name)


_JAVASCRIPT: dict[str, Rule] = {
    "function_declaration": "function",
    "generator_function_declaration": "function",
    "class_declaration": "class",
    "method_definition": "method",
    "field_definition": _field,
    "variable_declarator": _bound,
    "expression_statement": _statement,
}
_BODIES = "class_body statement_block"
_WRAPPERS = "export_statement lexical_declaration variable_declaration"
_GROUPS = "if_statement"
JAVASCRIPT = rules(
    "javascript",
    _JAVASCRIPT,
    bodies=_BODIES,
    wrappers=_WRAPPERS,
    groups=_GROUPS,
    leading="comment decorator",
    constructors="constructor",
)

_TYPESCRIPT: dict[str, Rule] = {
    **{word: rule for word, rule in _JAVASCRIPT.items() if word != "field_definition"},
    "abstract_class_declaration": "class",
    "interface_declaration": "interface",
    "type_alias_declaration": "type",
    "enum_declaration": "enum",
    "function_signature": "function",
    "abstract_method_signature": "method",
    "method_signature": "method",
    "public_field_definition": _field,
    "property_signature": "property",
    "internal_module": lambda node: found("namespace", field_name(node)),
    "module": lambda node: found("namespace", unquoted(node.child_by_field_name("name"))),
}
TYPESCRIPT = rules(
    "typescript",
    _TYPESCRIPT,
    bodies=f"{_BODIES} interface_body enum_body object_type",
    wrappers=f"{_WRAPPERS} ambient_declaration",
    groups=_GROUPS,
    leading="comment decorator",
    constructors="constructor",
)
TSX = replace(TYPESCRIPT, grammar="tsx")

_CSS: dict[str, Rule] = {
    "rule_set": named_by("rule", "selectors"),
    "keyframes_statement": lambda node: found("rule", f"@keyframes {text_of(child_of(node, 'keyframes_name'))}"),
    "media_statement": lambda node: found("rule", text_of(node).partition("{")[0].strip()),
    "supports_statement": lambda node: found("rule", text_of(node).partition("{")[0].strip()),
    "at_rule": lambda node: found("rule", text_of(node).partition("{")[0].strip(" ;")),
}
CSS = rules("css", _CSS, bodies="block keyframe_block_list")
SCSS = rules(
    "scss",
    {
        **_CSS,
        "mixin_statement": lambda node: found("function", text_of(child_of(node, "identifier", "name"))),
        "function_statement": lambda node: found("function", text_of(child_of(node, "identifier", "name"))),
        "include_statement": lambda _node: None,
    },
    bodies="block keyframe_block_list",
    leading="comment js_comment",
)


def _element(node: SyntaxNode) -> Found | None:
    """An element with an id can be pointed at; the others are only markup."""
    tag = child_of(node, "start_tag", "self_closing_tag")
    for attribute in tag.named_children if tag else ():
        if attribute.type == "attribute" and text_of(child_of(attribute, "attribute_name")) == "id":
            return found("section", unquoted(child_of(attribute, "quoted_attribute_value", "attribute_value")))
    return None


def _template(_node: SyntaxNode) -> Found:
    return Found("section", "template")


def _script(node: SyntaxNode) -> Found | None:
    """The language between ``<script>`` and ``</script>``: Found.kind."""
    tag = text_of(child_of(node, "start_tag"))
    if "json" in tag:
        return Found("json", "script")
    language = next((name for sign, name in (("tsx", "tsx"), ("ts", "typescript")) if _speaks(tag, sign)), "javascript")
    return Found(language, "script")


def _speaks(tag: str, language: str) -> bool:
    return f'lang="{language}"' in tag or f"lang='{language}'" in tag or (language == "ts" and "typescript" in tag)


def _style(node: SyntaxNode) -> Found | None:
    tag = text_of(child_of(node, "start_tag"))
    return Found("scss" if "scss" in tag or "less" in tag else "css", "style")


_EMBEDDED = {"script_element": _script, "style_element": _style}


def _markup(grammar: str, **definitions: Rule) -> Rules:
    return replace(rules(grammar, {"element": _element, **definitions}), embedded=_EMBEDDED)


WEB = {
    "javascript": JAVASCRIPT,
    "typescript": TYPESCRIPT,
    "tsx": TSX,
    "css": CSS,
    "scss": SCSS,
    "html": _markup("html"),
    "vue": _markup("vue", template_element=_template),
    "svelte": _markup("svelte"),
}
