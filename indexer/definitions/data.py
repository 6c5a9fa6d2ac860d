"""Rules of data and of what describes systems: JSON, YAML, TOML, SQL, HCL, Protocol Buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from indexer.definitions.rules import child_of, follow, found, named_by, rules, text_of, unquoted

if TYPE_CHECKING:
    from indexer.definitions.rules import Found, SyntaxNode


def _pair(node: SyntaxNode) -> Found | None:
    return found("key", unquoted(node.child_by_field_name("key")))


# Keys of objects inside a list are no definitions: there would be one "name" for each element.
JSON = rules("json", {"pair": _pair}, bodies="document object")
YAML = rules(
    "yaml",
    {"block_mapping_pair": _pair, "flow_pair": _pair},
    bodies="stream document block_node flow_node block_mapping flow_mapping",
)

_KEYS = ("dotted_key", "bare_key", "quoted_key")


def _toml(kind: str, node: SyntaxNode) -> Found | None:
    return found(kind, unquoted(child_of(node, *_KEYS)))


TOML = rules(
    "toml",
    {
        "table": lambda node: _toml("table", node),
        "table_array_element": lambda node: _toml("table", node),
        "pair": lambda node: _toml("key", node),
    },
)


def _created(kind: str, node: SyntaxNode) -> Found | None:
    return found(kind, text_of(child_of(node, "object_reference")))


SQL = rules(
    "sql",
    {
        "create_table": lambda node: _created("table", node),
        "create_view": lambda node: _created("table", node),
        "create_materialized_view": lambda node: _created("table", node),
        "create_function": lambda node: _created("function", node),
        "create_trigger": lambda node: _created("function", node),
        "create_type": lambda node: _created("type", node),
        "create_schema": named_by("namespace", "identifier"),
        "create_index": named_by("property", "column"),
        "column_definition": "property",
    },
    bodies="column_definitions",
    wrappers="statement",
    leading="comment marginalia",
)


def _hcl_block(node: SyntaxNode) -> Found | None:
    """``resource "a" "b"`` as ``resource.a.b``."""
    labels = [unquoted(child) for child in node.named_children if child.type in {"identifier", "string_lit"}]
    return found("block", ".".join(labels))


HCL = rules("hcl", {"block": _hcl_block, "attribute": named_by("key", "identifier")}, bodies="body")

PROTO = rules(
    "proto",
    {
        "message": named_by("struct", "message_name"),
        "enum": named_by("enum", "enum_name"),
        "service": named_by("interface", "service_name"),
        "rpc": named_by("method", "rpc_name"),
        "extend": lambda node: found("extension", text_of(follow(node, "full_ident"))),
    },
    bodies="message_body enum_body",
)

DATA = {"json": JSON, "yaml": YAML, "toml": TOML, "sql": SQL, "hcl": HCL, "terraform": HCL, "proto": PROTO}
