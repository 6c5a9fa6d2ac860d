"""The lines of a hit in the order they are worth to a reader: evidence, telling lines, the rest. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from storage.chunk import Chunk, Hit
from storage.ranking.terms import query_terms, text_terms

TELLING_LINES = 5  # with the signature they show in most hits why it was found; more is for the whole chunk
LEAD_LINES = 3  # of a hit that shares no word with the query: what follows the signature tells most
MAX_LINE_CHARS = 200  # a longer line is data more often than code
ELLIPSIS = "…"

# A line that does not say what is defined: comments, decorators, attributes, the ends of blocks of them.
_ASIDE = re.compile(
    r"\s*(?:#(?!\s*(?:define|if|ifdef|ifndef|include|import|macro)\b)|//|/?\*|--|%|;|@|\[<|'''|\"\"\"|\{-|<!--|$)"
)
_WORD = re.compile(r"\w+")
_QUOTE = re.compile(r'"""|\'\'\'')
_OPEN, _CLOSE = re.compile(r"/\*|\{-|<!--|^=begin"), re.compile(r"\*/|-\}|-->|^=end")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Numbered lines, 1-based as in the file, best first: one of evidence, ``telling`` more, then the rest in order."""

    lines: tuple[tuple[int, str], ...]
    telling: int


def excerpt(hit: Hit, query: str, *, whole: bool = False) -> Excerpt:
    """The lines of ``hit``, held against ``query``.

    Of an exact match there is no rest unless ``whole``: who asks for a literal wants its lines.
    """
    chunk = hit.chunk
    lines = list(enumerate(chunk.content.split("\n"), chunk.start_line))
    signature = chunk.start_line + signature_line(chunk)
    first = hit.matched_lines[0] if hit.matched_lines else signature
    telling = [number for number in _telling(lines, hit, query, signature) if number != first]
    ahead = (first, *telling)
    rest = [line for line in lines if line[0] not in ahead] if whole or not hit.matched_lines else []
    numbered = dict(lines)
    return Excerpt((*((number, numbered[number]) for number in ahead), *rest), len(telling))


def signature_line(chunk: Chunk) -> int:
    """The 0-based line of the chunk that says what it is: that which defines its name, after comments and the like."""
    lines = chunk.content.split("\n")
    spoken = [number for number, line in enumerate(lines) if line.strip()] or [0]
    if chunk.kind == "section":
        return spoken[0]
    code = _code_lines(lines) or spoken
    name = re.split(r"[/.:#]", chunk.name_path)[-1]
    return next((number for number in code if name and name in lines[number] and _holds(lines[number], name)), code[0])


def cut(line: str) -> str:
    """The line, or its first characters and a mark."""
    return line if len(line) <= MAX_LINE_CHARS else line[:MAX_LINE_CHARS] + ELLIPSIS


def _holds(line: str, name: str) -> bool:
    """Whether the name stands in the line as a word of its own."""
    at = line.find(name)
    while at >= 0:
        around = line[max(0, at - 1) : at] + line[at + len(name) : at + len(name) + 1]
        if not _WORD.search(around):
            return True
        at = line.find(name, at + 1)
    return False


def _code_lines(lines: list[str]) -> list[int]:
    """The lines that are no comment, decorator or attribute, nor within quotes or comments of several lines."""
    code, quoted, commented = [], False, False
    for number, line in enumerate(lines):
        inside = quoted or commented
        quoted ^= len(_QUOTE.findall(line)) % 2 == 1
        commented = (commented or bool(_OPEN.search(line))) and not _CLOSE.search(line)
        if not inside and not _ASIDE.match(line):
            code.append(number)
    return code


def _telling(lines: list[tuple[int, str]], hit: Hit, query: str, signature: int) -> list[int]:
    """The numbers of the lines that show best why the hit was found."""
    if hit.matched_lines:
        return list(dict.fromkeys((*hit.matched_lines, signature)))
    terms = frozenset(query_terms(query))
    shares = [(number, len(_shared(line, terms))) for number, line in lines if number != signature]
    best = sorted((share for share in shares if share[1]), key=lambda share: (-share[1], share[0]))
    if best:
        return [number for number, _ in best[:TELLING_LINES]]
    return [number for number, line in lines if number > signature and line.strip()][:LEAD_LINES]


def _shared(line: str, terms: frozenset[str]) -> set[str]:
    """The terms that stand in the line."""
    return {term for word in _WORD.findall(line) for term in _asked(word, terms)}


@lru_cache(maxsize=1 << 11)
def _asked(word: str, terms: frozenset[str]) -> frozenset[str]:
    """The terms that one word of a line gives and the query asks for; an answer's lines repeat their words."""
    return terms.intersection(text_terms(word))
