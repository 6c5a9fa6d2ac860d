"""Markdown and reStructuredText as units: sections by their headings.

Read line by line with our own eyes: headings, fences and front matter are all that matters here, and a tree of every
word in bold costs ten times as much.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from indexer.units import Unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from indexer.lines import Lines

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_NO_TITLE = re.compile(r" {0,3}(?:[-*+>|#]|\d+[.)]|`{3}|~{3})|\s*$")  # lists, quotes, tables: no text of a heading
_MARKS = re.compile(r"[*_`]{1,3}|!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])|<[^>]*>|\{#[^}]*\}")


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    row: int
    title: str


class SectionOutline:
    """A document whose sections hold the sections of the levels below."""

    __slots__ = ("root",)

    def __init__(self, language: str, lines: Lines) -> None:
        last = len(lines) - 1
        headings = _underlined(lines.texts) if language == "rst" else _headings(lines.texts)
        self.root = Unit(0, last, source=_sections(list(headings), last))

    def parts(self, unit: Unit) -> Sequence[Unit]:
        """The sections directly inside."""
        return cast("tuple[Unit, ...]", unit.source or ())

    def signature(self, unit: Unit) -> tuple[int, int]:
        """The heading's row."""
        return unit.first, unit.first


def _sections(headings: list[_Heading], last: int) -> tuple[Unit, ...]:
    """Sections of the outermost level, built from the last heading to the first."""
    open_units: list[tuple[int, Unit]] = []  # level and section, the first in the file last
    for heading in reversed(headings):
        inside: list[Unit] = []
        while open_units and open_units[-1][0] > heading.level:
            inside.append(open_units.pop()[1])
        end = open_units[-1][1].first - 1 if open_units else last
        unit = Unit(heading.row, end, "section", heading.title, source=tuple(inside) or None)
        open_units.append((heading.level, unit))
    return tuple(unit for _, unit in reversed(open_units))


def _headings(texts: list[str]) -> Iterator[_Heading]:
    """All headings outside of fences and front matter."""
    fence = ""
    for row in range(_front_matter(texts), len(texts)):
        line = texts[row]
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
        elif mark:
            fence = mark[1]
        else:
            heading = _heading(texts, row)
            if heading:
                yield heading


def _underlined(texts: list[str]) -> Iterator[_Heading]:
    """Headings of reStructuredText: a line of one sign below, and maybe above; levels in order of appearance."""
    styles: list[str] = []
    for row in range(len(texts) - 1):
        title, sign = texts[row].rstrip(), _adornment(texts[row + 1])
        above = texts[row - 1].rstrip() if row else ""
        over = bool(above) and above == texts[row + 1].rstrip()
        if (
            not sign
            or not title
            or _adornment(title)
            or len(texts[row + 1].rstrip()) < len(title)
            or (above and not over)
        ):
            continue
        style = sign + "over" * over
        if style not in styles:
            styles.append(style)
        yield _Heading(styles.index(style) + 1, row - over, title.strip()[:120])


def _adornment(line: str) -> str:
    """The sign a line consists of, "" for any other line."""
    text = line.rstrip()
    return text[0] if len(text) > 1 and text[0] in "=-~^\"'`#*+.:_" and text == text[0] * len(text) else ""


def _heading(texts: list[str], row: int) -> _Heading | None:
    line = texts[row]
    atx = _ATX.match(line) if "#" in line[:4] else None
    if atx:
        return _Heading(len(atx[1]), row, _plain(atx[2] or ""))
    below = _UNDERLINE.match(texts[row + 1]) if row + 1 < len(texts) else None
    if below and not _NO_TITLE.match(line):
        return _Heading(1 if below[1][0] == "=" else 2, row, _plain(line))
    return None


def _front_matter(texts: list[str]) -> int:
    """The row after the metadata between two lines of ``---`` at the top."""
    if texts[0].rstrip() != "---":
        return 0
    return next((row + 1 for row in range(1, min(len(texts), 200)) if texts[row].rstrip() in {"---", "..."}), 0)


def _plain(title: str) -> str:
    """A title without its marks: links by their text."""
    return " ".join(_MARKS.sub(lambda mark: mark[1] or "", title).split())[:120]
