"""The bridge itself: our search, Serena's symbols, and what the two say together."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import anyio
import anyio.to_thread

from mcp_server.serena import launching
from mcp_server.serena.errors import BridgeError, ServerRefusedError
from mcp_server.serena.matching import Match, Place, match, simple_name
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
from mcp_server.serena.peers import Peer, connect
from mcp_server.serena.serena_json import symbols_of, usages_of
from mcp_server.serena.shapes import call_shape, function_name
from mcp_server.serena.working_tree import WorkingTree

MIN_SIMILARITY = 0.4
LIMITS = Limits()
SEARCH_TOKENS = 12_000  # the most an answer may have: ten whole chunks take 4,000, a hundred places 10,000
TREE_DEPTH = 16  # of a file's symbols: deeper than any language server was seen to nest them
FILE_KIND = 1  # of the language server protocol; what is in the file is asked for without it
ANSWER_CHARS = 4_000_000  # of a file's symbols; 150,000 unless asked, which a file of some 2,000 symbols exceeds
DEFINITIONS = 3  # of one name, whose uses are looked for


@dataclass(frozen=True, slots=True)
class Found:
    """What our search gave, before Serena was asked."""

    hits: tuple[CodeReference, ...]
    worth: Worth
    notes: tuple[str, ...] = ()


class SerenaBridge:
    """Two servers on one project; made by ``open``. For one event loop; calls may overlap."""

    def __init__(self, project: Path, codeloupe: Peer, serena: Peer, limits: Limits) -> None:
        self.project = project
        self._codeloupe = codeloupe
        self._serena = serena
        self._limits = limits
        self._files = WorkingTree(project)
        self._calls = anyio.Semaphore(limits.calls)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        project: Path,
        *,
        serena_command: Sequence[str] = launching.SERENA,
        codeloupe_command: Sequence[str] = launching.CODELOUPE,
        environment: Mapping[str, str] | None = None,
        limits: Limits = LIMITS,
    ) -> AsyncIterator[Self]:
        """Start both servers on ``project``; they end with the block.

        ``serena_command`` is Serena's program, to which the arguments are added, or all of a command that has
        ``start-mcp-server`` in it. ``environment`` is that of both; this process's own unless given.
        Raises ServerMissingError, ServerDiedError, ServerHungError, or ToolsMissingError where Serena offers
        ``serena_repl`` alone.
        """
        directory = launching.project_directory(project)
        given = dict(os.environ if environment is None else environment)
        stack = AsyncExitStack()
        try:
            serena = await connect(stack, launching.serena(serena_command, directory, given), limits.start_s)
            launching.check_tools(await serena.tools(limits.start_s))
            ours = await connect(stack, launching.codeloupe(codeloupe_command, directory, given), limits.start_s)
            yield cls(directory, ours, serena, limits)
        finally:
            await stack.aclose()  # without the block's exception: task groups would wrap it

    async def semantic_search(
        self, symbol_context: str, limit: int = 10, min_similarity: float = MIN_SIMILARITY, mode: str = "auto"
    ) -> CodeReferences:
        """What the project has to say to a question, a name or a piece of code, best first, confirmed by Serena.

        ``min_similarity`` is a cosine, -1 to 1, and is asked of hits by meaning (vectors and sketches): what words
        found has no cosine and stays, see ``CodeReference.by_meaning``; ``mode="semantic"`` leaves words out. A hit
        that Serena does not know, or not in time, is there with the reason in ``unconfirmed``; what went wrong as a
        whole is in ``notes``, beside what codeloupe says of its own answer.
        Raises ServerRefusedError where codeloupe refuses the search, ServerDiedError or ServerHungError of codeloupe.
        """
        asked = {"query": symbol_context, "limit": limit, "min_similarity": min_similarity, "mode": mode}
        return await self._confirmed(await self._search(asked))

    async def references(self, of: CodeReference | Symbol) -> list[Usage]:
        """Who uses a symbol, by Serena's ``find_referencing_symbols``.

        Raises ServerRefusedError where ``of`` is not confirmed or its language server is wanting, ServerDiedError,
        ServerHungError.
        """
        symbol = of.symbol if isinstance(of, CodeReference) else of
        if symbol is None:
            raise ServerRefusedError(f"Serena has no symbol for this hit, so no references: {_reason(of)}")
        asked = {"name_path": symbol.name_path, "relative_path": symbol.relative_path, "max_answer_chars": ANSWER_CHARS}
        return list(usages_of(await self._ask("find_referencing_symbols", asked, self._limits.references_s)))

    async def find_usage_patterns(self, function_signature: str) -> UsagePatterns:
        """How the function that a signature declares is used, the commonest shape of a call first.

        Its definitions are searched by name and confirmed; where Serena knows one, who uses it is Serena's answer, else
        every place that has ``name(`` in its text, and a note says so.
        Raises RequestError where the signature names no function, and what ``semantic_search`` raises.
        """
        name_path = function_name(function_signature)
        definitions = await self._definitions(name_path)
        name = simple_name(name_path)
        usages, notes = await self._usages(name, definitions)
        patterns = await anyio.to_thread.run_sync(self._patterns, name, usages)
        return UsagePatterns(name_path, tuple(definitions), patterns, definitions.worth, (*definitions.notes, *notes))

    async def _search(self, asked: dict[str, Any]) -> Found:
        """Our hits; whole chunks, as far as the answer has room, so that they can be held against the files."""
        wanted = {**asked, "format": "json", "detail": "full", "max_tokens": SEARCH_TOKENS}
        answer = await self._codeloupe.call("search", wanted, self._limits.search_s)
        if answer.is_error or not isinstance(answer.structured_content, dict):
            raise ServerRefusedError(f"codeloupe refused the search: {_text(answer)}")
        return _found(answer.structured_content)

    async def _confirmed(self, found: Found) -> CodeReferences:
        """The hits with their symbols, asked for file by file, all of them within one time limit."""
        trees = dict[str, tuple[Symbol, ...]]()
        reasons = dict[str, str]()
        paths = list(dict.fromkeys(hit.relative_path for hit in found.hits))
        with anyio.move_on_after(self._limits.confirm_s):
            async with anyio.create_task_group() as tasks:
                for path in paths:
                    tasks.start_soon(self._read_symbols, path, trees, reasons)
        late = f"Serena did not answer find_symbol within {self._limits.confirm_s:g} s."
        unmoved = await anyio.to_thread.run_sync(self._unmoved, found)
        matched = [
            _with_symbol(hit, match(Place(hit.name_path, hit.lines, same), trees[hit.relative_path]))
            if hit.relative_path in trees
            else replace(hit, unconfirmed=reasons.get(hit.relative_path, late))
            for hit, same in zip(found.hits, unmoved, strict=True)
        ]
        failed = (reasons.get(path, late) for path in paths if path not in trees)
        return CodeReferences(matched, found.worth, dict.fromkeys((*found.notes, *failed)))

    async def _read_symbols(self, path: str, trees: dict[str, tuple[Symbol, ...]], reasons: dict[str, str]) -> None:
        """Put the symbols of one file into ``trees``, or into ``reasons`` why there are none."""
        try:
            trees[path] = await self._symbols(path)
        except BridgeError as error:
            reasons[path] = str(error)

    async def _symbols(self, path: str) -> tuple[Symbol, ...]:
        asked = {
            "name_path_pattern": "/",
            "substring_matching": True,
            "relative_path": path,
            "depth": TREE_DEPTH,
            "exclude_kinds": [FILE_KIND],
            "max_answer_chars": ANSWER_CHARS,
        }
        return symbols_of(await self._ask("find_symbol", asked, self._limits.confirm_s), path)

    async def _ask(self, tool: str, asked: dict[str, Any], limit_s: float) -> str:
        """Serena's answer as text; its refusals are raised, also those that come as an answer."""
        async with self._calls:
            answer = await self._serena.call(tool, asked, limit_s)
        text = _text(answer)
        if answer.is_error or text.startswith("Error"):
            raise ServerRefusedError(launching.why_refused(text))
        return text

    def _unmoved(self, found: Found) -> list[bool]:
        """Of each hit, whether its file has at its lines what the index has; by word of the index where it is cut."""
        return [
            self._files.has(hit.relative_path, hit.lines, hit.content)
            if hit.content.count("\n") + 1 == len(hit.lines)
            else found.worth.current
            for hit in found.hits
        ]

    async def _definitions(self, name_path: str) -> CodeReferences:
        """Hits that define the name, by its last part and by as much of the rest as the signature gives."""
        found = await self._search({"query": name_path.replace("/", "."), "limit": 20})
        wanted = name_path.split("/")
        named = [
            hit for hit in found.hits if list(map(simple_name, hit.name_path.split("/")))[-len(wanted) :] == wanted
        ]
        return await self._confirmed(replace(found, hits=tuple(named[:DEFINITIONS])))

    async def _usages(self, name: str, definitions: CodeReferences) -> tuple[list[Usage], list[str]]:
        """Serena's uses of the definitions it knows; where it knows none, places by their text."""
        usages, notes = dict[tuple[str, int], Usage](), list[str]()
        known = dict.fromkeys(one.symbol for one in definitions if one.symbol)
        for symbol in known:
            try:
                usages.update({(usage.relative_path, usage.line): usage for usage in await self.references(symbol)})
            except BridgeError as error:
                notes.append(str(error))
        if known and not notes:
            return list(usages.values()), notes
        notes.append(f"uses are places that have {name}( in their text: Serena knows no definition of it")
        found = await self._search({"query": f"{name}(", "mode": "exact", "limit": 100})
        return await anyio.to_thread.run_sync(self._textual, name, found, list(definitions)), notes

    def _textual(self, name: str, found: Found, definitions: Iterable[CodeReference]) -> list[Usage]:
        """The lines of the hits that have ``name(``, but for those that define it."""
        defined = {(one.relative_path, one.lines.first) for one in definitions}
        return [
            Usage(hit.relative_path, line, text)
            for hit in found.hits
            for line, text in self._files.lines_with(hit.relative_path, hit.lines, f"{name}(")
            if (hit.relative_path, hit.lines.first) not in defined or line > hit.lines.first + 2
        ]

    def _patterns(self, name: str, usages: Iterable[Usage]) -> tuple[UsagePattern, ...]:
        shapes = dict[str, list[Usage]]()
        for usage in usages:
            text = self._files.from_line(usage.relative_path, usage.line) if usage.line else usage.text
            shapes.setdefault(call_shape(text, name), []).append(usage)
        patterns = [UsagePattern(shape, tuple(alike)) for shape, alike in shapes.items()]
        return tuple(sorted(patterns, key=lambda pattern: (-len(pattern.usages), pattern.shape)))


def _found(answer: dict[str, Any]) -> Found:
    fresh = answer["freshness"]
    worth = Worth(
        fresh["state"],
        fresh["text"],
        fresh["sketch"],
        fresh["vectors"],
        fresh["changed_files"],
        fresh["branch"],
        tuple(fresh["notes"]),
    )
    omitted = answer.get("omitted", 0)
    notes = (f"{omitted} more hits had no room in the answer; ask for fewer, or narrower",) if omitted else ()
    return Found(tuple(map(_reference, answer["hits"])), worth, notes)


def _reference(row: dict[str, Any]) -> CodeReference:
    return CodeReference(
        relative_path=row["file_path"],
        name_path=row["name_path"],
        kind=row["kind"],
        lines=Lines(row["start_line"], row["end_line"]),
        content=row["content"],
        score=row["score"],
        found_by=tuple(row["found_by"]),
    )


def _with_symbol(hit: CodeReference, matched: Match) -> CodeReference:
    return replace(hit, symbol=matched.symbol, matched_by=matched.by, unconfirmed=matched.reason)


def _reason(of: CodeReference | Symbol) -> str:
    return of.unconfirmed if isinstance(of, CodeReference) else ""


def _text(answer: Any) -> str:
    return "\n".join(part.text for part in answer.content if part.type == "text")
