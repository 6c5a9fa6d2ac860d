"""The bridge itself: our search, Serena's symbols, and what the two say together."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import anyio.to_thread

from mcp_server.serena import launching
from mcp_server.serena.errors import BridgeError, ServerRefusedError
from mcp_server.serena.knowledge import Knowledge, Trees
from mcp_server.serena.matching import BY_NAME, Place, defined_as, match, simple_name
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
from mcp_server.serena.peers import Peer, connect, text_of
from mcp_server.serena.shapes import call_shape, declares, function_name
from mcp_server.serena.working_tree import WorkingTree

MIN_SIMILARITY = 0.4
LIMITS = Limits()
SEARCH_TOKENS = 12_000  # the most an answer may have: ten whole chunks take 4,000, a hundred places 10,000
DEFINITIONS = 3  # of one name, whose uses are looked for
NAMED = 20  # hits among which definitions of a name are looked for
CALLABLE = frozenset({"Function", "Method", "Constructor", "Class"})  # a field may be called like a function
TEXTUAL = 100  # hits by text, where Serena cannot say who uses a function


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
        self._serena = Knowledge(serena, limits)
        self._limits = limits
        self._files = WorkingTree(project)

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
        found = await self._search(asked)
        return await self._confirmed(found, await self._serena.of_files(hit.relative_path for hit in found.hits))

    async def references(self, of: CodeReference | Symbol) -> list[Usage]:
        """Who uses a symbol, by Serena's ``find_referencing_symbols``.

        Raises ServerRefusedError where ``of`` is not confirmed or its language server is wanting, ServerDiedError,
        ServerHungError.
        """
        symbol = of.symbol if isinstance(of, CodeReference) else of
        if symbol is None:
            raise ServerRefusedError(f"Serena has no symbol for this hit, so no references. {_reason(of)}")
        return list(await self._serena.usages(symbol))

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
        told = tuple(dict.fromkeys((*definitions.notes, *notes)))
        return UsagePatterns(name_path, tuple(definitions), patterns, definitions.worth, told)

    async def _search(self, asked: dict[str, Any]) -> Found:
        """Our hits; whole chunks, as far as the answer has room, so that they can be held against the files."""
        wanted = {**asked, "format": "json", "detail": "full", "max_tokens": SEARCH_TOKENS}
        answer = await self._codeloupe.call("search", wanted, self._limits.search_s)
        if answer.is_error or not isinstance(answer.structured_content, dict):
            raise ServerRefusedError(f"codeloupe refused the search: {text_of(answer)}")
        return _found(answer.structured_content)

    async def _confirmed(self, found: Found, trees: Trees) -> CodeReferences:
        """The hits with their symbols, or with the reasons why they have none."""
        unmoved = await anyio.to_thread.run_sync(self._unmoved, found)
        matched = [_with_symbol(hit, trees, unmoved=same) for hit, same in zip(found.hits, unmoved, strict=True)]
        return CodeReferences(matched, found.worth, (*found.notes, *trees.reasons.values()))

    def _unmoved(self, found: Found) -> list[bool]:
        """Of each hit, whether its file has at its lines what the index has; by word of the index where it is cut."""
        return [
            self._files.has(hit.relative_path, hit.lines, hit.content)
            if hit.content.count("\n") + 1 == len(hit.lines)
            else found.worth.current
            for hit in found.hits
        ]

    async def _definitions(self, name_path: str) -> CodeReferences:
        """Hits that define the name, by its last part and by as much of the rest as is given.

        A chunk of several short definitions is called after one of them: Serena's symbols at its lines are asked too.
        """
        found = await self._search({"query": name_path.replace("/", "."), "limit": NAMED})
        trees = await self._serena.of_files(hit.relative_path for hit in found.hits)
        named = dict[CodeReference, None]()
        for hit in await self._confirmed(found, trees):
            inner = [
                symbol for symbol in trees.symbols.get(hit.relative_path, ()) if hit.lines.shared_with(symbol.lines)
            ]
            symbol = next((one for one in inner if defined_as(name_path, one.name_path)), None)
            if symbol is not None:
                named[replace(hit, symbol=symbol, matched_by=BY_NAME, unconfirmed="")] = None
            elif defined_as(name_path, hit.name_path):
                named[hit] = None
        functions = [hit for hit in named if hit.symbol is None or hit.symbol.kind in CALLABLE] or list(named)
        reasons = {trees.reasons[hit.relative_path] for hit in named if hit.relative_path in trees.reasons}
        return CodeReferences(functions[:DEFINITIONS], found.worth, (*found.notes, *reasons))

    async def _usages(self, name: str, definitions: CodeReferences) -> tuple[list[Usage], list[str]]:
        """Serena's uses of the definitions it knows; where it knows none, or fails, places by their text."""
        usages, failures = dict[tuple[str, int], Usage](), list[str]()
        known = dict.fromkeys(one.symbol for one in definitions if one.symbol)
        for symbol in known:
            try:
                usages.update({(usage.relative_path, usage.line): usage for usage in await self.references(symbol)})
            except BridgeError as error:
                failures.append(str(error))
        if known and not failures:
            return list(usages.values()), []
        why = "; ".join(failures) or "Serena knows no definition of it"
        found = await self._search({"query": f"{name}(", "mode": "exact", "limit": TEXTUAL})
        textual = await anyio.to_thread.run_sync(self._textual, name, found)
        return textual, [f"uses are the places that have {name}( in their text: {why}"]

    def _textual(self, name: str, found: Found) -> list[Usage]:
        """The lines of the hits that have ``name(``, but for those that look like its definition."""
        return [
            Usage(hit.relative_path, line, text)
            for hit in found.hits
            for line, text in self._files.lines_with(hit.relative_path, hit.lines, f"{name}(")
            if not declares(text, name)
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


def _with_symbol(hit: CodeReference, trees: Trees, *, unmoved: bool) -> CodeReference:
    symbols = trees.symbols.get(hit.relative_path)
    if symbols is None:
        return replace(hit, unconfirmed=trees.reasons[hit.relative_path])
    matched = match(Place(hit.name_path, hit.lines, unmoved), symbols)
    return replace(hit, symbol=matched.symbol, matched_by=matched.by, unconfirmed=matched.reason)


def _reason(of: CodeReference | Symbol) -> str:
    return of.unconfirmed if isinstance(of, CodeReference) else ""
