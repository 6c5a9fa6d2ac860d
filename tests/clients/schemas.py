"""What each client accepts in its file, stated as schemas of our own, with where each fact was read (November 2026).

They are stricter than the clients where those pass over what they do not know: a misspelt key must fail here.
"""

from __future__ import annotations

from typing import Any

TEXTS = {"type": "array", "items": {"type": "string"}}
VARIABLES = {"type": "object", "additionalProperties": {"type": "string"}}


def _servers(key: str, server: dict[str, Any], *, closed: bool = False) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [key],
        "properties": {key: {"type": "object", "additionalProperties": server}},
        "additionalProperties": not closed,
    }


def _server(required: list[str], **known: Any) -> dict[str, Any]:
    own = {"command": {"type": "string", "minLength": 1}, "args": TEXTS, "env": VARIABLES}
    return {"type": "object", "required": required, "properties": own | known, "additionalProperties": False}


STDIO = {"const": "stdio"}

SCHEMAS: dict[str, dict[str, Any]] = {
    # code.claude.com/docs/en/mcp, and what `claude mcp add` writes; the client itself is asked in test_real_clients.py.
    "claude-code": _servers("mcpServers", _server(["command"], type=STDIO)),
    # modelcontextprotocol.io, "Connect to local MCP servers"; the file holds the app's own settings as well.
    "claude-desktop": _servers("mcpServers", _server(["command"])),
    # cursor.com/docs/mcp: type is listed as required, though Cursor infers it.
    "cursor": _servers("mcpServers", _server(["type", "command"], type=STDIO, envFile={"type": "string"})),
    # microsoft/vscode, src/vs/workbench/contrib/mcp/common/mcpConfiguration.ts: nothing else is allowed in it.
    "vscode": {
        **_servers(
            "servers",
            _server(
                ["command"],
                type=STDIO,
                cwd={"type": "string"},
                envFile={"type": "string"},
                dev={"type": "object"},
            ),
            closed=True,
        )
    },
    # openai/codex, codex-rs/core/config.schema.json, RawMcpServerConfig; asked itself in test_real_clients.py.
    "codex": _servers(
        "mcp_servers",
        _server(
            ["command"],
            cwd={"type": "string"},
            enabled={"type": "boolean"},
            startup_timeout_sec={"type": "number"},
            tool_timeout_sec={"type": "number"},
        ),
    ),
    # zed-industries/zed, crates/settings_content/src/project.rs, ContextServerSettingsContent::Stdio.
    "zed": _servers(
        "context_servers",
        _server(["command"], enabled={"type": "boolean"}, remote={"type": "boolean"}, timeout={"type": "integer"}),
    ),
}

# static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json; modelcontextprotocol.io/registry/package-types.
REGISTRY: dict[str, Any] = {
    "type": "object",
    "required": ["$schema", "name", "description", "version", "packages"],
    "properties": {
        "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"},
        "name": {"type": "string", "maxLength": 200, "pattern": "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$"},
        "title": {"type": "string", "minLength": 1, "maxLength": 100},
        "description": {"type": "string", "minLength": 1, "maxLength": 100},
        "version": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "packages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["registryType", "identifier", "version", "transport"],
                "properties": {
                    "registryType": {"enum": ["npm", "pypi", "oci", "nuget", "mcpb"]},
                    "identifier": {"type": "string"},
                    "version": {"type": "string", "minLength": 1, "not": {"const": "latest"}},
                    "runtimeHint": {"type": "string"},
                    "transport": {
                        "type": "object",
                        "required": ["type"],
                        "properties": {"type": {"const": "stdio"}},
                        "additionalProperties": False,
                    },
                    "packageArguments": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["type", "value"],
                            "properties": {"type": {"const": "positional"}, "value": {"type": "string"}},
                            "additionalProperties": False,
                        },
                    },
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
