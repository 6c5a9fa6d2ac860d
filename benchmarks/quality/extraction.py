"""Documented functions in a source, and the source without their documentation. Pure; parses, reads no file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TYPE_CHECKING

from indexer.definitions.rules import field_name
from indexer.syntax import rules_of
from indexer.units import CALLABLES

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

    from indexer.definitions.rules import Rules

# Where any comment above a function documents it; elsewhere it takes one that says so: /** or ///.
_PLAIN_COMMENTS = frozenset({"c", "cpp", "go"})
_SAYS_SO = re.compile(rb"/\*[*!](?!\*\*)|//[/!]")
_BETWEEN = frozenset({"attribute_item", "decorator"})  # may stand between a documentation and its function


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes to put something else in place of."""

    start: int
    end: int
    replacement: bytes = b""


@dataclass(frozen=True, slots=True)
class Documented:
    """A function with its documentation as it stands there, marks included; bytes are those of the original source."""

    name: str
    documentation: str
    start: int
    end: int
    has_body: bool
    is_named: bool  # by a name of its own choice: a constructor's or ``__add__`` is the language's


@dataclass(frozen=True, slots=True)
class Found:
    """What a source holds, and the edits that take every function's documentation away."""

    functions: tuple[Documented, ...]
    edits: tuple[Edit, ...]


def find_functions(language: str, source: bytes, *, any_comment: bool = False) -> Found:
    """The documented functions of a source and what to cut; nothing where the language has no rules of our own.

    With ``any_comment`` each comment above a function documents it, in whatever language.
    """
    rules = rules_of(language)
    if rules is None:
        return Found((), ())
    functions: list[Documented] = []
    edits: list[Edit] = []
    for node, kind, name in _callables(rules, parse(rules.grammar, source)):
        comments = _comments_above(rules, node, source)
        telling = [comment for comment in comments if any_comment or _is_documentation(language, comment)]
        documentation = _joined(telling)
        docstring = _docstring(node) if language == "python" else None
        if docstring is not None:
            documentation = _docstring_text(docstring)
            edits.append(_docstring_edit(docstring, source))
        edits.extend(_line_edit(comment, source) for comment in comments)
        if documentation:
            outer = _outermost(rules, node)
            has_body = _body(node) is not None
            is_named = kind != "constructor" and name not in rules.constructors and not _is_foreign(name)
            functions.append(Documented(name, documentation, outer.start_byte, outer.end_byte, has_body, is_named))
    return Found(tuple(functions), tuple(edits))


def apply(source: bytes, edits: Sequence[Edit]) -> bytes:
    """The source after the edits; of two that overlap the earlier and longer one counts."""
    pieces, at = [], 0
    for edit in ordered(edits):
        pieces += [source[at : edit.start], edit.replacement]
        at = edit.end
    return b"".join([*pieces, source[at:]])


def moved(offset: int, edits: Sequence[Edit]) -> int:
    """Where a byte outside all edits is after them."""
    before = (edit for edit in ordered(edits) if edit.end <= offset)
    return offset + sum(len(edit.replacement) - (edit.end - edit.start) for edit in before)


def ordered(edits: Sequence[Edit]) -> list[Edit]:
    """Edits by place, none overlapping."""
    kept: list[Edit] = []
    for edit in sorted(set(edits), key=lambda edit: (edit.start, -edit.end)):
        if not kept or edit.start >= kept[-1].end:
            kept.append(edit)
    return kept


def parse(grammar: str, source: bytes) -> Node:
    """The root of a source's tree."""
    return _parser(grammar).parse(source).root_node


@cache
def _parser(grammar: str) -> Parser:
    from tree_sitter_language_pack import get_parser

    return get_parser(grammar)  # type: ignore[arg-type]


