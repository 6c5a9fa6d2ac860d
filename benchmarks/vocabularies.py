"""True token counts, by the public byte-pair vocabularies in npm's js-tiktoken (``npm install js-tiktoken``).

Its ``dist/ranks`` holds a file a vocabulary: the expression that cuts a text into pieces, and the rank of each
token. A piece becomes tokens by joining, again and again, the two neighbours whose union has the lowest rank.
"""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import regex

NAMES = ("o200k_base", "cl100k_base")


class Vocabulary:
    """One vocabulary; counts, and keeps no tokens."""

    def __init__(self, name: str, ranks: Path) -> None:
        text = (ranks / f"{name}.js").read_text(encoding="utf-8")
        self.name = name
        self._pieces = regex.compile(_member(text, "pat_str"))
        self._ranks = _ranks(_member(text, "bpe_ranks"))
        self._tokens = lru_cache(maxsize=1 << 18)(self._joined)

    def count(self, text: str) -> int:
        """The tokens of ``text``, as a model with this vocabulary reads it."""
        return sum(self._tokens(found.group()) for found in self._pieces.finditer(text))

    def _joined(self, piece: str) -> int:
        parts = [bytes([byte]) for byte in piece.encode()]
        while len(parts) > 1:
            unions = [self._ranks.get(left + right) for left, right in pairwise(parts)]
            known = [(rank, place) for place, rank in enumerate(unions) if rank is not None]
            if not known:
                break
            place = min(known)[1]
            parts[place : place + 2] = [parts[place] + parts[place + 1]]
        return len(parts)


def vocabularies(ranks: Path) -> list[Vocabulary]:
    """Those of NAMES, out of js-tiktoken's ``dist/ranks``."""
    return [Vocabulary(name, ranks) for name in NAMES]


def _member(text: str, name: str) -> str:
    """One string of the object literal in the file."""
    key = next(quoted for quoted in (f'"{name}":', f"{name}:") if quoted in text)
    value, _ = json.JSONDecoder().raw_decode(text[text.index(key) + len(key) :].lstrip())
    assert isinstance(value, str)
    return value


def _ranks(lines: str) -> dict[bytes, int]:
    """Lines of "! first token token ...": tokens in base64, ranks counted from the first."""
    found = {}
    for line in filter(None, lines.split("\n")):
        _, first, *tokens = line.split(" ")
        found.update({base64.b64decode(token): int(first) + place for place, token in enumerate(tokens)})
    return found
