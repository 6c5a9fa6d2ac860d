r"""Halves of letters on the wire: JSON can hold a lone surrogate, UTF-8 cannot.

A string of JavaScript is UTF-16, and one that was cut may end with half a letter, which JSON.stringify writes as
``\ud83d``. The SDK's parser refuses the line and drops it, so nobody would answer the request and its client would wait
for as long as it waits for anything. Here such a half becomes U+FFFD, and a byte order mark before a message, which
programs of Windows write, goes. The other way, the name of a file or directory that is not UTF-8 is a string with
halves in Python, and the SDK's writer would end the server at it: such bytes are shown by their code.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextvars import Context
from dataclasses import replace
from typing import Any, Protocol, Self, TypeVar

from pydantic import BaseModel, ValidationError

from mcp_server.sdk import SessionMessage, jsonrpc_message_adapter

T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)

_ESCAPED = re.compile(r"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(u[dD][89a-fA-F][\da-fA-F]{2})|.)")
_MARK = "\ufeff"


class Stream(Protocol[T_co]):
    """What the SDK reads messages from."""

    def __aiter__(self) -> AsyncIterator[T_co]:
        """The stream itself."""
        ...

    async def receive(self) -> T_co:
        """The next one."""
        ...

    async def aclose(self) -> None:
        """Read no more."""
        ...


class Sink(Protocol[T_contra]):
    """What the SDK writes messages to."""

    async def send(self, item: T_contra, /) -> None:
        """One of them."""
        ...

    async def aclose(self) -> None:
        """Write no more."""
        ...


class Sound:
    """``inner``, to which no message goes that cannot be written as UTF-8."""

    def __init__(self, inner: Sink[SessionMessage]) -> None:
        self._inner = inner

    async def send(self, item: SessionMessage, /) -> None:
        """See Sink."""
        await self._inner.send(replace(item, message=sound(item.message)))

    async def aclose(self) -> None:
        """See Sink."""
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        """It is open already."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.aclose()


class Mended:
    """``inner``, in which a line that could not be read is the message that it was to be, where it can be told."""

    def __init__(self, inner: Stream[SessionMessage | Exception]) -> None:
        self._inner = inner
        self._items = aiter(inner)

    @property
    def last_context(self) -> Context | None:
        """The context in which the last item was sent, as the SDK wants to know it."""
        context: Context | None = getattr(self._inner, "last_context", None)
        return context

    def __aiter__(self) -> Self:
        """See Stream."""
        return self

    async def __anext__(self) -> SessionMessage | Exception:
        """The next one."""
        return mended(await anext(self._items))

    async def receive(self) -> SessionMessage | Exception:
        """See Stream."""
        return mended(await self._inner.receive())

    async def aclose(self) -> None:
        """See Stream."""
        await self._inner.aclose()

    async def __aenter__(self) -> Self:
        """It is open already."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        await self.aclose()


def mended(item: SessionMessage | Exception) -> SessionMessage | Exception:
    """The message that a line was to be, where ``item`` is the parser's refusal of one; else ``item``. Pure."""
    if not isinstance(item, ValidationError):
        return item
    line = item.errors(include_url=False, include_context=False)[0]["input"]
    if not isinstance(line, str):
        return item
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(whole(line), by_name=False))
    except ValidationError:
        return item


def whole(line: str) -> str:
    """A line of JSON with U+FFFD for each half of a letter, and no byte order mark. Pure."""
    return _ESCAPED.sub(lambda escape: r"\ufffd" if escape[1] else escape[0], line.removeprefix(_MARK))


def sound(value: Any) -> Any:
    """``value``, a message or what is in one, with each half of a letter shown by its code. Pure."""
    if isinstance(value, str):
        return _printable(value)
    if isinstance(value, dict):
        return {sound(name): sound(one) for name, one in value.items()}
    if isinstance(value, list):
        return [sound(one) for one in value]
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: sound(getattr(value, name)) for name in value.model_fields_set})
    return value


def _printable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
