"""Pictures of the figures that ``compare`` wrote: quality against time, and against tokens.

    python -m benchmarks.quality plots [--figures docs/quality.json] [--pictures docs/pictures]

Drawn from the file alone, so they can be drawn again without asking anything again. Transparent, in colours that can be
read on white and on black. Needs matplotlib (the group ``bench`` of pyproject.toml).
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.quality.judging import BUDGETS

INK = "#7a838d"  # 3.9 : 1 on white and 5.0 : 1 on GitHub's black
SIZE = (7.2, 4.2)  # inches, at 150 dots each
GAP = 0.05  # of the picture's height between two labels


@dataclass(frozen=True, slots=True)
class Look:
    """What a program is called and how it is drawn."""

    title: str
    colour: str
    marker: str
    line: str = "-"


LOOKS = {
    "codeloupe": Look("codeloupe", "#2f7ce0", "o"),
    "codeloupe-words": Look("codeloupe, words alone", "#2f7ce0", "s", "--"),
    "codeloupe-vectors": Look("codeloupe, vectors alone", "#2f7ce0", "^", ":"),
    "semble": Look("semble", "#cf6f12", "o"),
    "semble-words": Look("semble, words alone", "#cf6f12", "s", "--"),
    "cocoindex-code": Look("cocoindex-code", "#2b9a48", "^", ":"),
    "probe": Look("probe", "#8a63d2", "s", "--"),
    "bm25": Look("BM25, 50 lines", INK, "s", "--"),
    "ripgrep": Look("ripgrep, ranked", INK, "D", ":"),
}


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Heights at least ``gap`` apart, in the same order, as near to the given ones as their clusters allow."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    clusters: list[list[float]] = []  # the first height and the number of labels of each
    for index in order:
        clusters.append([heights[index], 1])
        while len(clusters) > 1 and clusters[-1][0] < clusters[-2][0] + gap * clusters[-2][1]:
            start, count = clusters.pop()
            before, held = clusters.pop()
            middle = (held * (before + gap * (held - 1) / 2) + count * (start + gap * (count - 1) / 2)) / (held + count)
            clusters.append([middle - gap * (held + count - 1) / 2, held + count])
    placed = [start + gap * step for start, count in clusters for step in range(int(count))]
    found = [0.0] * len(heights)
    for index, height in zip(order, placed, strict=True):
        found[index] = height
    return found


def time_picture(programs: dict[str, dict[str, Any]], path: Path) -> None:
    """nDCG@10 over the seconds to the first answer from nothing."""
    drawn = {name: row for name, row in programs.items() if name in LOOKS and {"ndcg", "first_answer_s"} <= row.keys()}
    plot, axes = _empty("seconds from nothing to the first answer", "nDCG@10")
    axes.set_xscale("log")
    for name, row in drawn.items():
        look = LOOKS[name]
        axes.plot(row["first_answer_s"], row["ndcg"], look.marker, color=look.colour, markersize=9)
    seconds = [row["first_answer_s"] for row in drawn.values()]
    axes.set_xlim(min(seconds) / 1.6, max(seconds) * 1.6)
    axes.set_ylim(*_room([row["ndcg"] for row in drawn.values()]))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    _label_points(axes, drawn)
    _save(plot, path)


def _label_points(axes: Any, drawn: dict[str, dict[str, Any]]) -> None:
    """Each point's name beside it: to the right in the left half, to the left in the right one."""
    low, high = (math.log(edge) for edge in axes.get_xlim())
    right = {name: math.log(row["first_answer_s"]) > (low + high) / 2 for name, row in drawn.items()}
    bottom, top = axes.get_ylim()
    for side in (False, True):
        names = [name for name in drawn if right[name] is side]
        heights = spread([drawn[name]["ndcg"] for name in names], GAP * (top - bottom))
        for name, height in zip(names, heights, strict=True):
            row, look = drawn[name], LOOKS[name]
            axes.annotate(
                f"{look.title} {row['ndcg']:.3f}",
                (row["first_answer_s"] * (0.85 if side else 1.18), height),
                color=look.colour,
                ha="right" if side else "left",
                va="center",
            )


def token_picture(programs: dict[str, dict[str, Any]], path: Path) -> None:
    """Recall over the tokens of an answer."""
    drawn = {name: row["recall_at_tokens"] for name, row in programs.items() if name in LOOKS and _is_cut(row)}
    plot, axes = _empty("tokens of the answer", "share of the right places in it")
    axes.set_xscale("log", base=2)
    axes.set_xticks(BUDGETS, [f"{budget:,}" for budget in BUDGETS])
    axes.minorticks_off()
    axes.set_xlim(BUDGETS[0] / 1.1, BUDGETS[-1] * 3.2)  # names stand at the right
    axes.set_ylim(*_room([share for shares in drawn.values() for share in shares]))
    bottom, top = axes.get_ylim()
    heights = spread([shares[-1] for shares in drawn.values()], GAP * (top - bottom))
    for (name, shares), height in zip(drawn.items(), heights, strict=True):
        look = LOOKS[name]
        axes.plot(BUDGETS, shares, look.line, marker=look.marker, color=look.colour, markersize=5)
        axes.annotate(look.title, (BUDGETS[-1] * 1.12, height), color=look.colour, va="center")
    _save(plot, path)


def _is_cut(row: dict[str, Any]) -> bool:
    return len(row.get("recall_at_tokens", [])) == len(BUDGETS)


def _room(values: Sequence[float]) -> tuple[float, float]:
    """A range around shares that leaves a tenth free at both ends."""
    margin = max(0.02, (max(values) - min(values)) / 10)
    return max(0.0, min(values) - margin), min(1.02, max(values) + margin)


def _empty(across: str, up: str) -> tuple[Any, Any]:
    """A picture without a frame, its axes named."""
    # By name: its types are there only where the group ``bench`` is installed.
    matplotlib = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    plot = importlib.import_module("matplotlib.pyplot")
    plot.rcParams.update({"font.size": 10, "axes.edgecolor": INK, "axes.labelcolor": INK})
    figure, axes = plot.subplots(figsize=SIZE, layout="constrained")
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    axes.tick_params(which="both", colors=INK)
    axes.grid(color=INK, alpha=0.25, linewidth=0.6)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    # No date or version in it: the same figures give the same bytes.
    figure.savefig(path, dpi=150, transparent=True, metadata={"Software": None})
    print(f"{path}: {path.stat().st_size // 1024} KiB")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=Path, default=Path("docs/quality.json"))
    parser.add_argument("--pictures", type=Path, default=Path("docs/pictures"))
    arguments = parser.parse_args(argv)
    programs = json.loads(arguments.figures.read_text(encoding="utf-8"))["questions"]
    arguments.pictures.mkdir(parents=True, exist_ok=True)
    time_picture(programs, arguments.pictures / "quality-time.png")
    token_picture(programs, arguments.pictures / "quality-tokens.png")


if __name__ == "__main__":
    main()
