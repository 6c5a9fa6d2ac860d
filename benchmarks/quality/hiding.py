"""Names of functions taken out of sources: what is left has only its body to speak for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from benchmarks.quality.extraction import Edit, apply, parse
from benchmarks.quality.sentences import is_compound
from indexer.syntax import rules_of

if TYPE_CHECKING:
    from tree_sitter import Node

_WORD = re.compile(rb"[A-Za-z_$][\w$]*")


def neutral_names(names: Collection[str]) -> dict[bytes, bytes]:
    """A number in place of each name; the same for the same collection, whatever its order."""
    return {name.encode(): b"fn%04d" % number for number, name in enumerate(sorted(set(names)), 1)}


def hide(language: str, source: bytes, names: Mapping[bytes, bytes]) -> bytes:
    """The source with the names replaced, line by line.

    A name of several parts goes wherever it stands, in comments and strings too; one that is a word of English goes
    where it is an identifier.
    """
    rules = rules_of(language)
    assert rules is not None, language
    simple = {name: neutral for name, neutral in names.items() if not is_compound(name.decode())}
    edits = [] if simple.keys().isdisjoint(_WORD.findall(source)) else list(_identifiers(rules.grammar, source, simple))
    compound = {name: neutral for name, neutral in names.items() if name not in simple}
    return _WORD.sub(lambda word: compound.get(word[0], word[0]), apply(source, edits))


def _identifiers(grammar: str, source: bytes, names: Mapping[bytes, bytes]) -> Iterator[Edit]:
    stack: list[Node] = [parse(grammar, source)]
    while stack:
        node = stack.pop()
        if node.child_count:
            stack.extend(node.children)
        elif "identifier" in node.type:
            text = source[node.start_byte : node.end_byte]
            start = node.start_byte + len(text) - len(text.lstrip(b"#"))  # a private member's mark stays
            if text.lstrip(b"#") in names:
                yield Edit(start, node.end_byte, names[text.lstrip(b"#")])
