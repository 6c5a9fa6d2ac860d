"""The four tools: their names, schemas and words for the model. What they do is the engine's."""

from __future__ import annotations

import inspect
import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import anyio.from_thread
import anyio.to_thread
from pydantic import Field, ValidationError

from indexer.vocabulary import KINDS, LANGUAGES
from mcp_server import failures, requests
from mcp_server.answers.rows import as_json
from mcp_server.answers.text import as_text
from mcp_server.errors import EXPECTED, ProductError
from mcp_server.metrics.calls import OTHER, ToolCall
from mcp_server.metrics.meter import Meter
from mcp_server.offers.offering import OfferingServer
from mcp_server.offers.supplies import Supplies
from mcp_server.sdk import (
    CallToolResult,
    Context,
    TextContent,
    ToolAnnotations,
    ToolError,
    stateless,
)
from mcp_server.settings import Settings

if TYPE_CHECKING:  # imported at the first tool call: a client's first request waits for neither
    from mcp_server.engine import Engine
    from mcp_server.indexes.job_view import JobView
    from mcp_server.indexes.jobs import Job
    from mcp_server.metrics.reporting import Reporting

    OpenEngine = Callable[[], Engine]

INSTRUCTIONS = """\
codeloupe searches the code of this workspace by meaning, by name and by text, locally. Use `search` first when you \
need to find where something is defined, used, configured or explained ("where are retries handled", "ZodError", \
"parse_config", an error message), before grep or reading files: one call returns the right lines of the right files. \
mode="exact" or "regex" finds every literal occurrence, like="path:line" more of the same kind. Results come with \
path:first-last line ranges to read next. \
Each answer ends with how fresh and complete the index is; a first search starts the index by itself and answers from \
words at once while meaning is added in the background. `index` refreshes on demand, `status` says what is going on, \
`embed` gives raw vectors."""

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False)

# Threads of our own: stdin and stdout live on the default ones and must never wait for a search.
SEARCH_THREADS = 8
INDEX_THREADS = 8
EMBED_THREADS = 4


def enum(*values: str) -> dict[str, Any]:
    """A schema's list of allowed strings; requests.py refuses others in words."""
    return {"enum": list(values)}


Query = Annotated[
    str,
    Field(
        description="What to find: a question in words, a name, a path or path:line, an error message, a line "
        "of a stack trace, a piece of code, quoted text; with mode exact or regex a pattern."
    ),
]
Limit = Annotated[int, Field(description="Hits to return, 1 to 100; 0: ten, or as many as max_tokens has room for.")]
Offset = Annotated[int, Field(description="Hits to skip, for the next page.")]
Mode = Annotated[
    str,
    Field(
        description="auto: words and meaning together. semantic: meaning alone. text: words alone. "
        "exact: the literal string. regex: a regular expression, line by line.",
        json_schema_extra=enum(*requests.MODES),
    ),
]
Paths = Annotated[list[str], Field(description='Globs of paths to search, e.g. "src/**/*.ts"; a leading "!" excludes.')]
Languages = Annotated[list[str], Field(description='Languages to search, e.g. "python", "typescript".')]
Kinds = Annotated[list[str], Field(description='Kinds to return, e.g. "function", "class", "method".')]
Floor = Annotated[
    float, Field(description="Least cosine similarity of hits by meaning, -1 to 1; -1 uses the model's own floor.")
]
Detail = Annotated[
    str,
    Field(
        description="snippets: each hit's signature and telling lines, then whole chunks, best first, while they fit. "
        "full: whole chunks at once. locations: places alone, a tenth of the size.",
        json_schema_extra=enum(*requests.DETAILS),
    ),
]
MaxTokens = Annotated[int, Field(description="Most tokens in the answer, 100 to 12,000; 0 for 2,000 (full: 4,000).")]
Format = Annotated[
    str, Field(description="text for reading, json for programs.", json_schema_extra=enum(*requests.FORMATS))
]


Explain = Annotated[bool, Field(description="Say of each hit which signals made its score.")]
Like = Annotated[
    str, Field(description='"path:line" of code to find more like it; query may then be empty, or narrows it.')
]

