"""What Serena knows of files and symbols, asked for within limits; a failure is a reason, or an error in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import anyio

from mcp_server.serena.errors import BridgeError, ServerRefusedError
from mcp_server.serena.launching import why_refused
from mcp_server.serena.nouns import Limits, Symbol, Usage
from mcp_server.serena.peers import Peer, text_of
from mcp_server.serena.serena_json import symbols_of, usages_of

TREE_DEPTH = 16  # of a file's symbols: deeper than any language server was seen to nest them
FILE_KIND = 1  # of the language server protocol; what is in the file is asked for without it
ANSWER_CHARS = 4_000_000  # of a file's symbols; 150,000 unless asked, which a file of some 2,000 symbols exceeds


@dataclass(frozen=True, slots=True)
class Trees:
    """The symbols of each file that Serena knows, and why of the others."""

    symbols: dict[str, tuple[Symbol, ...]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


class Knowledge:
    """Asks Serena. It runs its calls one after the other, so no more than a few are under way."""

    def __init__(self, serena: Peer, limits: Limits) -> None:
        self._serena = serena
        self._limits = limits
        self._calls = anyio.Semaphore(limits.calls)

    async def of_files(self, paths: Iterable[str]) -> Trees:
        """The symbols of files, of all together within one time limit. Raises nothing of its own."""
        trees, wanted = Trees(), list(dict.fromkeys(paths))
        with anyio.move_on_after(self._limits.confirm_s):
            async with anyio.create_task_group() as tasks:
                for path in wanted:
                    tasks.start_soon(self._read, path, trees)
        late = f"Serena did not answer find_symbol within {self._limits.confirm_s:g} s."
        unread = (path for path in wanted if path not in trees.symbols)
        trees.reasons.update({path: trees.reasons.get(path, late) for path in unread})
        return trees

    async def usages(self, symbol: Symbol) -> tuple[Usage, ...]:
        """Who uses a symbol. Raises ServerRefusedError, ServerDiedError or ServerHungError."""
        asked = {"name_path": symbol.name_path, "relative_path": symbol.relative_path, "max_answer_chars": ANSWER_CHARS}
        return usages_of(await self._ask("find_referencing_symbols", asked, self._limits.references_s))

    async def _read(self, path: str, trees: Trees) -> None:
        asked = {
            "name_path_pattern": "/",  # with the next line: whatever stands at the top of the file
            "substring_matching": True,
            "relative_path": path,
            "depth": TREE_DEPTH,
            "exclude_kinds": [FILE_KIND],
            "max_answer_chars": ANSWER_CHARS,
        }
        try:
            trees.symbols[path] = symbols_of(await self._ask("find_symbol", asked, self._limits.confirm_s), path)
        except BridgeError as error:
            trees.reasons[path] = str(error)

    async def _ask(self, tool: str, asked: dict[str, Any], limit_s: float) -> str:
        """The tool's text; a refusal is raised, also one that comes as an answer."""
        async with self._calls:
            answer = await self._serena.call(tool, asked, limit_s)
        text = text_of(answer)
        if answer.is_error or text.startswith("Error"):
            raise ServerRefusedError(why_refused(text))
        return text
