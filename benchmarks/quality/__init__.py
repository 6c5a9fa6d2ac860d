"""How good the answers are: questions with known answers, asked through the real MCP server."""