IndexPath = Annotated[str, Field(description='A directory under an allowed root; "" for the first root.')]
Force = Annotated[bool, Field(description="Read every file again.")]
Wait = Annotated[bool, Field(description="Return when the index is complete, with progress on the way.")]
Texts = Annotated[list[str], Field(description="1 to 1,000 texts.")]
TextKind = Annotated[
    str,
    Field(description="Some models embed the two differently.", json_schema_extra=enum(*requests.EMBED_KINDS)),
]
UseCache = Annotated[bool, Field(description="Take vectors from the user's cache, and keep them there.")]
EmbedSeconds = Annotated[float, Field(description="Seconds that the model may take, at most 600.")]


class Tools:
    """The tools' functions, bound to one engine."""

    def __init__(self, engine: OpenEngine, settings: Settings, reporting: Reporting) -> None:
        self._engine = engine
        self._settings = settings
        self._reporting = reporting
        self._waiting: Counter[Job] = Counter()
        self._search_threads = anyio.CapacityLimiter(SEARCH_THREADS)
        self._index_threads = anyio.CapacityLimiter(INDEX_THREADS)
        self._embed_threads = anyio.CapacityLimiter(EMBED_THREADS)

    async def search(
        self,
        query: Query = "",
        limit: Limit = 0,
        offset: Offset = 0,
        mode: Mode = "auto",
        paths: Paths = [],
        languages: Languages = [],
        kinds: Kinds = [],
        min_similarity: Floor = -1.0,
        detail: Detail = "snippets",
        max_tokens: MaxTokens = 0,
        format: Format = "text",
        explain: Explain = False,
        like: Like = "",
    ) -> CallToolResult:
        """Find code in this repository by meaning, name or text: definitions, implementation, usages, examples.

        Use this before grep or reading files, to locate code: ask in words ("where are errors handled"), by name
        ("HttpClient.send", "parseConfig"), by path:line, with an error message or a line of a stack trace, with literal
        text (mode="exact" or "regex"), by example (like="path:line").
        Places come best first, as path:first-last and name, with numbered lines: signature and telling lines of each,
        the best whole while they fit in max_tokens. The last lines say what was left out and how fresh and complete
        the index is.
        """
        filters = requests.filters_from(paths, languages, kinds, (LANGUAGES, KINDS))
        floor = None if min_similarity == -1.0 else min_similarity
        how = requests.answering(detail, format, max_tokens, self._settings.search.max_tokens, explain=explain)
        hits = requests.hits_wanted(limit, max_tokens, how, self._settings.search.limit)
        request = requests.checked(requests.SearchRequest(query, hits, offset, mode, filters, floor, like))
        answer = await anyio.to_thread.run_sync(
            lambda: self._engine().search(request), limiter=self._search_threads, abandon_on_cancel=True
        )
        if how.format == "json":
            return structured(as_json(answer, how))
        return text(as_text(answer, how))

    async def index(
        self, ctx: Context, path: IndexPath = "", force: Force = False, wait: Wait = False
    ) -> CallToolResult:
        """Start or refresh the index of a workspace root; searches do this by themselves, so it is rarely needed.

        Returns at once with what is going on, or with wait=true when the index is complete.
        """
        job = await anyio.to_thread.run_sync(
            lambda: self._engine().start_index(path, force=force), limiter=self._index_threads
        )
        view = job.view()
        if wait:
            view = await self._wait(ctx, job)
        return text(view.sentence())

    async def _wait(self, ctx: Context, job: Job) -> JobView:
        """Report progress until the job rests; the last wait that is cancelled stops the job, its commits stay."""
        seen, told = job.view(), -1.0
        self._waiting[job] += 1
        try:
            while not seen.resting:
                if seen.share > told:  # progress may only grow; "walk" and "tidy" have none to tell
                    told = seen.share
                    await ctx.report_progress(round(100 * told, 1), 100, seen.sentence())
                seen = await anyio.to_thread.run_sync(
                    partial(job.wait_for_change, seen, 1.0), limiter=self._index_threads, abandon_on_cancel=True
                )
        except anyio.get_cancelled_exc_class():
            if self._waiting[job] == 1:
                job.stop(wait=False)  # waiting would hold up every other request
            raise
        finally:
            self._waiting[job] -= 1
        if seen.error:
            raise ProductError(seen.error)
        return (
            seen  # the answer tells the end: a client may take a notification just before it for one that came too late
        )

    async def embed(
        self, texts: Texts, kind: TextKind = "document", cache: UseCache = True, timeout: EmbedSeconds = 30.0
    ) -> CallToolResult:
        """Vectors of texts from the local embedding model, for clients that rank or cluster by themselves.

        Returns vectors of norm 1, their dimension and the model's name.
        """
        wanted = requests.embed_texts(texts, kind)
        timeout_s = requests.embed_timeout(timeout)
        vectors = await anyio.to_thread.run_sync(
            lambda: self._engine().embed(wanted, kind, cache=cache, timeout_s=timeout_s),
            limiter=self._embed_threads,
            abandon_on_cancel=True,
        )
        return structured(vectors)

    async def status(self, format: Format = "text") -> CallToolResult:
        """What is indexed, how complete and fresh it is, which model runs, memory in use, the last error.

        Per root: state, files, chunks, coverage of each tier, index kind, and what runs now.
        """
        if format == "json":
            return structured(await anyio.to_thread.run_sync(self._status_as_json, limiter=self._index_threads))
        return text(await anyio.to_thread.run_sync(self.status_as_text, limiter=self._index_threads))

    def _status_as_json(self) -> dict[str, Any]:
        return self._engine().status().as_json() | {"metrics": self._reporting.as_json()}

    def status_as_text(self) -> str:
        """What ``status`` says to a reader."""
        return f"{self._engine().status().sentence()}\n{self._reporting.sentence()}"


