"""Files into chunks: the definitions of a language in pieces of bearable size.

The steps: languages.py names the language, an outline (syntax.py, prose.py) finds its units, pieces.py opens what is
too large, merging.py joins what is too small, and here each piece becomes a Chunk. Every non-blank line of a file is in
exactly one chunk, chunks are in file order, and lines are never cut.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from indexer.languages import detect_language, loose_kind
from indexer.lines import Lines
from indexer.merging import merge
from indexer.pieces import Limits, Piece, cut
from indexer.prose import SectionOutline
from indexer.units import Outline, PlainOutline, Unit
from storage.chunk import Chunk, chunk_id, content_hash, with_context

if TYPE_CHECKING:
    from indexer.settings import IndexSettings

CHUNKER_VERSION = "3"  # raised whenever the same file and settings give other chunks
# Estimated, where MiniLM reads 512: of 18,800 chunks none but single long lines had more. 5 to 10 % of chunks of code
# end here rather than at their characters.
MAX_CHUNK_TOKENS = 400
MAX_PARSED_CHARS = 4 << 20  # a tree takes some 30 times its text in memory; what is longer is cut by its lines


def chunker_fingerprint(settings: IndexSettings) -> str:
    """What chunks depend on besides the files: an index made with another fingerprint must be made again."""
    return f"{CHUNKER_VERSION}:{_grammars()}:{settings.max_chunk_chars}:{MAX_CHUNK_TOKENS}"


@cache
def _grammars() -> str:
    """The grammar pack's version; looked up once, since every search compares fingerprints."""
    from importlib.metadata import version  # 20 ms

    return version("tree-sitter-language-pack")


def chunk_file(path: str, text: str, file_hash: str, settings: IndexSettings) -> tuple[Chunk, ...]:
    """The chunks of one file, none for a blank one.

    ``path`` is relative with ``/``; ``text`` is decoded, has no byte order mark, only line feeds as line ends, and can
    be encoded as UTF-8 (UnicodeEncodeError otherwise). A chunk's content is at most ``settings.max_chunk_chars``
    characters and an estimated MAX_CHUNK_TOKENS tokens long, but for a single line that is longer. Nothing is raised
    for text that does not parse.
    """
    language = detect_language(path, text)
    lines = Lines(text)
    limits = Limits(settings.max_chunk_chars, MAX_CHUNK_TOKENS)
    pieces = merge(cut(_outline(language, text, lines), lines, limits), lines, limits)
    return _chunks(pieces, lines, _File(path, file_hash, language))


def _outline(language: str, text: str, lines: Lines) -> Outline:
    """What is known of the file's structure."""
    outline: Outline | None = None
    if language in {"markdown", "rst"}:
        return SectionOutline(language, lines)
    if language != "text" and len(text) <= MAX_PARSED_CHARS:
        from indexer.syntax import parse

        outline = parse(language, lines)
    return outline or PlainOutline(Unit(0, len(lines) - 1))


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    file_hash: str
    language: str


def _chunks(pieces: list[Piece], lines: Lines, file: _File) -> tuple[Chunk, ...]:
    """Chunks of the pieces; equal contents are told apart by their number."""
    seen: Counter[str] = Counter()
    chunks: list[Chunk] = []
    for index, piece in enumerate(pieces):
        content = lines.text(piece.first, piece.last)
        read = with_context(piece.context, content)
        start, end = lines.byte_span(piece.first, piece.last)
        chunks.append(
            Chunk(
                id=chunk_id(file.path, read, seen[read]),
                file_path=file.path,
                chunk_index=index,
                content=content,
                start_line=piece.first + 1,
                end_line=piece.last + 1,
                start_byte=start,
                end_byte=end,
                language=file.language,
                kind=piece.kind or piece.scope.kind or loose_kind(file.language),
                name_path=piece.path if piece.kind else piece.scope.path,
                defines=tuple(dict.fromkeys(piece.defines)),
                context=piece.context,
                content_hash=content_hash(content),
                file_hash=file.file_hash,
            )
        )
        seen[read] += 1
    return tuple(chunks)
