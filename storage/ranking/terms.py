"""Text into terms: what the text index is made of, and what a query asks it for.

A term is lower case and holds no white space, because the text index splits at white space and at nothing else.
Identifiers give their parts and, joined, themselves: ``HTTPServer``, ``http_server`` and ``httpServer`` all give
``http server httpserver``, so either spelling finds the other. Of English words the endings are taken off
(storage/ranking/words.py), in the index and in a query alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

import regex

from storage.ranking.words import stem

if TYPE_CHECKING:
    from storage.chunk import Chunk

MAX_TERM_CHARS = 64  # longer runs are keys, hashes and encoded data: nobody asks for them by their parts
MAX_QUERY_TERMS = 64  # a pasted page would otherwise ask for thousands of terms, each a walk through the index

_WORD = re.compile(r"\w+")
# Acronym before a capitalised word, capitalised or small word, acronym, number, run without cases.
_PART = regex.compile(
    r"\p{Lu}+(?=\p{Lu}\p{Ll})|\p{Lu}?[\p{Ll}\p{M}]+|[\p{Lu}\p{Lt}]+|\p{N}+|[\p{Lm}\p{Lo}\p{M}]+", regex.V1
)
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]+")

# Words that ask rather than name. They are dropped from a query that has others; the index keeps them, since
# "for", "is" and "with" are code as well.
ASKING = frozenset(
    (  # noqa: SIM905 - as a list it would be sixty lines
        "a an and are as at be by can code could do does find for from function give happen happens how i in is it its "
        "me my of on or our show should so some that the their them then there these they this those to using was we "
        "what when where which who why will with work works would you your"
    ).split()
)


def split_identifier(word: str) -> tuple[str, ...]:
    """The terms of one run of word characters: its parts in order, then the whole without underscores.

    ``parseHTML_page2`` gives parse, html, page, 2, parsehtmlpage2. Runs of scripts that put no spaces between words
    give their character pairs.
    """
    parts = [part.lower() for part in _PART.findall(word)]
    whole = "".join(parts)
    if len(parts) == 1:
        return _unspaced_pairs(whole) or _short((whole,))
    pairs = tuple(pair for part in parts for pair in _unspaced_pairs(part))
    return _short((*parts, whole)) + pairs


@lru_cache(maxsize=1 << 12)  # 94 of 100 words are there; four times as many take 6 MiB more and are 5 % faster
def stemmed_parts(word: str) -> tuple[str, ...]:
    """The terms of split_identifier without their endings."""
    return tuple(map(stem, split_identifier(word)))


def name_terms(name: str) -> tuple[str, ...]:
    """The stemmed words of one name, without the joined form; of ``__init__`` and its like none."""
    if name.startswith("__"):
        return ()
    return tuple(stem(part.lower()) for part in _PART.findall(name))


def fold(name: str) -> str:
    """A name without case, underscores, dashes and sigils: however it is spelled, it is one name."""
    return name.replace("_", "").replace("-", "").strip("$@?!").casefold()


def name_markers(spelled: Iterable[str], files: Iterable[str] = ()) -> list[str]:
    """Terms that no text has, and which find definitions.

    ``=name`` stands where a name is defined, ``==Name`` where it is spelled so, ``/name`` in files that are called so.
    """
    names = [name for name in map(_bare, spelled) if fold(name)]
    called = [fold(file.lstrip(".").partition(".")[0]) for file in files]
    marked = [(f"={fold(name)}", f"=={name}", f"/{fold(name)}") for name in names]
    return list(dict.fromkeys(chain(*marked, (f"/{name}" for name in called if name))))


def index_terms(chunk: Chunk) -> str:
    """The terms of a chunk, with one space between: its text, the words of its path, the names it stands under.

    And the markers of what it defines and of its file.
    """
    defined = [name for name in map(_bare, chunk.defines) if fold(name)]
    markers = chain.from_iterable((f"={fold(name)}", f"=={name}") for name in defined)
    heading = _heading_terms(chunk.file_path, chunk.name_path)
    return " ".join(chain(text_terms(chunk.content), heading, markers))


def text_terms(text: str) -> Iterator[str]:
    """Every term of ``text``, in order, repeated as often as it stands there."""
    words = _WORD.findall(text if text.isascii() else unicodedata.normalize("NFC", text))
    return chain.from_iterable(map(stemmed_parts, words))


def query_terms(text: str) -> list[str]:
    """The distinct terms to look for, in order, at most MAX_QUERY_TERMS; empty where ``text`` has no word in it."""
    words = _WORD.findall(text[: MAX_QUERY_TERMS * 2 * MAX_TERM_CHARS])
    telling = [word for word in words if word.lower() not in ASKING]
    return list(dict.fromkeys(text_terms(" ".join(telling or words))))[:MAX_QUERY_TERMS]


@lru_cache(maxsize=1 << 4)  # the chunks of one definition follow each other
def _heading_terms(file_path: str, name_path: str) -> tuple[str, ...]:
    called = fold(file_path.rpartition("/")[2].lstrip(".").partition(".")[0])
    return (*text_terms(file_path), *text_terms(name_path), f"/{''.join(called.split())}")


def _bare(name: str) -> str:
    """A name without sigils and white space: what marks it is one term."""
    return "".join(name.split()).strip("$@?!_")


def _unspaced_pairs(part: str) -> tuple[str, ...]:
    return tuple(
        run[at : at + 2] for run in _UNSPACED.findall(part) for at in range(max(1, len(run) - 1))
    )  # a lone character is its own "pair"


def _short(terms: Iterable[str]) -> tuple[str, ...]:
    return tuple(term for term in terms if 0 < len(term) <= MAX_TERM_CHARS)
