"""The Serena bridge: what codeloupe finds by meaning, as symbols that Serena's language servers know.

    async with SerenaBridge.open(Path("project")) as bridge:
        for found in await bridge.semantic_search("where are retries handled"):
            print(found.relative_path, found.lines.first, found.name_path, found.confirmed)

A client of two servers over stdio, ours and Serena's, each a process of its own. Serena (GPL-3.0) is never imported:
it lives in its own environment and is spoken to over MCP alone. No server imports this package.
"""

from mcp_server.serena.bridge import SerenaBridge
from mcp_server.serena.errors import (
    BridgeError,
    ServerDiedError,
    ServerHungError,
    ServerMissingError,
    ServerRefusedError,
    ToolsMissingError,
)
from mcp_server.serena.nouns import (
    CodeReference,
    CodeReferences,
    Limits,
    Lines,
    Symbol,
    Usage,
    UsagePattern,
    UsagePatterns,
    Worth,
)

__all__ = [
    "BridgeError",
    "CodeReference",
    "CodeReferences",
    "Limits",
    "Lines",
    "SerenaBridge",
    "ServerDiedError",
    "ServerHungError",
    "ServerMissingError",
    "ServerRefusedError",
    "Symbol",
    "ToolsMissingError",
    "Usage",
    "UsagePattern",
    "UsagePatterns",
    "Worth",
]
