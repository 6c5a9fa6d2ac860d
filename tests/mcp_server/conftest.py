"""The SDK is whole in the process of the tests, whichever comes first: the clients of the end-to-end tests need it."""

import mcp.client.stdio  # noqa: F401 - mcp_server/sdk.py, imported first, would put a stand-in in its place
