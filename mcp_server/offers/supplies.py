"""What resources, prompts and completions are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from indexer.settings import IndexSettings

if TYPE_CHECKING:
    from mcp_server.engine import Engine

    OpenEngine = Callable[[], Engine]


@dataclass(frozen=True, slots=True)
class Supplies:
    """The engine, its settings and a sentence; nothing of it is called before a client asks."""

    engine: OpenEngine
    settings: IndexSettings
    status: Callable[[], str]  # as the tool of this name says it to a reader
