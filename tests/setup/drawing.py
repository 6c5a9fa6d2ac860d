"""A drawing board for the pictures of docs/: boxes, arrows, words and lines, as an SVG for light and dark screens.

Colours are classes, so that one file serves both; the background is the picture's own, since the page around it may
follow another setting than the picture does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

SIZES = {"head": 16.0, "label": 13.0, "note": 11.5}  # of letters, in units of the picture
LEADING = 1.35
# Width of a letter as a share of its size, in the mean of DejaVu Sans, the widest of FONT: plain, and bold.
WIDTHS = {"head": 0.68, "label": 0.66, "note": 0.52}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
HEAD = 7.0  # length of an arrow's head

# What is drawn in which colour: on light, on dark.
COLOURS = {
    "ground": ("#ffffff", "#12161c"),
    "frame": ("#d5dae1", "#2b333d"),
    "ink": ("#1b2430", "#e6eaf0"),
    "soft": ("#566273", "#a3aebb"),
    "plain": ("#f3f5f8", "#1c232c"),
    "text": ("#fff3d9", "#33290f"),
    "sketch": ("#dff2ec", "#10302a"),
    "vector": ("#e5eaff", "#1d2750"),
    "text-line": ("#a86a10", "#e6b155"),
    "sketch-line": ("#23705f", "#56c2a9"),
    "vector-line": ("#3450c8", "#93a7ff"),
}


def _style() -> str:
    def rules(which: int) -> str:
        """Plain colours, no variables: not every program that draws an SVG knows those."""
        return "".join(
            f".f-{name}{{fill:{pair[which]}}}.s-{name}{{stroke:{pair[which]}}}" for name, pair in COLOURS.items()
        )

    sizes = "".join(f".{name}{{font-size:{size}px}}" for name, size in SIZES.items())
    return (
        f"text{{font-family:{FONT}}}.head{{font-weight:600}}.line{{stroke-width:1.6}}.dashed{{stroke-dasharray:5 4}}"
        f"{sizes}{rules(0)}.line{{fill:none}}@media (prefers-color-scheme: dark){{{rules(1)}.line{{fill:none}}}}"
    )


@dataclass(frozen=True, slots=True)
class Box:
    """A box with some lines of words; the first is its name."""

    x: float
    y: float
    width: float
    height: float
    lines: Sequence[str]
    colour: str = "plain"

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2

    @property
    def left(self) -> tuple[float, float]:
        """The middle of its left side."""
        return self.x, self.middle[1]

    @property
    def right(self) -> tuple[float, float]:
        """The middle of its right side."""
        return self.x + self.width, self.middle[1]

    @property
    def top(self) -> tuple[float, float]:
        """The middle of its upper side."""
        return self.middle[0], self.y

    @property
    def bottom(self) -> tuple[float, float]:
        """The middle of its lower side."""
        return self.middle[0], self.y + self.height


@dataclass(slots=True)
class Drawing:
    """One picture, drawn from back to front."""

    width: float
    height: float
    title: str
    told: str  # all of it in words, for those who do not see it
    _parts: list[str] = field(default_factory=list)

    def box(self, box: Box) -> Box:
        """A box and its words."""
        line = f"{box.colour}-line" if f"{box.colour}-line" in COLOURS else "frame"
        self._parts.append(
            f'<rect x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.width)}" height="{_n(box.height)}" rx="8" '
            f'class="f-{box.colour} s-{line}" stroke-width="1.4"/>'
        )
        heights = [SIZES["label"], *[SIZES["note"]] * (len(box.lines) - 1)]
        y = box.middle[1] - sum(heights) * LEADING / 2
        for number, (words, size) in enumerate(zip(box.lines, heights, strict=True)):
            y += size * LEADING
            kind = ("label", "ink") if number == 0 else ("note", "soft")
            self._require_room(box, words, kind[0])
            self.words(box.middle[0], y - size * (LEADING - 1) - 1, words, *kind, anchor="middle")
        return box

    def _require_room(self, box: Box, words: str, size: str) -> None:
        if len(words) * SIZES[size] * WIDTHS[size] > box.width - 4:
            raise ValueError(f"{self.title}: {words!r} does not fit into its box of {box.width}; widen it.")

    def words(self, x: float, y: float, words: str, size: str = "note", colour: str = "soft", anchor: str = "") -> None:
        """One line of words, on the base line ``y``."""
        where = f' text-anchor="{anchor}"' if anchor else ""
        weight = ' font-weight="600"' if size == "label" else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" class="{size} f-{colour}"{where}{weight}>'
            f"{escape(words, quote=False)}</text>"
        )

    def line(self, points: Sequence[tuple[float, float]], colour: str = "soft", *, dashed: bool = False) -> None:
        """A line through points."""
        way = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        self._parts.append(f'<polyline points="{way}" class="line s-{colour}{" dashed" if dashed else ""}"/>')

    def area(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        """A filled shape."""
        way = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
        self._parts.append(f'<polygon points="{way}" class="f-{colour}"/>')

    def arrow(
        self, *points: tuple[float, float], colour: str = "soft", both: bool = False, dashed: bool = False
    ) -> None:
        """A line through points with a head at its end, or at both."""
        self.line(points, colour, dashed=dashed)
        self._head(points[-2], points[-1], colour)
        if both:
            self._head(points[1], points[0], colour)

    def _head(self, before: tuple[float, float], tip: tuple[float, float], colour: str) -> None:
        angle = math.atan2(tip[1] - before[1], tip[0] - before[0])
        sides = [
            (tip[0] - HEAD * math.cos(angle + turn), tip[1] - HEAD * math.sin(angle + turn)) for turn in (0.45, -0.45)
        ]
        self.area([tip, *sides], colour)

    def svg(self) -> str:
        """The file's text."""
        size = f'width="{_n(self.width - 1)}" height="{_n(self.height - 1)}"'
        ground = f'<rect x=".5" y=".5" {size} rx="10" class="f-ground s-frame"/>'
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(self.width)} {_n(self.height)}" '
            f'width="{_n(self.width)}" role="img">'
        )
        words = f"<title>{escape(self.title)}</title>\n<desc>{escape(self.told)}</desc>"
        return "\n".join([head, words, f"<style>{_style()}</style>", ground, *self._parts, "</svg>"]) + "\n"


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