def _callables(rules: Rules, root: Node) -> Iterator[tuple[Node, str, str]]:
    """Every function at any depth, with its kind and name, in order."""
    stack = [root]
    while stack:
        node = stack.pop()
        stack.extend(reversed(node.named_children))
        rule = rules.definitions.get(node.type)
        if rule is None:
            continue
        if isinstance(rule, str):
            kind, name = rule, field_name(node)
        else:
            definition = rule(node)
            kind, name = (definition.kind, definition.name) if definition else ("", "")
        if name and kind in CALLABLES - {"test", "macro"}:
            yield node, kind, name


def _outermost(rules: Rules, node: Node) -> Node:
    """The definition with its export, decorators or template."""
    while node.parent is not None and node.parent.type in rules.wrappers:
        node = node.parent
    return node


def _comments_above(rules: Rules, node: Node, source: bytes) -> list[Node]:
    """Comments that end on the line above, attributes between them allowed; each alone on its lines."""
    here = _outermost(rules, node)
    comments: list[Node] = []
    row = here.start_point.row
    before = here.prev_named_sibling
    while before is not None and _last_row(before) >= row - 1 and _last_row(before) < here.start_point.row:
        if "comment" in before.type:
            if source[_line_start(source, before.start_byte) : before.start_byte].strip():
                break  # ends a line of code
            comments.append(before)
        elif before.type not in _BETWEEN:
            break
        row = before.start_point.row
        before = before.prev_named_sibling
    return comments[::-1]


def _is_documentation(language: str, comment: Node) -> bool:
    return language in _PLAIN_COMMENTS or _SAYS_SO.match(comment.text or b"") is not None


def _joined(comments: Sequence[Node]) -> str:
    """The last block, or all of the lines that follow each other."""
    if comments and (comments[-1].text or b"").startswith(b"/*"):
        comments = comments[-1:]
    return b"\n".join((comment.text or b"").rstrip() for comment in comments).decode("utf-8", "replace")


def _docstring(node: Node) -> Node | None:
    """The string that is a Python function's docstring."""
    body = node.child_by_field_name("body")
    inside = [child for child in body.named_children if child.type != "comment"] if body is not None else []
    return inside[0] if inside and inside[0].type == "string" else None


def _docstring_text(docstring: Node) -> str:
    content = (part.text or b"" for part in docstring.named_children if part.type == "string_content")
    return b"".join(content).decode("utf-8", "replace")


def _docstring_edit(docstring: Node, source: bytes) -> Edit:
    """Its lines, or ``pass`` in its place where nothing else is in the body."""
    body = docstring.parent
    if body is not None and all(child == docstring or child.type == "comment" for child in body.named_children):
        return Edit(docstring.start_byte, docstring.end_byte, b"pass")
    return _line_edit(docstring, source)


def _line_edit(node: Node, source: bytes) -> Edit:
    """The node's lines with their ends where nothing else is on them, else the node alone."""
    start, end = _line_start(source, node.start_byte), _trimmed_end(node, source)
    rest_ends = source.find(b"\n", end)
    rest = source[end : rest_ends if rest_ends >= 0 else len(source)]
    if source[start : node.start_byte].strip() or rest.strip():
        return Edit(node.start_byte, end)
    return Edit(start, rest_ends + 1 if rest_ends >= 0 else len(source))


def _line_start(source: bytes, offset: int) -> int:
    return source.rfind(b"\n", 0, offset) + 1


def _trimmed_end(node: Node, source: bytes) -> int:
    """Where its text ends; some grammars count the line end as part of a comment."""
    return node.start_byte + len(source[node.start_byte : node.end_byte].rstrip())


def _last_row(node: Node) -> int:
    return node.start_point.row + (node.text or b"").rstrip().count(b"\n")


def _is_foreign(name: str) -> bool:
    """Whether a name is the language's (``__add__``) or, in capitals, that of a macro around the real one."""
    return name.startswith("__") or name.isupper()


def _body(node: Node) -> Node | None:
    """The body of a function, also of one that is a value; None for a prototype."""
    direct = node.child_by_field_name("body")
    if direct is not None:
        return direct
    inside = chain(node.named_children, *(child.named_children for child in node.named_children))
    return next((body for child in inside if (body := child.child_by_field_name("body")) is not None), None)
