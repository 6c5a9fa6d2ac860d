"""More like this: from a place in the code to what is searched for in its stead. Pure but for the stores asked."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from mcp_server.errors import RequestError
from storage.chunk import Chunk
from storage.ranking.terms import split_identifier
from storage.store import ChunkStore

TELLING_TERMS = 32  # of a chunk: its name's first, then those it repeats; the text index weighs each by its rarity
NAME_WORTH = 3  # as often as this in the text counts a term that stands in the chunk's name

_PLACE = re.compile(r"(?P<path>.+):(?P<line>\d{1,9})(?:-\d+)?")
_WORD = re.compile(r"[^\W\d]\w+")


class SearchedRoot(Protocol):
    """What of a root is needed here."""

    path: Path

    def open(self) -> ChunkStore:
        """The store, for reading."""
        ...


@dataclass(frozen=True, slots=True)
class Example:
    """The chunk whose like is wanted."""

    chunk: Chunk

    @property
    def terms(self) -> str:
        """Its most telling words, with blanks between; single words, so that no name in it is taken for asked."""
        counted = Counter(_parts(self.chunk.content))
        counted.update(dict.fromkeys(_parts(self.chunk.name_path), NAME_WORTH))
        return " ".join(term for term, _ in counted.most_common(TELLING_TERMS))

    @property
    def text(self) -> str:
        """What a model reads of it."""
        return self.chunk.embedding_text()


def find_example(like: str, roots: Mapping[Path, SearchedRoot]) -> Example:
    """The chunk at ``like``, "path:line" as answers write it; the line is 1-based, of "first-last" the first.

    Raises RequestError where the place does not parse, the file is not indexed or the line holds no code.
    """
    parsed = _PLACE.fullmatch(like.strip())
    if parsed is None:
        raise RequestError(f"like {like[:200]!r} is no place; write path:line as answers do, such as src/app.py:120.")
    path, line = parsed["path"].replace("\\", "/"), int(parsed["line"])
    stores = [(store, name) for root in roots.values() for store, name in _named(path, root, several=len(roots) > 1)]
    for store, name in stores:
        if (chunk := store.chunk_at(name, line)) is not None:
            return Example(chunk)
    raise RequestError(_why_not(path, line, stores))


def _named(path: str, root: SearchedRoot, *, several: bool) -> Iterable[tuple[ChunkStore, str]]:
    """The store, with the path as it knows it: relative to the root, whose name or whole path may stand before it."""
    store = root.open()
    prefixes = [f"{root.path.as_posix()}/", *([f"{root.path.name}/"] if several else []), "./", ""]
    return [(store, path.removeprefix(prefix)) for prefix in prefixes if path.startswith(prefix)][:1]


def _why_not(path: str, line: int, stores: Sequence[tuple[ChunkStore, str]]) -> str:
    known = {file: record for store, name in stores for file, record in store.files().items()}
    for _, name in stores:
        if name in known and known[name].skipped:
            return f"{path} was left out of the index ({known[name].skipped}); name another place."
        if name in known:
            return f"{path} has no code at line {line}; name a line within it that is not blank."
    file_name = PurePosixPath(path).name
    like = [file for file in known if PurePosixPath(file).name == file_name][:1]
    near = like or difflib.get_close_matches(path, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "take it from an answer, or index again."
    return f"{path} is not in the index; {hint}"


def _parts(text: str) -> list[str]:
    """The words of identifiers and of prose alike, lower case, of two letters and more."""
    return [
        part
        for word in _WORD.findall(text)
        for part in split_identifier(word)[:-1] or split_identifier(word)
        if len(part) > 1
    ]
