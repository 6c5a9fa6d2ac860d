"""Pictures of the figures that ``compare`` and ``coverage`` wrote: quality against time, tokens, and vectors made.

    python -m benchmarks.quality plots [--figures docs/quality.json] [--coverage docs/coverage.json]
                                       [--pictures docs/pictures]

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
SIZE = (8, 4.2)  # inches, at 150 dots each
GAP = 0.06  # of the picture's height between two names
SHARES = (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
Programs = dict[str, dict[str, Any]]  # figures by program, as compare writes them


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


COVERED = {
    "repositories": ("files and lines,\n19 repositories", "#2f7ce0"),
    "functions": ("functions by their\ndocumentation", "#cf6f12"),
}


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Heights at least ``gap`` apart, in the same order: from the highest down, each stays or moves down."""
    found = list(heights)
    free = math.inf
    for index in sorted(range(len(heights)), key=lambda index: -heights[index]):
        found[index] = min(heights[index], free)
        free = found[index] - gap
    return found


def time_picture(programs: Programs, path: Path) -> None:
    """nDCG@10 over the seconds to the first answer from nothing."""
    drawn = {name: row for name, row in programs.items() if name in LOOKS and {"ndcg", "first_answer_s"} <= row.keys()}
    figure, axes = _empty("seconds from nothing to the first answer", "nDCG@10")
    axes.set_xscale("log")
    seconds, gains = [[row[key] for row in drawn.values()] for key in ("first_answer_s", "ndcg")]
    for name, second, gain in zip(drawn, seconds, gains, strict=True):
        axes.plot(second, gain, LOOKS[name].marker, color=LOOKS[name].colour, markersize=9)
    axes.set_xlim(min(seconds) / 1.6, max(seconds) * 1.6)
    axes.set_ylim(min(gains) - 0.03, max(gains) + 0.03)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    _names(axes, {name: (gain, f"{LOOKS[name].title} {gain:.3f}") for name, gain in zip(drawn, gains, strict=True)})
    _save(figure, path)


def token_picture(programs: Programs, path: Path) -> None:
    """Recall over the tokens of an answer; each equal step up halves what is missing: good programs differ there."""
    measured = {name: row["recall_at_tokens"] for name, row in programs.items() if row.get("recall_at_tokens")}
    drawn = {name: shares for name, shares in measured.items() if name in LOOKS}
    figure, axes = _empty("tokens of the answer", "share of the right places in it")
    axes.set_xscale("log", base=2)
    axes.set_xticks(BUDGETS, [f"{budget:,}" for budget in BUDGETS])
    axes.set_yscale("function", functions=(_missing_halved, _missing_whole))
    axes.set_yticks(SHARES, [f"{share:g}" for share in SHARES])
    axes.minorticks_off()
    for name, shares in drawn.items():
        look = LOOKS[name]
        axes.plot(BUDGETS, shares, look.line, marker=look.marker, color=look.colour, markersize=5)
    _names(axes, {name: (shares[-1], LOOKS[name].title) for name, shares in drawn.items()})
    _save(figure, path)


def coverage_picture(measured: dict[str, Any], path: Path) -> None:
    """What nDCG@10 gains over words alone as vectors come, a line for each set and order, from sketches on."""
    figure, axes = _empty("chunks that have a vector, per cent", "nDCG@10 beside words alone")
    axes.axhline(0, color=INK, linestyle=":", linewidth=1)
    for name, (title, colour) in COVERED.items():
        orders = measured[name]["ndcg"]
        alone, sketch = orders[""]["text"], orders[""]["text + sketch"]
        for order, line in (("refining", "-"), ("random", "--")):
            shares = {int(stage.removesuffix(" %")): figure_ for stage, figure_ in orders[order].items()}
            gains = [value - alone for value in (sketch, *shares.values())]
            axes.plot([0, *shares], gains, line, marker="o", color=colour, markersize=5)
        said = f"{title}\n{alone:.3f}, {sketch:.3f}, {shares[100]:.3f}"
        axes.annotate(said, (100, gains[-1]), (8, 0), textcoords="offset points", color=colour, va="center")
    axes.set_xticks([0, 10, 25, 50, 100])
    axes.set_xlim(-2, 101)
    _save(figure, path)


def _missing_halved(shares: Any) -> Any:
    numpy = importlib.import_module("numpy")
    return -numpy.log2(numpy.maximum(1 - shares, 1e-6))


def _missing_whole(heights: Any) -> Any:
    numpy = importlib.import_module("numpy")
    return 1 - numpy.exp2(-heights)


def _names(axes: Any, ends: dict[str, tuple[float, str]]) -> None:
    """Each program's mark and name at the right edge, at the height where it ends; too near ones move down."""
    left = axes.get_xlim()[0]
    to_share = axes.transData + axes.transAxes.inverted()
    heights = spread([to_share.transform((left, value))[1] for value, _ in ends.values()], GAP)
    for (name, (_, text)), height in zip(ends.items(), heights, strict=True):
        look = LOOKS[name]
        axes.plot(1.03, height, look.marker, color=look.colour, markersize=6, transform=axes.transAxes, clip_on=False)
        axes.text(1.05, height, text, color=look.colour, va="center", transform=axes.transAxes)


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
    parser.add_argument("--coverage", type=Path, default=Path("docs/coverage.json"))
    parser.add_argument("--pictures", type=Path, default=Path("docs/pictures"))
    arguments = parser.parse_args(argv)
    programs = json.loads(arguments.figures.read_text(encoding="utf-8"))["questions"]
    arguments.pictures.mkdir(parents=True, exist_ok=True)
    time_picture(programs, arguments.pictures / "quality-time.png")
    token_picture(programs, arguments.pictures / "quality-tokens.png")
    covered = json.loads(arguments.coverage.read_text(encoding="utf-8"))
    coverage_picture(covered, arguments.pictures / "quality-coverage.png")


if __name__ == "__main__":
    main()
