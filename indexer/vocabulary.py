"""The words a filter may use: what languages and kinds the chunks of any index can have."""

from __future__ import annotations

from indexer.languages import known_languages

LANGUAGES = frozenset(known_languages())
KINDS = frozenset(
    {
        "module",
        "namespace",
        "class",
        "interface",
        "trait",
        "impl",
        "extension",
        "object",
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
