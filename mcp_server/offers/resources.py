"""What the addresses of this server's resources lead to."""

from __future__ import annotations

from mcp_server.errors import RequestError
from mcp_server.offers.code_uri import STATUS, parse_code_uri
from mcp_server.offers.completions import Completions
from mcp_server.offers.source_lines import read_lines
from mcp_server.offers.supplies import Supplies
from mcp_server.sdk import ReadResourceContents


class Resources:
    """Reads what a client names. Thread-safe."""

    def __init__(self, supplies: Supplies) -> None:
        self._supplies = supplies
        self.completions = Completions(supplies.engine)

    def read(self, uri: str) -> ReadResourceContents:
        """The text at ``uri``. Raises RequestError, OutsideRootError or another of this program with a sentence."""
        if uri.rstrip("/") == STATUS:
            return ReadResourceContents(self._supplies.status() + "\n", "text/plain")
        asked = parse_code_uri(uri)
        roots = list(self._supplies.engine().roots)
        lines = read_lines(asked, roots, self._supplies.settings)
        if lines is None:
            raise RequestError(self._not_found(asked.path))
        return ReadResourceContents(lines.text, lines.mime_type)

    def _not_found(self, path: str) -> str:
        """The same for what is not there and what is ignored: what is hidden stays so."""
        near = self.completions.near(path)
        hint = f"did you mean {near}?" if near else "take the path from a search answer."
        return f"{path[:300]} is not there, or ignored; {hint}"
