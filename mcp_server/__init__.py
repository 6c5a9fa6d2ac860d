"""The product: MCP server and command line. Alone knows MCP, the environment and the terminal."""
