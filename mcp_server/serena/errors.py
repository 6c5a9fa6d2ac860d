"""What can go wrong between two servers.

BridgeError
├── ServerMissingError  its program is not there
├── ServerDiedError     its process ended
├── ServerHungError     it did not answer in time
├── ServerRefusedError  it answered that it cannot, or in a way nobody here understands
└── ToolsMissingError   it runs, but does not offer what is needed
"""

from __future__ import annotations

from mcp_server.errors import ProductError


class BridgeError(ProductError):
    """Anything the bridge raises; the text names the server, the cause and the next step."""


class ServerMissingError(BridgeError):
    """The program that would be started is not installed."""


class ServerDiedError(BridgeError):
    """The process has ended; only opening a bridge anew helps."""


class ServerHungError(BridgeError):
    """No answer within the time limit; the process may still be at work."""


class ServerRefusedError(BridgeError):
    """A tool answered that it cannot, with its words, or answered something that cannot be read."""


class ToolsMissingError(BridgeError):
    """The server does not offer the tools that the bridge asks for."""
