"""What the addresses of this server's resources lead to."""

from __future__ import annotations

from mcp_server.errors import RequestError
from mcp_server.offers.code_uri import STATUS, parse_code_uri
from mcp_server.offers.completions import Completions
from mcp_server.offers.offered import Offered
from mcp_server.offers.source_lines import read_lines
from mcp_server.sdk import ReadResourceContents


class Resources:
    """Reads what a client names. Thread-safe."""

    def __init__(self, offered: Offered) -> None:
        self._offered = offered
        self.completions = Completions(offered.engine)

    def read(self, uri: str) -> ReadResourceContents:
        """The text at ``uri``. Raises RequestError, OutsideRootError or another of this program with a sentence."""
        if uri.rstrip("/") == STATUS:
            return ReadResourceContents(self._offered.status() + "\n", "text/plain")
        asked = parse_code_uri(uri)
        roots = list(self._offered.engine().roots)
        lines = read_lines(asked, roots, self._offered.settings)
        if lines is None:
            raise RequestError(self._not_found(asked.path))
        return ReadResourceContents(lines.text, lines.mime_type)

    def _not_found(self, path: str) -> str:
        """The same for what is not there and what is ignored: what is hidden stays so."""
        near = self.completions.near(path)
        hint = f"did you mean {near}?" if near else "take the path from a search answer."
        return f"{path[:300]} is not there, or ignored; {hint}"
