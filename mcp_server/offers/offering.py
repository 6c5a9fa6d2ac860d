"""What the server offers beside its tools: resources, prompts and completions, as MCP has them.

What they do is elsewhere, and imported when a client first asks for it. A refusal reaches a client as an error of the
protocol with one sentence, since the SDK passes on an MCPError and nothing else: -32602 where the request is to be
changed, -32010 where a resource is there and not given out, -32603 where something here failed. Any other exception is
a bug and looks like one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread

from mcp_server import sdk
from mcp_server.errors import EXPECTED
from mcp_server.failures import as_protocol_error
from mcp_server.half_letters import Mended, Sound
from mcp_server.offers.code_uri import STATUS, TEMPLATE
from mcp_server.offers.supplies import Supplies

if TYPE_CHECKING:
    from mcp_server.offers.resources import Resources

T = TypeVar("T")

# Beside the tools' threads: a file is read in milliseconds, and who types asks with every letter.
THREADS = 4

# What clients show of the two.
STATUS_SAYS = "What is indexed of each root, how complete and fresh it is, the model, memory, the last error."
LINES_SAY = (
    "Lines of a source file as it is in the working tree now. path: as search answers show it. start, end: 1-based and "
    "inclusive; without them the whole file. At most 40,000 characters; the last line says how to read on. Files that "
    "are ignored, secret, binary, generated or too large are refused."
)


class OfferingServer(sdk.MCPServer):
    """MCPServer with our resources, prompts and completions."""

    def __init__(self, name: str, supplies: Supplies, **options: Any) -> None:
        # No list here ever changes, so nothing is to be subscribed to.
        super().__init__(name, subscriptions=False, **options)
        self._supplies = supplies
        self._threads = anyio.CapacityLimiter(THREADS)
        self._opened: Resources | None = None
        register: Callable[[Any], Any] = self.completion()  # type: ignore[no-untyped-call]
        register(self._complete)

    async def run_stdio_async(self) -> None:
        """As MCPServer's, but for texts that can be read and written here and not there."""
        server = self._lowlevel_server
        async with sdk.stdio_server() as (reading, writing):
            await server.run(Mended(reading), Sound(writing), server.create_initialization_options())

    async def list_resources(self) -> list[sdk.Resource]:
        """The index's status alone.

        A list of files would be the tree over again: clients keep all of it to complete "@", beside their own list of
        the same files, and 60,000 of them are 10 MB, at which clients close.
        """
        return [
            sdk.Resource(
                uri=STATUS, name="status", title="Index status", description=STATUS_SAYS, mime_type="text/plain"
            )
        ]

    async def list_resource_templates(self) -> list[sdk.ResourceTemplate]:
        """Lines of files."""
        return [
            sdk.ResourceTemplate(uri_template=TEMPLATE, name="lines", title="Lines of a file", description=LINES_SAY)
        ]

    async def read_resource(self, uri: Any, context: Any = None) -> list[sdk.ReadResourceContents]:  # noqa: ARG002 - the SDK's
        """The status, or lines of a file."""
        address = str(uri)
        return [await self._on_a_thread(lambda: self._resources().read(address), {"uri": address[:1000]})]

    async def list_prompts(self) -> list[sdk.Prompt]:
        """The usual questions."""
        from mcp_server.offers.prompts import PROMPTS

        return [
            sdk.Prompt(
                name=one.name,
                title=one.title,
                description=one.description,
                arguments=[
                    sdk.PromptArgument(name=each.name, description=each.description, required=each.required)
                    for each in one.arguments
                ],
            )
            for one in PROMPTS.values()
        ]

    async def get_prompt(
        self,
        name: str,
        arguments: dict[str, Any] | None = None,
        context: Any = None,  # noqa: ARG002 - the SDK's
    ) -> sdk.GetPromptResult:
        """One of them, as a message of the user."""
        from mcp_server.offers.prompts import prompt

        try:
            asked = prompt(name)
            message = sdk.TextContent(type="text", text=asked.render(arguments or {}))
        except EXPECTED as error:
            raise as_protocol_error(error) from error
        return sdk.GetPromptResult(
            description=asked.description, messages=[sdk.PromptMessage(role="user", content=message)]
        )

    async def _complete(
        self,
        reference: sdk.PromptReference | sdk.ResourceTemplateReference,
        argument: sdk.CompletionArgument,
        context: Any,  # noqa: ARG002 - the SDK's; no argument here depends on another
    ) -> sdk.Completion:
        name, typed = argument.name, argument.value
        return await self._on_a_thread(lambda: self._resources().completions.complete(reference, name, typed))

    def _resources(self) -> Resources:
        """Made when first needed; two threads that make it at once make the same."""
        if self._opened is None:
            from mcp_server.offers.resources import Resources

            self._opened = Resources(self._supplies)
        return self._opened

    async def _on_a_thread(self, work: Callable[[], T], data: dict[str, str] | None = None) -> T:
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._threads, abandon_on_cancel=True)
        except EXPECTED as error:
            raise as_protocol_error(error, data) from error
