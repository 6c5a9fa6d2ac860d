"""What a client offers while a user types a path, a language or a kind; asked of the index, never of the tree."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from indexer.vocabulary import KINDS, LANGUAGES
from mcp_server.errors import RequestError
from mcp_server.offers import prompts
from mcp_server.offers.code_uri import SCHEME, TEMPLATE, path_variable
from mcp_server.offers.path_list import Fitting, PathList, fitting
from mcp_server.sdk import Completion, PromptReference, ResourceTemplateReference
from storage.errors import IndexUnusableError

if TYPE_CHECKING:
    from mcp_server.engine import Engine
    from mcp_server.indexes.root_index import RootIndex

MOST = 100  # values in an answer, as the protocol has it

Reference = PromptReference | ResourceTemplateReference


class Completions:
    """Completes arguments from what an engine's roots hold. Thread-safe."""

    def __init__(self, engine: Callable[[], Engine]) -> None:
        self._engine = engine
        self._paths = PathList(self._read)

    def complete(self, reference: Reference, argument: str, typed: str) -> Completion:
        """The best values of ``argument`` for what was ``typed``, at most MOST.

        Raises RequestError where there is no such thing to complete, StorageError.
        """
        if isinstance(reference, ResourceTemplateReference):
            found = self._of_address(reference.uri, argument, typed)
        else:
            found = self._of_prompt(reference.name, argument, typed)
        return Completion(values=list(found.values), total=found.total, has_more=found.total > len(found.values))

    def near(self, path: str) -> str:
        """The indexed path that is most like ``path``, "" where none is."""
        blocks = self._paths.current().blocks
        tries = (path, path.rpartition("/")[2])
        return next((found.values[0] for wanted in tries if (found := fitting(blocks, wanted, 1)).values), "")

    def _of_address(self, uri: str, argument: str, typed: str) -> Fitting:
        if uri != TEMPLATE:
            raise RequestError(f"{uri[:300]!r} is no template of this server; it has {TEMPLATE}.")
        if argument in ("start", "end"):
            return Fitting((), 0)  # any line
        if argument != "path":
            raise RequestError(f"{TEMPLATE} has no {argument[:100]!r}; it takes path, start, end.")
        found = self._path(unquote(typed.removeprefix(SCHEME)).lstrip("/"))
        return Fitting(tuple(map(path_variable, found.values)), found.total)

    def _of_prompt(self, name: str, argument: str, typed: str) -> Fitting:
        taken = prompts.prompt(name).argument(argument)
        if taken.name == "path":
            return self._path(typed)
        if taken.name == "language":
            here = self._paths.current().languages
            return words_for(typed, [*here, *sorted(LANGUAGES.difference(here))])
        return words_for(typed, sorted(KINDS)) if taken.name == "kind" else Fitting((), 0)

    def _path(self, typed: str) -> Fitting:
        return fitting(self._paths.current().blocks, typed, MOST)

    def _read(self) -> Iterator[tuple[str, str]]:
        """Path and language of each indexed file, the root's name before it where there are several."""
        roots = self._engine().roots
        for root, index in roots.items():
            lead = f"{root.name}/" if len(roots) > 1 else ""
            yield from ((lead + path, language) for path, language in indexed(index))


def indexed(root: RootIndex) -> Iterator[tuple[str, str]]:
    """Path and language of each indexed file; where there is no index, one is begun."""
    try:
        records = root.open().files()
    except IndexUnusableError:
        records = {}
    if not records:
        root.refresh_or_current()
    return ((path, record.language) for path, record in records.items() if not record.skipped)


def words_for(typed: str, words: Collection[str]) -> Fitting:
    """Those of ``words`` that begin with what was typed, then those that hold it; at most MOST. Pure."""
    wanted = typed.strip().lower()
    holding = [word for word in words if wanted in word]
    ordered = sorted(holding, key=lambda word: not word.startswith(wanted))
    return Fitting(tuple(ordered[:MOST]), len(ordered))
