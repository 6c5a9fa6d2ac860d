"""Hits of our own making."""

from mcp_server.answers.answer import Answer, Found
from mcp_server.freshness import Freshness
from storage.chunk import Chunk, Hit, chunk_id, content_hash

CURRENT = Freshness("current", files=2, files_expected=2, chunks=4, vectors=4, sketches=4)


def chunk(
    content: str, path: str = "src/a.py", start: int = 10, name: str = "parse", index: int = 0, kind: str = "function"
) -> Chunk:
    return Chunk(
        id=chunk_id(path, content, index),
        file_path=path,
        chunk_index=index,
        content=content,
        start_line=start,
        end_line=start + content.count("\n"),
        start_byte=0,
        end_byte=len(content.encode()),
        language="python",
        kind=kind,
        name_path=name,
        defines=(name,),
        context="",
        content_hash=content_hash(content),
        file_hash="f" * 32,
    )


def found(content: str, score: float = 0.5, path: str = "src/a.py", matched: tuple[int, ...] = ()) -> Found:
    return Found(Hit(chunk(content, path), score, ("text", "vector"), matched))


def answer(
    *hits: Found, query: str = "parse a date", offset: int = 0, more: bool = False, freshness: Freshness = CURRENT
) -> Answer:
    return Answer(query, hits, offset, more, freshness)
