"""Texts into trees: the only file that loads tree-sitter. What is made of a tree: tree.py."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, cast

from tree_sitter import Parser, Range
from tree_sitter_language_pack import get_language

from indexer.definitions import RULES
from indexer.definitions.derived import derive_rules
from indexer.tree import TreeOutline

if TYPE_CHECKING:
    from tree_sitter import Language, Point

    from indexer.definitions.rules import Rules, SyntaxNode
    from indexer.lines import Lines

# A parser reports its steps. Sound sources take 5 to 12 steps per KB, rubbish up to 22; some texts of 36 letters keep
# the TypeScript parser busy for ever. Steps are counted, not seconds: the same file is cut the same way everywhere.
_STEPS = 500
_STEPS_PER_BYTE = 0.03
# Most grammars take at most .5 s for 100 KB of rubbish. These take time that grows with the square (Lua: 9 s for 100 KB
# with every twentieth character missing), and what nobody wrote rules for is not trusted either: a larger text of
# theirs that has errors is cut by its lines.
_FRAGILE = frozenset({"lua", "luau", "julia", "scala", "dart", "svelte"})
_FRAGILE_BYTES = 32_000
_OPEN_BRACKETS = 500  # more left open than this are no program; 100 KB of them take Scala's parser two minutes
_UNSAFE = frozenset({"agda", "cobol", "typst"})  # in the pack 0.13 these crash or never return on texts of other kinds


def parse(language: str, lines: Lines) -> TreeOutline | None:
    """The outline of a text, or None where the pack has no such grammar or the parser gave up."""
    rules = rules_of(language)
    root = _root(rules, lines, None) if rules else None
    if rules is None or root is None:
        return None

    def embed(inner: str, node: SyntaxNode) -> tuple[Rules, SyntaxNode] | None:
        inner_rules = rules_of(inner)
        inner_root = _root(inner_rules, lines, node) if inner_rules else None
        return (inner_rules, inner_root) if inner_rules and inner_root else None

    return TreeOutline(rules, root, lines, embed)


def rules_of(language: str) -> Rules | None:
    """Our own rules, rules derived from the grammar of that name, or None where there is none."""
    return RULES.get(language) or _derived(language)


def node_types(grammar: str) -> frozenset[str]:
    """The named node types of a grammar; LookupError where the pack has no such grammar."""
    language = _grammar(grammar)
    kinds = filter(language.node_kind_is_named, range(language.node_kind_count))
    return frozenset(filter(None, map(language.node_kind_for_id, kinds)))


@cache
def _derived(language: str) -> Rules | None:
    if language in _UNSAFE:
        return None
    try:
        return derive_rules(language, sorted(node_types(language)))
    except LookupError:
        return None


@cache
def _grammar(name: str) -> Language:
    return get_language(name)  # type: ignore[arg-type]


def _root(rules: Rules, lines: Lines, within: SyntaxNode | None) -> SyntaxNode | None:
    """The tree's root, of the whole text or of one node's stretch of it."""
    if _is_rubbish(lines.data):
        return None
    parser = Parser(_grammar(rules.grammar))
    if within is not None:
        node = cast("Range", within)
        parser.included_ranges = [Range(node.start_point, node.end_point, node.start_byte, node.end_byte)]
    try:
        with _Source(lines.data) as source:
            tree = parser.parse(source, progress_callback=_Patience(rules.grammar, len(lines.data)))
    except ValueError:  # what the parser raises where patience ended
        return None
    return cast("SyntaxNode", tree.root_node)


class _Source:
    """Hands a text to a parser, which may ask a hundred times per KB. Later it serves names of nodes."""

    __slots__ = ("_data", "_window")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._window: _Window | None = None

    def __call__(self, offset: int, _point: Point) -> bytes | memoryview:
        if self._window is None:
            return self._data[offset : offset + 128]
        return self._window.show(self._data[offset : offset + _PIECE])

    def __enter__(self) -> _Source:
        """Be read by a parser until the end of the block."""
        self._window = _FREE.pop() if _FREE else _Window()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._window is not None
        _FREE.append(self._window)
        self._window = None


class _Window:
    """Shows texts piece by piece, in the same few buffers for ever.

    tree-sitter 0.26 never lets go of a buffer that it was given by a function: whole files stayed in memory.
    """

    __slots__ = ("_room", "_views")

    def __init__(self) -> None:
        self._room = bytearray(_PIECE)
        self._views: dict[int, memoryview] = {}  # by size

    def show(self, piece: bytes) -> memoryview:
        """At most _PIECE bytes, until the next are shown."""
        size = len(piece)
        self._room[:size] = piece
        if size not in self._views:
            self._views[size] = memoryview(self._room)[:size]
        return self._views[size]


_PIECE = 2048  # bytes; more are no faster
_FREE: list[_Window] = []  # one a thread that parses, at most


class _Patience:
    """Stops a parser that goes astray."""

    __slots__ = ("_steps", "_suspicious")

    def __init__(self, grammar: str, size: int) -> None:
        self._steps = _STEPS + int(size * _STEPS_PER_BYTE)
        self._suspicious = size > _FRAGILE_BYTES and (grammar in _FRAGILE or grammar not in RULES)

    def __call__(self, _offset: int, has_error: bool) -> bool:
        self._steps -= 1
        return self._steps < 0 or (has_error and self._suspicious)


def _is_rubbish(data: bytes) -> bool:
    """Whether brackets are opened without end."""
    return any(abs(data.count(one) - data.count(other)) > _OPEN_BRACKETS for one, other in (b"()", b"[]", b"{}"))
