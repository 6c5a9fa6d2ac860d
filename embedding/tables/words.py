"""Text into the tokens a lookup table knows, and their hashes.

Not a model's tokens: whole parts of identifiers and words, in lower case. Tables are made and read with the same split,
so a change here needs a new VERSION in embedding/tables/table_file.py.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import regex
import xxhash

MAX_TOKEN_CHARS = 64  # longer runs are keys, hashes and encoded data

_ASCII_WORD = re.compile(r"[A-Za-z0-9]+")  # twice as fast as the other, and nearly all code is ASCII
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+", regex.V1)
# Capitals that do not begin a capitalised word; a word, capitalised or not; a number; one sign of a script that puts no
# spaces between words; a word of any other script without cases. Marks stay with their letters.
_PART = regex.compile(
    r"(?:[\p{Lu}\p{Lt}]\p{M}*+)+(?!\p{Ll})|[\p{Lu}\p{Lt}]?[\p{Ll}\p{M}]+|\p{N}+"
    r"|[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*|[\p{Lo}\p{Lm}\p{M}]+",
    regex.V1,
)


def words_of(text: str) -> list[str]:
    """The runs of letters and digits of ``text``, as spelled, in order and as often as they stand there."""
    if text.isascii():
        return _ASCII_WORD.findall(text)
    return _WORD.findall(unicodedata.normalize("NFC", text))


def tokens_of(word: str) -> tuple[str, ...]:
    """The parts of one word in order, in lower case: ``parseHTMLPage2`` gives parse, html, page, 2.

    Parts of more than MAX_TOKEN_CHARS are left out.
    """
    parts = (unicodedata.normalize("NFC", part.lower()) for part in _PART.findall(word))
    return tuple(part for part in parts if len(part) <= MAX_TOKEN_CHARS)


def is_token(text: str) -> bool:
    """Whether ``text`` is spelled as the split spells tokens; anything else would never be looked up."""
    return [token for word in words_of(text) for token in tokens_of(word)] == [text]


@lru_cache(maxsize=1 << 12)  # words repeat, and a hit costs a tenth of splitting and hashing
def token_hashes(word: str) -> tuple[int, ...]:
    """The hashes of ``tokens_of(word)``."""
    return tuple(map(token_hash, tokens_of(word)))


def token_hash(token: str) -> int:
    """xxHash64 of the token's UTF-8 with seed 0, 0 to 2**64 - 1."""
    return xxhash.xxh64_intdigest(token.encode("utf-8", "surrogatepass"))
