"""The picture of benchmarks/scale.py: what grows, over the number of files, beside its limit.

    python -m benchmarks.scale_picture docs/scale.json docs/pictures/scale.png

Needs matplotlib (the group ``bench`` of pyproject.toml).
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LIMITS = {"index_s": 900.0, "index_mib": 2048.0, "disk_ratio": 2.0, "p95_ms": 150.0, "ask_mib": 2048.0}
INK, BLUE, ORANGE = "#7a838d", "#2f7ce0", "#cf6f12"
PANELS = (
    ("index_s", "seconds to index"),
    ("index_mib", "MiB resident while indexing"),
    ("disk_ratio", "index on disk / source"),
    ("p95_ms", "ms of a warm query, p95"),
)


def draw(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Four panels over the number of files, logarithmic both ways; the limit is a dashed line."""
    matplotlib = importlib.import_module("matplotlib")
    matplotlib.use("Agg")
    plot = importlib.import_module("matplotlib.pyplot")
    plot.rcParams.update({"font.size": 9, "axes.edgecolor": INK, "axes.labelcolor": INK})
    figure, panels = plot.subplots(2, 2, figsize=(8, 5), layout="constrained")
    files = [row["tree_files"] for row in rows]
    for axes, (name, title) in zip(panels.flat, PANELS, strict=True):
        axes.plot(files, [row[name] for row in rows], "o-", color=BLUE, markersize=5)
        axes.axhline(LIMITS[name], color=ORANGE, linestyle="--", linewidth=1)
        axes.set_xscale("log")
        if name != "disk_ratio":
            axes.set_yscale("log")
        axes.set_ylim(bottom=0 if name == "disk_ratio" else None)
        axes.set_xticks(files, [f"{count:,}" for count in files])
        axes.minorticks_off()
        axes.set_title(title, color=INK, fontsize=9)
        axes.tick_params(which="both", colors=INK)
        axes.grid(color=INK, alpha=0.25, linewidth=0.6)
        for edge in ("top", "right"):
            axes.spines[edge].set_visible(False)
    figure.supxlabel("files", color=INK, fontsize=9)
    figure.savefig(path, dpi=150, transparent=True, metadata={"Software": None})
    print(f"{path}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text("utf-8")), Path(sys.argv[2]))
