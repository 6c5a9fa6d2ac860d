"""What the commands of mcp_server/cli.py do, and how it looks."""
