"""The words a filter may use: what languages and kinds the chunks of any index can have."""

from __future__ import annotations

from indexer.languages import LANGUAGES

__all__ = ["KINDS", "LANGUAGES"]

KINDS = frozenset(
    {
        "module",
        "namespace",
        "class",
        "interface",
        "trait",
        "struct",
        "enum",
        "type",
        "function",
        "method",
        "constructor",
        "property",
        "constant",
        "variable",
        "macro",
        "test",
        "section",
        "key",
        "rule",
        "table",
        "block",
        "text",
    }
)
