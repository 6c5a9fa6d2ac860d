"""The picture of benchmarks/governing.py: memory against its limit, what was decided, and what was done meanwhile.

    python -m benchmarks.governing_picture moments.json docs/pictures/governor.png

Needs matplotlib (the group ``bench`` of pyproject.toml); ``--json`` of benchmarks/governing.py writes the moments.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.governing_moments import Moment
from embedding.governor import LADDER

INK, GREY, BLUE, ORANGE, PAPER = "#30363d", "#b9c0c7", "#2f7ce0", "#cf6f12", "#ffffff"
SHADES = {"low": "#ffffff", "medium": "#fdf3d8", "high": "#fbdcb4", "critical": "#f3b3a8"}


def draw(moments: Sequence[Moment], path: Path) -> None:
    """Three panels over time; the level is the background of all."""
    matplotlib = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    plot = importlib.import_module("matplotlib.pyplot")
    plot.rcParams.update({"font.size": 9, "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK})
    figure, panels = plot.subplots(
        3, 1, figsize=(8.5, 7), sharex=True, layout="constrained", height_ratios=(3, 2, 1.4), facecolor=PAPER
    )
    for axes in panels:
        _prepare(axes, moments)
    _memory(panels[0], moments)
    _children(panels[1], moments)
    _work(panels[2], moments)
    panels[-1].set_xlabel("seconds")
    figure.savefig(path, dpi=130, facecolor=PAPER, metadata={"Software": None})
    print(f"{path}: {path.stat().st_size // 1024} KiB")


def _prepare(axes: Any, moments: Sequence[Moment]) -> None:
    for before, after in pairwise(moments):
        axes.axvspan(before.at_s, after.at_s, color=SHADES[before.level], linewidth=0, zorder=0)
    axes.set_xlim(moments[0].at_s, moments[-1].at_s)
    axes.tick_params(colors=INK)
    for edge in ("top", "right"):
        axes.spines[edge].set_visible(False)


def _memory(axes: Any, moments: Sequence[Moment]) -> None:
    times = [moment.at_s for moment in moments]
    neighbours = [moment.neighbours / 1e9 for moment in moments]
    used = [moment.used / 1e9 for moment in moments]
    limit = moments[0].limit / 1e9
    axes.fill_between(times, neighbours, color=GREY, label="neighbours", linewidth=0)
    axes.fill_between(times, neighbours, used, color=BLUE, label="model and service", linewidth=0)
    axes.axhline(limit, color=INK, linewidth=1.6)
    axes.text(moments[-1].at_s, limit, "hard limit ", ha="right", va="bottom")
    for rung in LADDER[1:]:
        axes.axhline(rung.from_pressure * limit, color=INK, linestyle=":", linewidth=0.8)
        axes.text(moments[-1].at_s, rung.from_pressure * limit, f"{rung.level} ", ha="right", va="bottom", fontsize=8)
    axes.set_ylim(0, 1.15 * limit)
    axes.set_ylabel("GB in use")
    axes.legend(loc="upper left", frameon=False, ncols=2)


def _children(axes: Any, moments: Sequence[Moment]) -> None:
    times = [moment.at_s for moment in moments]
    axes.step(times, [moment.allowed for moment in moments], where="post", color=ORANGE, label="allowed")
    running = [moment.running for moment in moments]
    axes.fill_between(times, running, step="post", color=BLUE, label="running", linewidth=0)
    axes.set_yticks([0, 1, 2, 4, 8])
    axes.set_ylim(0, 8.6)
    axes.set_ylabel("children for documents")
    axes.legend(loc="upper center", frameon=False)
    gone = [moment.at_s for moment in moments if not moment.loaded and moment.unload]
    if gone:
        axes.annotate("model unloaded", (gone[0], 0), (gone[0], 3), arrowprops={"arrowstyle": "->", "color": INK})


def _work(axes: Any, moments: Sequence[Moment]) -> None:
    times = [moment.at_s for moment in moments]
    axes.step(times, [moment.queries for moment in moments], where="post", color=BLUE, label="queries answered")
    refused = [moment.failed_queries for moment in moments]
    axes.step(times, refused, where="post", color=ORANGE, label="refused, with the reason")
    axes.set_ylabel("queries")
    axes.legend(loc="upper left", frameon=False)


if __name__ == "__main__":
    draw([Moment(**fields) for fields in json.loads(Path(sys.argv[1]).read_text("utf-8"))], Path(sys.argv[2]))