class CodeloupeServer(OfferingServer):
    """An MCP server whose refusals are sentences: unknown arguments, bad types, and our own expected errors."""

    meter: Meter

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        """Call a tool; expected failures leave as ToolError with one sentence."""
        tool = self._tool_manager.get_tool(name)
        with ToolCall(self.meter, name if tool is not None else OTHER):
            return await self._called(tool, name, arguments, context)

    async def _called(self, tool: Any, name: str, arguments: dict[str, Any], context: Any) -> Any:
        if tool is not None:
            failures.check_arguments(name, arguments, tool.parameters["properties"])
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError):
                raise ToolError(failures.argument_sentence(name, cause)) from cause
            if isinstance(cause, EXPECTED):
                raise failures.as_tool_error(cause) from cause
            raise


def build(
    engine: OpenEngine, settings: Settings, version: str, reporting: Reporting, middleware: Sequence[Any] = ()
) -> CodeloupeServer:
    """The server, whole; nothing heavy is loaded, and ``engine`` is called by the first request that needs it."""
    tools = Tools(engine, settings, reporting)
    server = CodeloupeServer(
        "codeloupe",
        Supplies(engine, settings.index, tools.status_as_text),
        title="codeloupe",
        instructions=INSTRUCTIONS,
        version=version,
        log_level="WARNING",
        middleware=middleware,
        request_state_security=stateless(),
    )
    server.meter = reporting.meter
    for tool, title, hints in (
        (tools.search, "Search code", READS),
        (tools.index, "Index code", WRITES),
        (tools.embed, "Embed texts", READS),
        (tools.status, "Index status", READS),
    ):
        server.add_tool(tool, title=title, description=inspect.getdoc(tool), annotations=hints, structured_output=False)
    return server


def text(content: str) -> CallToolResult:
    """An answer to read."""
    return CallToolResult(content=[TextContent(type="text", text=content)])


def structured(content: dict[str, Any]) -> CallToolResult:
    """An answer to parse; the text is the same object for clients that read only text."""
    return CallToolResult(
        content=[TextContent(type="text", text=json.dumps(content, ensure_ascii=False))], structured_content=content
    )
